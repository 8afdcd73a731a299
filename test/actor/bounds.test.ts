import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actorLimits, ask, kind, type Messages, simulate, tell } from '../../src/actor/index.ts';
import { Mailbox, MailboxPool } from '../../src/actor/mailbox.ts';
import { startPair } from './support/pair.ts';
import { gate, startSystem } from './support/system.ts';

/** Bounds that no other test fills. */

const Cell = kind({
  name: 'cell',
  messages: { put: tell<number>(), sum: ask<void, number>(), hold: ask<Promise<void>, number>() },
  mailbox: { capacity: 1_000_000 },
  load: () => ({ sum: 0 }),
  on: {
    put: (state, n) => void (state.sum += n),
    sum: (state) => state.sum,
    hold: async (state, wait) => {
      await wait;
      return state.sum;
    },
  },
});

test('a kind has no more messages than messageNamesMax', () => {
  const names = (count: number) => Array.from({ length: count }, (_none, n) => `m${n}`);
  const make = (count: number): unknown => {
    const messages: Messages = Object.fromEntries(names(count).map((name) => [name, tell()]));
    const on = Object.fromEntries(names(count).map((name) => [name, () => {}]));
    return kind({ name: 'many', messages, load: () => 0, on });
  };
  make(actorLimits.messageNamesMax);
  assert.throws(() => make(actorLimits.messageNamesMax + 1), RangeError);
});

test('asks of more timeouts than askTimersSharedMax have timers of their own, and none is left', async () => {
  const { system, clock } = startSystem([Cell]);
  const held = gate();
  const many = actorLimits.askTimersSharedMax + 10;
  const asks = Array.from({ length: many * 2 }, (_none, n) =>
    system.ask(Cell, n, 'hold', held.wait, { timeoutMs: 1_000 + (n % many) }),
  );
  await clock.run();
  assert.equal(clock.armed, actorLimits.askTimersSharedMax + 20);
  held.open();
  await clock.run();
  assert.equal((await Promise.all(asks)).length, many * 2);
  assert.equal(clock.armed, 0);
});

test('asks of one timeout share a timer, and each expires in its time', async () => {
  const { system, clock } = startSystem([Cell]);
  const held = gate();
  const late: number[] = [];
  for (let n = 0; n < 3; n++) {
    system.ask(Cell, n, 'hold', held.wait, { timeoutMs: 100 }).catch(() => late.push(n));
    await clock.advance(30);
  }
  assert.deepEqual([late, clock.armed], [[], 1]);
  await clock.advance(20);
  assert.deepEqual(late, [0]);
  await clock.advance(30);
  assert.deepEqual(late, [0, 1]);
  await clock.advance(30);
  assert.deepEqual([late, clock.armed], [[0, 1, 2], 0]);
});

test('numbers beyond the array in front of the residents are found as well', async () => {
  const { system, clock } = startSystem([Cell]);
  const ids = [0, -1, 0.5, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER];
  for (let id = 1; id <= actorLimits.frontActorsMin * 4; id++) ids.push(id, id + actorLimits.frontActorsMax);
  for (const id of ids) system.tell(Cell, id, 'put', 1);
  await clock.run();
  for (const id of ids) system.tell(Cell, id, 'put', id);
  const sums = Promise.all(ids.map((id) => system.ask(Cell, id, 'sum')));
  await clock.run();
  assert.deepEqual(
    await sums,
    ids.map((id) => id + 1),
  );
  assert.equal(system.residents(Cell), ids.length);
});

test('more ready actors than readyKeptMax have their turn', async () => {
  const { system, clock } = startSystem([Cell]);
  for (let round = 0; round < 2; round++) {
    for (let id = 0; id <= actorLimits.readyKeptMax; id++) system.tell(Cell, id, 'put', 1);
    await clock.run();
  }
  const sum = system.ask(Cell, actorLimits.readyKeptMax, 'sum');
  await clock.run();
  assert.equal(await sum, 2);
});

test('the pool keeps no ring that a burst made too large, and no more room than pooledMessagesMax', () => {
  const pool = new MailboxPool();
  const grown = (messages: number): Mailbox => {
    const ring = new Mailbox();
    for (let n = 0; n < messages; n++) ring.push(n, n, undefined);
    while (ring.count > 0) ring.shift();
    return ring;
  };
  const large = grown(actorLimits.pooledMailboxMax + 1);
  pool.give(large);
  assert.notEqual(pool.take(), large);
  const rings = Array.from({ length: 5 }, () => grown(actorLimits.pooledMailboxMax));
  for (const ring of rings) pool.give(ring);
  const kept = rings.map(() => pool.take()).filter((ring) => rings.includes(ring));
  assert.equal(kept.length, actorLimits.pooledMessagesMax / actorLimits.pooledMailboxMax);
});

test('a flush of more frames than batchFramesMax is several batches, in order', async () => {
  const { one, connect, stop } = startPair([Cell], () => 2);
  connect();
  const ref = one.system.ref(Cell, 1);
  for (let n = 0; n < actorLimits.batchFramesMax * 3 + 1; n++) ref.tell('put', 1);
  assert.equal(await ref.ask('sum'), actorLimits.batchFramesMax * 3 + 1);
  await stop();
});

test('beyond cycleStepsMax a cycle is not looked for, and the timeout ends it', async () => {
  // A waits for many, the last of which waits for A.
  const Fan = kind({
    name: 'fan',
    messages: {
      fan: ask<number, string>(),
      back: ask<Promise<void>, string>(),
      hold: ask<Promise<void>, void>(),
    },
    supervise: { strategy: 'resume' },
    load: () => null,
    on: {
      fan: async (_state, count, ctx) => {
        const asks = Array.from({ length: count }, (_none, n) =>
          ctx.ask(ctx.system.ref(Fan, n + 1), 'hold', wait),
        );
        await Promise.all([...asks, ctx.ask(ctx.system.ref(Fan, count), 'hold', wait)]);
        return 'done';
      },
      back: async (_state, ready, ctx): Promise<string> => {
        await ready;
        return ctx.ask(ctx.system.ref(Fan, 0), 'fan', 0, { timeoutMs: 50 });
      },
      hold: (_state, until) => until,
    },
  });
  const { wait, open } = gate();
  for (const [count, error] of [
    [actorLimits.cycleStepsMax - 10, /cycle/],
    [actorLimits.cycleStepsMax + 10, /no answer/],
  ] as const) {
    const { system, clock } = startSystem([Fan]);
    const ready = gate();
    const back = assert.rejects(system.ask(Fan, count, 'back', ready.wait), error);
    void system.ask(Fan, 0, 'fan', count).catch(() => {});
    await clock.run();
    ready.open();
    await clock.advance(60);
    await back;
  }
  open();
});

test('a trace keeps the latest traceLinesMax lines', async () => {
  const sim = simulate([Cell], { seed: 1, shards: 0 });
  for (let n = 0; n < actorLimits.traceLinesMax * 3; n++) sim.tell(Cell, 1, 'put', n);
  sim.tell(Cell, 2, 'put', 0);
  await sim.run();
  assert.equal(sim.trace.length, actorLimits.traceLinesMax);
});
