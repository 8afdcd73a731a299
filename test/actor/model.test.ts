/**
 * A seeded random run against a model. Senders on two nodes tell actors numbered messages while
 * handlers return at once, wait, or crash, actors leave memory and a residents' bound presses.
 * Checked throughout: at most one activation of an id runs anything, handlers of one activation
 * never overlap, and what one sender told one actor is handled in order, each message once.
 * The seed is printed; ACTOR_SEED=<seed> repeats a run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { type ActorId, ActorSystem, kind, tell } from '../../src/actor/index.ts';
import { FakeClock } from './support/clock.ts';
import { until } from './support/system.ts';

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Numbered {
  readonly from: number;
  readonly n: number;
  readonly how: 'now' | 'wait' | 'crash' | 'leave';
}

const seed = Number(process.env['ACTOR_SEED'] ?? Date.now() % 2 ** 31);

test(`order and single activation hold in a random run (ACTOR_SEED=${seed})`, async (t) => {
  t.diagnostic(`ACTOR_SEED=${seed}`);
  const random = randomFrom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const pause = async (): Promise<void> => {
    for (let turns = Math.floor(random() * 4); turns > 0; turns--) await new Promise(setImmediate);
  };
  const inside = new Map<ActorId, object>();
  const running = new Set<ActorId>();
  const last = new Map<string, number>();
  let handled = 0;

  const Model = kind({
    name: 'model',
    messages: { step: tell<Numbered>() },
    mailbox: { capacity: 10_000 },
    residentsMax: 5,
    passivateAfterMs: 20,
    supervise: { backoffMsMin: 1, backoffMsMax: 4, restartsMax: 1_000_000 },
    load: async (ctx) => {
      const own = {};
      assert.equal(running.has(ctx.id), false, 'load while a handler runs');
      inside.set(ctx.id, own);
      if (random() < 0.5) await pause();
      assert.equal(inside.get(ctx.id), own, 'two activations load');
      return own;
    },
    save: async (own, ctx) => {
      assert.equal(inside.get(ctx.id), own, 'saved by another activation');
      await pause();
      assert.equal(inside.get(ctx.id), own, 'activated again during the save');
    },
    on: {
      async step(own, { from, n, how }, ctx) {
        assert.equal(inside.get(ctx.id), own, 'run by another activation');
        assert.equal(running.has(ctx.id), false, 'interleaved');
        running.add(ctx.id);
        const key = `${from}>${ctx.id}`;
        assert.equal(n, (last.get(key) ?? -1) + 1, `order of ${key}`);
        last.set(key, n);
        handled++;
        if (how === 'wait') await pause();
        running.delete(ctx.id);
        if (how === 'leave') ctx.passivate();
        if (how === 'crash') throw new Error('planned');
      },
    },
  });

  const clock = new FakeClock();
  const broken: unknown[] = [];
  const start = (node: number): ActorSystem =>
    new ActorSystem({
      node,
      kinds: [Model],
      place: (_kind, id) => Number(id) % 2,
      clock,
      random,
      linkWindowFrames: 16,
      onFailure: ({ error }) => {
        if ((error as Error).message !== 'planned') broken.push(error);
      },
    });
  const systems = [start(0), start(1)] as const;
  const { port1, port2 } = new MessageChannel();
  systems[0].connect(1, port1);
  systems[1].connect(0, port2);

  const next = new Map<string, number>();
  let told = 0;
  for (let round = 0; round < 300; round++) {
    for (let burst = Math.floor(random() * 40); burst > 0; burst--) {
      const system = pick(systems);
      const id = Math.floor(random() * 20);
      const key = `${system.node}>${id}`;
      const n = next.get(key) ?? 0;
      const how = pick(['now', 'now', 'now', 'wait', 'wait', 'crash', 'leave'] as const);
      if (!system.tell(Model, id, 'step', { from: system.node, n, how })) continue;
      next.set(key, n + 1);
      told++;
    }
    if (random() < 0.5) await clock.advance(Math.floor(random() * 10));
    assert.deepEqual(broken, []);
  }
  let advancing = Promise.resolve();
  await until(() => {
    advancing = advancing.then(() => clock.advance(5));
    return handled === told || broken.length > 0;
  });
  await advancing;
  assert.deepEqual([broken, handled], [[], told]);
  port1.close();
});
