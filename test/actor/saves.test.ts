import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, kind, type Saves, type Strategy, tell } from '../../src/actor/index.ts';
import { gate, startSystem } from './support/system.ts';

/** A counter, and every value that it saved. */
function counters(saves: Saves, options: { save?: () => void | Promise<void>; strategy?: Strategy } = {}) {
  const stored: number[] = [];
  const Counter = kind({
    name: 'counter',
    messages: {
      add: ask<number, number>(),
      slow: ask<number, number>(),
      put: tell<number>(),
      get: ask<void, number>(),
      crash: tell(),
      leave: tell(),
    },
    reads: ['get', 'leave'],
    saves,
    saveBehindMs: 100,
    supervise: { strategy: options.strategy ?? 'restart' },
    load: () => ({ n: stored.at(-1) ?? 0 }),
    async save({ n }) {
      await options.save?.();
      stored.push(n);
    },
    on: {
      add: (state, n) => (state.n += n),
      async slow(state, n) {
        await Promise.resolve();
        return (state.n += n);
      },
      put: (state, n) => void (state.n += n),
      get: (state) => state.n,
      crash() {
        throw new Error('crash');
      },
      leave: (_state, _message, ctx) => ctx.passivate(),
    },
  });
  return { Counter, stored, ...startSystem([Counter]) };
}

test('through: each change is saved before it is answered, and before the next message', async () => {
  const saving = gate();
  const { Counter, stored, system, clock } = counters('through', { save: () => saving.wait });
  let answered = false;
  const first = system.ask(Counter, 1, 'add', 1).finally(() => (answered = true));
  const second = system.ask(Counter, 1, 'slow', 2);
  await clock.run();
  assert.deepEqual([answered, stored], [false, []]);
  saving.open();
  await clock.run();
  assert.deepEqual([await first, await second, stored], [1, 3, [1, 3]]);
});

test('through: messages that only read, and leaving memory, save nothing', async () => {
  const { Counter, stored, system, clock } = counters('through');
  const get = system.ask(Counter, 1, 'get');
  system.tell(Counter, 1, 'leave');
  await clock.run();
  assert.deepEqual([await get, stored, system.residents(Counter)], [0, [], 0]);
});

test('through: a save that fails fails the ask, and the state is loaded again', async () => {
  let broken = true;
  const { Counter, stored, system, clock, failures, reasons } = counters('through', {
    save() {
      if (broken) throw new Error('disk');
    },
  });
  const failed = assert.rejects(system.ask(Counter, 1, 'add', 1), { name: 'AskFailed', message: 'disk' });
  const next = system.ask(Counter, 1, 'get');
  await clock.run();
  await failed;
  broken = false;
  await clock.advance(200);
  assert.deepEqual([await next, stored, reasons()], [0, [], ['add 1: failed']]);
  assert.deepEqual(
    failures.map(({ phase, message, action }) => `${phase} ${message} ${action}`),
    ['save add restart'],
  );
});

test('behind: changes are saved together, within saveBehindMs of the first', async () => {
  const { Counter, stored, system, clock } = counters('behind');
  for (let n = 0; n < 5; n++) {
    system.tell(Counter, 1, 'put', 1);
    await clock.advance(15);
  }
  assert.deepEqual(stored, []);
  await clock.advance(30);
  assert.deepEqual(stored, [5]);
  await clock.advance(1_000);
  assert.deepEqual(stored, [5], 'nothing changed, nothing is saved');
  assert.equal(clock.armed, 0);
});

test('behind: no message is handled while a save is under way', async () => {
  const saving = gate();
  const { Counter, stored, system, clock } = counters('behind', { save: () => saving.wait });
  system.tell(Counter, 1, 'put', 1);
  await clock.advance(100);
  const get = system.ask(Counter, 1, 'get');
  let got = false;
  void get.then(() => (got = true));
  await clock.run();
  assert.equal(got, false);
  saving.open();
  await clock.run();
  assert.deepEqual([await get, stored], [1, [1]]);
});

test('behind: what changed is saved before the actor leaves memory, and when the system stops', async () => {
  const { Counter, stored, system, clock } = counters('behind');
  system.tell(Counter, 1, 'put', 1);
  system.tell(Counter, 1, 'leave');
  await clock.run();
  assert.deepEqual([stored, system.residents(Counter)], [[1], 0]);
  system.tell(Counter, 1, 'put', 1);
  const stopped = system.stop();
  await clock.run();
  assert.deepEqual([await stopped, stored], [true, [1, 2]]);
});

test('behind: a save that fails is tried again, a state that failed is not saved', async () => {
  let broken = true;
  const { Counter, stored, system, clock, failures } = counters('behind', {
    save() {
      if (broken) throw new Error('disk');
    },
  });
  system.tell(Counter, 1, 'put', 1);
  await clock.advance(100);
  assert.deepEqual(
    failures.map(({ phase, action }) => `${phase} ${action}`),
    ['save keep'],
  );
  broken = false;
  await clock.advance(100);
  assert.deepEqual(stored, [1]);
  system.tell(Counter, 1, 'put', 7);
  system.tell(Counter, 1, 'crash');
  await clock.advance(1_000);
  assert.deepEqual(stored, [1]);
});

test('a kind that saves needs a save, and reads name messages', () => {
  const messages = { a: tell() };
  const on = { a: () => {} };
  assert.throws(() => kind({ name: 'k', messages, saves: 'behind', load: () => 0, on }), RangeError);
  assert.throws(() => kind({ name: 'k', messages, reads: ['b' as 'a'], load: () => 0, on }), RangeError);
});
