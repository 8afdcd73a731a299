import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actorLimits, args, ask, kind, type Ref, type Strategy, tell } from '../../src/actor/index.ts';
import { gate, startSystem } from './support/system.ts';

const workerMessages = { work: tell<number>(), crash: tell(), end: tell(), sum: ask<void, number>() };
type Worker = Ref<typeof workerMessages>;

/** A boss that spawns workers, and what happened to them. */
function firm(strategy: Strategy = 'restart', boss: Strategy = 'restart') {
  const log: string[] = [];
  const workers: Worker[] = [];
  const Worker = kind({
    name: 'worker',
    args: args<{ readonly name: string }>(),
    messages: workerMessages,
    supervise: { strategy },
    load: (ctx) => {
      log.push(`load ${ctx.args.name}`);
      return { sum: 0 };
    },
    save: (_state, ctx) => void log.push(`save ${ctx.args.name}`),
    on: {
      work: (state, n) => void (state.sum += n),
      crash() {
        throw new Error('crash');
      },
      end: (_state, _message, ctx) => ctx.stop(),
      sum: (state) => state.sum,
    },
  });
  const Boss = kind({
    name: 'boss',
    messages: {
      hire: tell<string>(),
      leave: tell(),
      quit: tell(),
      crash: tell(),
      hold: tell<Promise<void>>(),
    },
    passivateAfterMs: 1_000,
    supervise: { strategy: boss },
    load: () => null,
    on: {
      hire: (_state, name, ctx) => void workers.push(ctx.spawn(Worker, { name })),
      leave: (_state, _message, ctx) => ctx.passivate(),
      quit: (_state, _message, ctx) => ctx.stop(),
      crash() {
        throw new Error('boss');
      },
      hold: (_state, wait) => wait,
    },
  });
  const started = startSystem([Boss, Worker]);
  const hire = async (name: string): Promise<Worker> => {
    started.system.tell(Boss, 1, 'hire', name);
    await started.clock.run();
    return workers.at(-1)!;
  };
  return { Boss, Worker, hire, log, ...started };
}

test('a child is told and asked by its ref, and loads with what it was spawned with', async () => {
  const { hire, log, clock } = firm();
  const ann = await hire('ann');
  const bob = await hire('bob');
  ann.tell('work', 2);
  ann.tell('work', 3);
  bob.tell('work', 7);
  const sums = Promise.all([ann.ask('sum'), bob.ask('sum')]);
  await clock.run();
  assert.deepEqual(await sums, [5, 7]);
  assert.deepEqual(log, ['load ann', 'load bob']);
  assert.equal(ann.equals(bob), false);
});

test('what is told to a child that has stopped is a dead letter, and activates nothing', async () => {
  const { Worker, hire, system, clock, reasons } = firm();
  const ann = await hire('ann');
  ann.tell('end');
  await clock.run();
  assert.equal(ann.tell('work', 1), false);
  await assert.rejects(ann.ask('sum'), { name: 'AskRefused', reason: 'stopped' });
  assert.deepEqual([reasons(), system.residents(Worker)], [['work 1: stopped', 'sum undefined: stopped'], 0]);
});

for (const end of ['quit', 'leave', 'crash'] as const) {
  test(`children end when their parent does: ${end}`, async () => {
    const { Boss, Worker, hire, system, clock, reasons } = firm();
    const ann = await hire('ann');
    system.tell(Boss, 1, end);
    ann.tell('work', 1);
    await clock.run();
    assert.equal(system.residents(Worker), 0);
    assert.ok(reasons().includes('work 1: stopped'));
    assert.equal(ann.tell('work', 2), false);
  });
}

test('an actor with children is not passivated for being idle', async () => {
  const { Boss, hire, system, clock } = firm();
  const ann = await hire('ann');
  await clock.advance(5_000);
  assert.equal(system.residents(Boss), 1);
  ann.tell('end');
  await clock.advance(5_000);
  assert.equal(system.residents(Boss), 0);
});

test('a child that fails restarts with the same args, and keeps its mailbox', async () => {
  const { hire, log, clock } = firm();
  const ann = await hire('ann');
  ann.tell('work', 5);
  ann.tell('crash');
  ann.tell('work', 2);
  const sum = ann.ask('sum');
  await clock.advance(200);
  assert.equal(await sum, 2);
  assert.deepEqual(log, ['load ann', 'load ann']);
});

test('a child that escalates stops, and its parent fails in its stead', async () => {
  const { Boss, Worker, hire, system, clock, failures, reasons } = firm('escalate');
  const ann = await hire('ann');
  const held = gate();
  system.tell(Boss, 1, 'hold', held.wait);
  await clock.run();
  system.tell(Boss, 1, 'hire', 'bob');
  ann.tell('crash');
  ann.tell('work', 1);
  await clock.run();
  assert.deepEqual(
    failures.map(({ kind: name, phase, action, fatal }) => `${name} ${phase} ${action} ${fatal}`),
    ['worker handler escalate false', 'boss child restart false'],
  );
  assert.deepEqual(
    reasons().filter((line) => !line.startsWith('hold')),
    ['crash undefined: failed', 'work 1: stopped'],
  );
  held.open();
  await clock.advance(200);
  assert.equal(system.residents(Worker), 1, 'the parent kept its mailbox, and hires bob');
});

test('a failure escalates as far as it is escalated, and is fatal where there is no parent', async () => {
  const { Boss, Worker, hire, system, clock, failures } = firm('escalate', 'escalate');
  const ann = await hire('ann');
  ann.tell('crash');
  await clock.run();
  assert.deepEqual(
    failures.map(({ kind: name, fatal }) => `${name} ${fatal}`),
    ['worker false', 'boss true'],
  );
  assert.deepEqual([system.residents(Boss), system.residents(Worker)], [0, 0]);
});

test('system.stop drains and saves children before their parent', async () => {
  const { hire, log, system, clock } = firm();
  const ann = await hire('ann');
  ann.tell('work', 1);
  const sum = ann.ask('sum');
  const stopped = system.stop();
  await clock.run();
  assert.equal(await sum, 1);
  assert.equal(await stopped, true);
  assert.deepEqual(log, ['load ann', 'save ann']);
});

test('a system spawns actors without a parent', async () => {
  const { Worker, system, clock } = firm();
  const ann = system.spawn(Worker, { name: 'ann' });
  ann.tell('work', 4);
  const sum = ann.ask('sum');
  await clock.run();
  assert.equal(await sum, 4);
});

test('only kinds with args are spawned, and only while there is somebody to be the parent', async () => {
  const { Boss, Worker, system } = firm();
  const Stranger = kind({ name: 'stranger', args: args(), messages: {}, load: () => null, on: {} });
  assert.throws(() => system.spawn(Boss as never), TypeError);
  assert.throws(() => system.spawn(Stranger), TypeError);
  await system.stop({ timeoutMs: 0 });
  assert.throws(() => system.spawn(Worker, { name: 'late' }), /stopped/);
});

test('an actor has no more children than childrenMax', async () => {
  let spawned = 0;
  const Child = kind({ name: 'child', args: args(), messages: {}, load: () => null, on: {} });
  const Parent = kind({
    name: 'parent',
    messages: { fill: tell() },
    supervise: { strategy: 'resume' },
    load: () => null,
    on: {
      fill(_state, _message, ctx) {
        for (;;) {
          ctx.spawn(Child);
          spawned++;
        }
      },
    },
  });
  const { system, clock, failures } = startSystem([Parent, Child]);
  system.tell(Parent, 1, 'fill');
  await clock.run();
  assert.equal(spawned, actorLimits.childrenMax);
  assert.ok(failures[0]?.error instanceof RangeError);
});
