import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { peerNamed } from '../../bench/load/peers/all.ts';
import { Results } from '../../bench/load/results.ts';
import { runWork } from '../../bench/load/runner.ts';
import type { Work } from '../../bench/load/work.ts';

/** The whole harness: servers and generators are processes, and so small that they take a moment. */
const settings = { rounds: 1, seconds: 0.2, say: () => {} };
const work: Work = {
  name: 'tiny',
  title: 'tiny',
  transport: 'tcp',
  load: { mode: 'pairs', connections: 10, window: 2, warmUpMs: 50 },
  servers: [],
  usual: false,
};

async function run(server: string, more: Partial<Work> = {}): Promise<Results> {
  const results = new Results();
  await runWork({ ...work, ...more }, [peerNamed(server)], settings, results);
  return results;
}

function assertSound(results: Results, server: string): void {
  assert.deepEqual(results.failures('tiny', server), []);
  assert.equal(results.rounds('tiny', server), 1);
  assert.ok(results.isSound('tiny', server));
  assert.equal(results.sum('tiny', server, 'refused'), 0);
  assert.ok(results.sum('tiny', server, 'deliveriesPerSecond') > 0);
  assert.ok(results.sum('tiny', server, 'p50Ms') > 0);
  assert.ok(results.sum('tiny', server, 'residentMb') > 0);
}

describe('a run against Encke', () => {
  test('pairs over TCP deliver everything once, and are measured', async () => {
    assertSound(await run('encke-always'), 'encke-always');
  });

  test('fan-out over WebSocket too', async () => {
    const load = { ...work.load, mode: 'fanout' } as const;
    assertSound(await run('encke-memory', { transport: 'ws', load }), 'encke-memory');
  });

  test('a server that cannot be started is noted, and the run goes on', async () => {
    const results = new Results();
    const lame = { ...peerNamed('encke-memory'), start: () => Promise.reject(new Error('no such program')) };
    await runWork(work, [lame], settings, results);
    assert.deepEqual(results.failures('tiny', 'encke-memory'), ['no such program']);
  });
});

test('a run against Socket.IO delivers everything once', async () => {
  assertSound(await run('socket.io', { transport: 'ws' }), 'socket.io');
});
