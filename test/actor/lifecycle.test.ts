import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kind, type KindOptions, tell } from '../../src/actor/index.ts';
import { gate, startSystem } from './support/system.ts';

const messages = { put: tell<number>(), leave: tell(), end: tell(), arm: tell() };
type State = { values: number[]; busy: boolean };

/** Keeps numbers in a store that outlives its actors. */
function cells(options: Partial<KindOptions<typeof messages, unknown, State>> = {}) {
  const store = new Map<unknown, number[]>();
  const log: string[] = [];
  const Cell = kind<typeof messages, State>({
    name: 'cell',
    messages,
    load: (ctx) => {
      log.push(`load ${ctx.id}`);
      return { values: [...(store.get(ctx.id) ?? [])], busy: false };
    },
    save: (state, ctx) => {
      log.push(`save ${ctx.id}`);
      store.set(ctx.id, state.values);
    },
    on: {
      put: (state, value) => void state.values.push(value),
      leave: (_state, _message, ctx) => ctx.passivate(),
      end: (_state, _message, ctx) => ctx.stop(),
      arm: (_state, _message, ctx) => ctx.timers.once('later', 10_000, 'put', 99),
    },
    ...options,
  });
  return { Cell, store, log };
}

test('load runs once, before the first message, however many are told at once', async () => {
  const { Cell, log } = cells();
  const { system, clock } = startSystem([Cell]);
  for (let n = 0; n < 10; n++) system.tell(Cell, 1, 'put', n);
  await clock.run();
  system.tell(Cell, 1, 'put', 10);
  await clock.run();
  assert.deepEqual(log, ['load 1']);
});

test('messages told while an async load runs wait for it, and activate nothing twice', async () => {
  const loading = gate<State>();
  let loads = 0;
  const { Cell } = cells({
    load: () => {
      loads++;
      return loading.wait;
    },
  });
  const { system, clock } = startSystem([Cell]);
  system.tell(Cell, 1, 'put', 1);
  await clock.run();
  system.tell(Cell, 1, 'put', 2);
  await clock.run();
  assert.deepEqual([loads, system.residents(Cell)], [1, 1]);
  const state = { values: [], busy: false };
  loading.open(state);
  await clock.run();
  assert.deepEqual(state.values, [1, 2]);
});

test('an idle actor is saved and leaves memory, and comes back with the next message', async () => {
  const { Cell, store, log } = cells({ passivateAfterMs: 1_000 });
  const { system, clock } = startSystem([Cell]);
  system.tell(Cell, 1, 'put', 1);
  await clock.advance(900);
  system.tell(Cell, 1, 'put', 2);
  await clock.advance(900);
  assert.equal(system.residents(Cell), 1, 'a message puts passivation off');
  await clock.advance(200);
  assert.equal(system.residents(Cell), 0);
  assert.deepEqual(store.get(1), [1, 2]);
  system.tell(Cell, 1, 'put', 3);
  await clock.advance(2_000);
  assert.deepEqual(store.get(1), [1, 2, 3]);
  assert.deepEqual(log, ['load 1', 'save 1', 'load 1', 'save 1']);
});

test('no timer is left when nobody is in memory', async () => {
  const { Cell } = cells({ passivateAfterMs: 1_000 });
  const { system, clock } = startSystem([Cell]);
  for (let id = 0; id < 1_000; id++) system.tell(Cell, id, 'put', 1);
  await clock.advance(2_000);
  assert.deepEqual([system.residents(Cell), clock.armed], [0, 0]);
});

test('over residentsMax the longest idle actors leave', async () => {
  const { Cell, log } = cells({ residentsMax: 3 });
  const { system, clock } = startSystem([Cell]);
  for (const id of [1, 2, 3, 1, 4, 5]) {
    system.tell(Cell, id, 'put', 1);
    await clock.run();
  }
  assert.equal(system.residents(Cell), 3);
  assert.deepEqual(
    log.filter((line) => line.startsWith('save')),
    ['save 2', 'save 3'],
  );
});

test('a busy actor stays in memory, whatever the bounds say', async () => {
  const { Cell } = cells({
    passivateAfterMs: 1_000,
    residentsMax: 1,
    busy: (state) => state.values.includes(7),
  });
  const { system, clock } = startSystem([Cell]);
  system.tell(Cell, 1, 'put', 7);
  await clock.run();
  system.tell(Cell, 1, 'leave');
  system.tell(Cell, 2, 'put', 1);
  await clock.advance(10_000);
  assert.equal(system.residents(Cell), 1);
  assert.equal(system.tellIfActive(Cell, 1, 'put', 1), true);
});

test('an actor with an armed timer is not passivated for being idle', async () => {
  const { Cell, store } = cells({ passivateAfterMs: 1_000 });
  const { system, clock } = startSystem([Cell]);
  system.tell(Cell, 1, 'arm');
  await clock.advance(9_000);
  assert.equal(system.residents(Cell), 1);
  await clock.advance(4_000);
  assert.deepEqual([system.residents(Cell), store.get(1)], [0, [99]]);
});

test('a message that comes during an async save is handled by the state loaded after it', async () => {
  const saving = gate();
  const stored: number[] = [];
  let saves = 0;
  const { Cell } = cells({
    load: () => ({ values: [...stored], busy: false }),
    save: async (state) => {
      if (saves++ === 0) await saving.wait;
      stored.splice(0, Infinity, ...state.values);
    },
  });
  const { system, clock } = startSystem([Cell]);
  system.tell(Cell, 1, 'put', 1);
  system.tell(Cell, 1, 'leave');
  await clock.run();
  system.tellIfActive(Cell, 1, 'put', 9);
  system.tell(Cell, 1, 'put', 2);
  await clock.run();
  assert.deepEqual([saves, stored], [1, []]);
  saving.open();
  await clock.run();
  system.tell(Cell, 1, 'leave');
  await clock.run();
  assert.deepEqual([system.residents(Cell), stored], [0, [1, 2]]);
});

test('a save that fails keeps the state, and is tried again', async () => {
  let broken = true;
  const saved: number[][] = [];
  const { Cell } = cells({
    passivateAfterMs: 1_000,
    save: (state) => {
      if (broken) throw new Error('disk');
      saved.push(state.values);
    },
  });
  const { system, clock, failures } = startSystem([Cell]);
  system.tell(Cell, 1, 'put', 5);
  await clock.advance(1_500);
  assert.deepEqual(
    failures.map((failure) => [failure.phase, failure.action]),
    [['save', 'keep']],
  );
  assert.equal(system.residents(Cell), 1);
  broken = false;
  await clock.advance(2_000);
  assert.deepEqual([saved, system.residents(Cell)], [[[5]], 0]);
});

test('passivate waits until the mailbox is empty', async () => {
  const { Cell, store } = cells();
  const { system, clock } = startSystem([Cell]);
  system.tell(Cell, 1, 'leave');
  system.tell(Cell, 1, 'put', 1);
  await clock.run();
  assert.deepEqual([system.residents(Cell), store.get(1)], [0, [1]]);
});

test('stop leaves at once, without save, and what waited is dead letters', async () => {
  const { Cell, log } = cells();
  const { system, clock, reasons } = startSystem([Cell]);
  system.tell(Cell, 1, 'end');
  system.tell(Cell, 1, 'put', 1);
  await clock.run();
  assert.deepEqual([reasons(), log, system.residents(Cell)], [['put 1: stopped'], ['load 1'], 0]);
  system.tell(Cell, 1, 'put', 2);
  await clock.run();
  assert.deepEqual(log, ['load 1', 'load 1'], 'the id can be activated anew');
});

test('hooks are told of activation and passivation', async () => {
  const { Cell } = cells();
  const log: unknown[] = [];
  const { system, clock } = startSystem([Cell], {
    hooks: {
      activated: (name, id) => log.push(`activated ${name}/${id}`),
      passivated: (name, id) => log.push(`passivated ${name}/${id}`),
    },
  });
  system.tell(Cell, 1, 'leave');
  await clock.run();
  assert.deepEqual(log, ['activated cell/1', 'passivated cell/1']);
});

test('the idle time of an actor begins when its async handler ends', async () => {
  const held = gate();
  const Waiter = kind({
    name: 'waiter',
    messages: { wait: tell<Promise<void>>() },
    passivateAfterMs: 1_000,
    load: () => null,
    on: { wait: (_state, promise) => promise },
  });
  const { system, clock } = startSystem([Waiter]);
  system.tell(Waiter, 1, 'wait', held.wait);
  await clock.advance(5_000);
  held.open();
  await clock.advance(900);
  assert.equal(system.residents(Waiter), 1);
  await clock.advance(200);
  assert.equal(system.residents(Waiter), 0);
});
