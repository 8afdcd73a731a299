import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { threadId } from 'node:worker_threads';
import { actorLimits, placeById, type StartOptions, System } from '../../src/actor/index.ts';
import { Tally } from './support/thread-kinds.ts';

const kindsUrl = new URL('support/thread-kinds.js', import.meta.url);

async function start(
  threads: number,
  options: Partial<StartOptions> & { byThird?: boolean; failingStart?: number } = {},
) {
  const numbers = new SharedArrayBuffer(4_000);
  const { byThird = false, failingStart, ...rest } = options;
  const system = await System.start({
    threads,
    kinds: [kindsUrl],
    setup: kindsUrl,
    data: { numbers, byThird, failingStart },
    onFailure: () => {},
    ...rest,
  });
  return { system, saved: new Int32Array(numbers) };
}

for (const threads of [0, 1, 2]) {
  test(`the same program runs on ${threads} threads, and stop drains and saves everything`, async () => {
    const { system, saved } = await start(threads);
    for (let n = 1; n <= 1_000; n++) assert.equal(system.tell(Tally, n % 10, 'add', n), true);
    const nodes = new Set<number>();
    for (let id = 0; id < 10; id++) {
      const { node, threadId: thread } = await system.ask(Tally, id, 'where');
      nodes.add(node);
      assert.equal(thread === threadId, threads === 0);
    }
    assert.equal(nodes.size, Math.max(1, threads));
    system.tell(Tally, 10, 'bounce', { to: system.ref(Tally, 11), times: 99 });
    while (saved[10]! + saved[11]! < 100) await system.ask(Tally, 10, 'total');
    for (let n = 0; n < 20_000; n++) system.tell(Tally, 20 + (n % 7), 'add', 1);
    assert.equal(await system.stop(), true);
    assert.equal(system.tell(Tally, 1, 'add', 1), false);
    const sum = (from: number, to: number): number => saved.slice(from, to).reduce((a, b) => a + b, 0);
    assert.deepEqual([sum(0, 10), sum(10, 12), sum(20, 27)], [500_500, 100, 20_000]);
  });
}

test('an embedder says which thread hosts an actor', async () => {
  const { system } = await start(2, { byThird: true });
  const nodes = await Promise.all(
    [3, 4, 5, 6].map(async (id) => (await system.ask(Tally, id, 'where')).node),
  );
  assert.deepEqual(nodes, [1, 2, 1, 1]);
  await system.stop();
});

test('a thread that dies is replaced, its actors come back by load, and its asks are refused', async () => {
  const events: string[] = [];
  const { system } = await start(2, {
    byThird: true,
    onThread: ({ node, what }) => events.push(`${node} ${what}`),
  });
  system.tell(Tally, 4, 'add', 5);
  assert.equal(await system.ask(Tally, 4, 'total'), 5);
  const before = await system.ask(Tally, 4, 'where');
  const hanging = assert.rejects(system.ask(Tally, 7, 'hang'), { name: 'AskRefused', reason: 'unreachable' });
  system.tell(Tally, 4, 'die');
  await hanging;
  system.tell(Tally, 4, 'add', 2); // waits for the thread's successor
  assert.equal(await system.ask(Tally, 4, 'total'), 7);
  const after = await system.ask(Tally, 4, 'where');
  assert.equal(after.node, before.node);
  assert.notEqual(after.threadId, before.threadId);
  // The successor is linked with the other thread as well.
  system.tell(Tally, 4, 'bounce', { to: system.ref(Tally, 3), times: 3 });
  while ((await system.ask(Tally, 3, 'total')) < 2);
  assert.deepEqual(events.toSorted(), ['1 ready', '2 died', '2 ready', '2 ready']);
  assert.equal(await system.stop(), true);
});

test('a thread whose successor does not start is tried again', async () => {
  const events: string[] = [];
  const onThread: StartOptions['onThread'] = ({ what, error }) =>
    events.push(error instanceof Error ? `${what}: ${error.message}` : what);
  const { system } = await start(1, { failingStart: 1, onThread });
  system.tell(Tally, 4, 'add', 5);
  assert.equal(await system.ask(Tally, 4, 'total'), 5);
  const hanging = assert.rejects(system.ask(Tally, 7, 'hang'), { reason: 'unreachable' });
  system.tell(Tally, 4, 'die');
  await hanging;
  assert.equal(await system.ask(Tally, 4, 'total'), 5);
  assert.deepEqual(events, ['ready', 'died', 'died: no start', 'ready']);
  await system.stop();
});

test('stop says false when a thread does not get it done, and ends it', async () => {
  const { system } = await start(1);
  const hanging = assert.rejects(system.ask(Tally, 1, 'hang', undefined, { timeoutMs: 60_000 }));
  const exited = once(system.workerOf(1)!, 'exit');
  await system.ask(Tally, 2, 'total');
  assert.equal(await system.stop({ timeoutMs: 50 }), false);
  await Promise.all([hanging, exited]);
});

test('a system that cannot start rejects, and leaves no thread', async () => {
  const missing = new URL('support/missing.js', import.meta.url);
  await assert.rejects(System.start({ threads: 1, kinds: [missing] }), { code: 'ERR_MODULE_NOT_FOUND' });
  await assert.rejects(System.start({ threads: 0, kinds: [new URL('support/clock.js', import.meta.url)] }), {
    name: 'TypeError',
    message: /no kind is exported/,
  });
  // The main thread passes, the actor thread does not: its `data` is not what setup needs.
  const options = { kinds: [kindsUrl], setup: new URL('support/thread-fails.js', import.meta.url) };
  await assert.rejects(System.start({ threads: 2, ...options }), /not on a thread/);
  await assert.rejects(System.start({ threads: actorLimits.threadsMax + 1, kinds: [] }), RangeError);
  await assert.rejects(System.start({ threads: -1, kinds: [] }), RangeError);
});

test('the default placement spreads numbers and texts, and puts one id of all kinds together', () => {
  for (const id of [(n: number) => n, (n: number) => `user-${n}`, (n: number) => n * 1_000_000_007]) {
    const counts = [0, 0, 0, 0];
    for (let n = 0; n < 4_000; n++) counts[placeById('a', id(n), 4)]!++;
    assert.ok(Math.min(...counts) > 800, String(counts));
  }
  assert.equal(placeById('a', 'x', 16), placeById('b', 'x', 16));
});
