import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actorLimits, ask, kind, tell } from '../../src/actor/index.ts';
import { startPair } from './support/pair.ts';
import { gate, startSystem } from './support/system.ts';

const Slow = kind({
  name: 'slow',
  messages: { hold: tell<Promise<void>>(), put: tell<number>(), count: ask<void, number>() },
  mailbox: { capacity: 4 },
  load: () => [] as number[],
  on: {
    hold: (_seen, wait) => wait,
    put: (seen, n) => void seen.push(n),
    count: (seen) => seen.length,
  },
});

/** An actor that is held, with a full mailbox. */
async function full() {
  const started = startSystem([Slow]);
  const ref = started.system.ref(Slow, 1);
  const held = gate();
  ref.tell('hold', held.wait);
  await started.clock.run();
  for (let n = 0; n < 4; n++) ref.tell('put', n);
  let woken = 0;
  const wait = (): Promise<void> => ref.room().then(() => void woken++);
  return { ...started, ref, held, wait, woken: () => woken };
}

test('room resolves at once where there is room', async () => {
  const { system } = startSystem([Slow]);
  await system.ref(Slow, 1).room();
  await system.room(Slow, 2);
});

test('who waits for room is woken when the mailbox is half empty', async () => {
  const { ref, held, wait, woken, clock } = await full();
  assert.equal(ref.tell('put', 4), false);
  const waits = [wait(), wait()];
  await clock.run();
  assert.equal(woken(), 0);
  held.open();
  await clock.run();
  await Promise.all(waits);
  assert.equal(ref.tell('put', 4), true);
});

test('who waits for room is woken when the actor stops', async () => {
  const started = startSystem([{ ...Slow, supervise: { ...Slow.supervise, strategy: 'stop' } }]);
  const { system, clock } = started;
  const held = gate();
  system.tell(Slow, 1, 'hold', held.wait);
  await clock.run();
  for (let n = 0; n < 4; n++) system.tell(Slow, 1, 'put', n);
  const room = system.room(Slow, 1);
  held.fail(new Error('planned'));
  await clock.run();
  await room;
  assert.equal(system.residents(Slow), 0);
});

test('waiting for room ends with a timeout, a signal, or the system', async () => {
  const { system, ref, clock } = await full();
  const timed = assert.rejects(ref.room({ timeoutMs: 50 }), { name: 'AskTimeout' });
  const abort = new AbortController();
  const aborted = assert.rejects(ref.room({ signal: abort.signal }), /enough/);
  const stopped = assert.rejects(ref.room(), { name: 'AskRefused', reason: 'stopped' });
  await clock.advance(50);
  await timed;
  abort.abort(new Error('enough'));
  await aborted;
  const end = system.stop({ timeoutMs: 0 });
  await stopped;
  await clock.advance(1);
  await end;
  await assert.rejects(ref.room(), { reason: 'stopped' });
});

test('no more than roomWaitersMax wait for one mailbox', async () => {
  const { ref, held, wait, clock } = await full();
  const waits = Array.from({ length: actorLimits.roomWaitersMax }, wait);
  await assert.rejects(ref.room(), { name: 'AskRefused', reason: 'mailbox_full' });
  held.open();
  await clock.run();
  await Promise.all(waits);
});

test('room for an actor of another node is room in the queue for that node', async () => {
  const { one, connect, stop } = startPair([Slow], () => 2, { linkFramesMax: 4 });
  const ref = one.system.ref(Slow, 1);
  await ref.room();
  let taken = 0;
  while (ref.tell('put', taken)) taken++;
  assert.equal(taken, 4);
  const waits = Array.from({ length: actorLimits.roomWaitersMax }, () => ref.room());
  await assert.rejects(ref.room(), { reason: 'mailbox_full' });
  connect();
  await Promise.all(waits);
  assert.equal(ref.tell('put', 5), true);
  await stop();
});

test('a loop of tell and room gets everything through a small queue', async () => {
  const { one, two, connect, stop } = startPair(
    [{ ...Slow, mailbox: { capacity: 10_000, overflow: 'reject' } }],
    () => 2,
    {
      linkFramesMax: 8,
      linkWindowFrames: 8,
    },
  );
  connect();
  const ref = one.system.ref(Slow, 1);
  for (let n = 0; n < 1_000; n++) while (!ref.tell('put', n)) await ref.room();
  await ref.room();
  assert.equal(await ref.ask('count'), 1_000);
  assert.deepEqual(two.letters, []);
  await stop();
});
