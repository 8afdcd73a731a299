import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel, Worker } from 'node:worker_threads';
import { ActorSystem } from '../../src/actor/index.ts';
import { Echo } from './support/echo.ts';
import { until } from './support/system.ts';

function startWorker(system: ActorSystem): Worker {
  const { port1, port2 } = new MessageChannel();
  const url = new URL('./support/echo-worker.js', import.meta.url);
  const worker = new Worker(url, { workerData: { port: port2 }, transferList: [port2] });
  system.connect(2, port1);
  return worker;
}

test('actors of two threads talk both ways, and a thread that dies is noticed and replaced', async () => {
  const peers: string[] = [];
  const system = new ActorSystem({
    node: 1,
    kinds: [Echo],
    place: (_kind, id) => (Number(id) < 1_000 ? 1 : 2),
    onPeer: (node, what) => peers.push(`${node} ${what}`),
  });
  const first = startWorker(system);
  const numbers = Array.from({ length: 20_000 }, (_, n) => n);
  for (const n of numbers) assert.equal(system.tell(Echo, 1_001, 'put', { n }), true);
  assert.deepEqual(await system.ask(Echo, 1_001, 'list'), numbers);

  for (const n of numbers) system.tell(Echo, 1_002, 'relay', { to: 1, n });
  await until(() => system.residents(Echo) === 1);
  let back: number[] = [];
  while (back.length < numbers.length) back = [...(await system.ask(Echo, 1, 'list'))];
  assert.deepEqual(back, numbers);

  const lost = assert.rejects(system.ask(Echo, 1_003, 'hold'), { name: 'AskRefused', reason: 'unreachable' });
  first.postMessage('die');
  await lost;
  assert.deepEqual(peers, ['2 connected', '2 lost']);

  system.tell(Echo, 1_001, 'put', { n: 7 });
  const second = startWorker(system);
  assert.deepEqual(await system.ask(Echo, 1_001, 'list'), [7]);
  await system.stop();
  await second.terminate();
});
