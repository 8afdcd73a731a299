import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, kind, reportFailure, type Supervise, tell } from '../../src/actor/index.ts';
import { gate, startSystem } from './support/system.ts';

function fragile(supervise: Partial<Supervise> = {}, load: () => { sum: number } = () => ({ sum: 0 })) {
  return kind({
    name: 'fragile',
    messages: { add: tell<number>(), crash: tell<'sync' | 'async'>(), sum: ask<void, number>(), arm: tell() },
    supervise,
    load,
    on: {
      add: (state, n) => void (state.sum += n),
      crash(_state, how) {
        if (how === 'async') return Promise.reject(new Error('async'));
        throw new Error('sync');
      },
      sum: (state) => state.sum,
      arm: (_state, _message, ctx) => ctx.timers.every('tick', 10, 'add', 1),
    },
  });
}

for (const how of ['sync', 'async'] as const) {
  test(`restart drops the state, keeps the mailbox and waits for the back-off (${how})`, async () => {
    const Fragile = fragile();
    const { system, clock, reasons, failures } = startSystem([Fragile]);
    system.tell(Fragile, 1, 'add', 5);
    system.tell(Fragile, 1, 'crash', how);
    system.tell(Fragile, 1, 'add', 2);
    const sum = system.ask(Fragile, 1, 'sum');
    await clock.advance(99);
    system.tell(Fragile, 1, 'add', 100);
    assert.equal(failures[0]?.action, 'restart');
    assert.deepEqual(reasons(), [`crash ${how}: failed`]);
    await clock.advance(1);
    assert.equal(await sum, 2);
    assert.equal(system.residents(Fragile), 1);
  });
}

test('back-off doubles up to its maximum, spread by jitter', async () => {
  const loads: number[] = [];
  const Fragile = fragile({ backoffMsMin: 100, backoffMsMax: 300, jitter: 0.5, restartsMax: 4 }, () => {
    loads.push(clock.now());
    throw new Error('load');
  });
  const { system, clock, failures } = startSystem([Fragile], { random: () => 1 });
  system.tell(Fragile, 1, 'add', 1);
  await clock.advance(60_000);
  assert.deepEqual(
    loads.map((time, at) => time - (loads[at - 1] ?? time)),
    [0, 150, 300, 450, 450],
  );
  assert.deepEqual(
    failures.map(({ phase, action }) => `${phase} ${action}`),
    ['load restart', 'load restart', 'load restart', 'load restart', 'load stop'],
  );
});

test('a spent budget stops the actor: its mailbox is dead letters, its id can be activated anew', async () => {
  const Fragile = fragile({ restartsMax: 1 });
  const { system, clock, reasons } = startSystem([Fragile]);
  system.tell(Fragile, 1, 'crash', 'sync');
  system.tell(Fragile, 1, 'crash', 'sync');
  system.tell(Fragile, 1, 'add', 1);
  const sum = assert.rejects(system.ask(Fragile, 1, 'sum'), { name: 'AskRefused', reason: 'stopped' });
  await clock.advance(1_000);
  await sum;
  assert.deepEqual(reasons(), [
    'crash sync: failed',
    'crash sync: failed',
    'add 1: stopped',
    'sum undefined: stopped',
  ]);
  assert.equal(system.residents(Fragile), 0);
  const again = system.ask(Fragile, 1, 'sum');
  await clock.run();
  assert.equal(await again, 0);
});

test('restarts before the window do not count against the budget', async () => {
  const Fragile = fragile({ restartsMax: 1, withinMs: 1_000 });
  const { system, clock, failures } = startSystem([Fragile]);
  for (let n = 0; n < 3; n++) {
    system.tell(Fragile, 1, 'crash', 'sync');
    await clock.advance(1_500);
  }
  assert.deepEqual(
    failures.map((failure) => failure.action),
    ['restart', 'restart', 'restart'],
  );
});

test('resume keeps the state and goes on with the next message', async () => {
  const Fragile = fragile({ strategy: 'resume' });
  const { system, clock, reasons } = startSystem([Fragile]);
  system.tell(Fragile, 1, 'add', 5);
  system.tell(Fragile, 1, 'crash', 'sync');
  system.tell(Fragile, 1, 'crash', 'async');
  system.tell(Fragile, 1, 'add', 2);
  const sum = system.ask(Fragile, 1, 'sum');
  await clock.run();
  assert.equal(await sum, 7);
  assert.deepEqual(reasons(), ['crash sync: failed', 'crash async: failed']);
});

test('stop ends the actor at its first failure', async () => {
  const Fragile = fragile({ strategy: 'stop' });
  const { system, clock, reasons } = startSystem([Fragile]);
  system.tell(Fragile, 1, 'crash', 'async');
  system.tell(Fragile, 1, 'add', 1);
  await clock.run();
  assert.deepEqual([system.residents(Fragile), reasons()], [0, ['crash async: failed', 'add 1: stopped']]);
});

test('escalate stops the actor and tells onFailure that it is fatal', async () => {
  const Fragile = fragile({ strategy: 'escalate' });
  const { system, clock, failures } = startSystem([Fragile]);
  system.tell(Fragile, 1, 'crash', 'sync');
  await clock.run();
  assert.deepEqual(
    failures.map(({ kind: name, id, phase, message, action, fatal }) => [
      name,
      id,
      phase,
      message,
      action,
      fatal,
    ]),
    [['fragile', 1, 'handler', 'crash', 'escalate', true]],
  );
  assert.equal(system.residents(Fragile), 0);
});

test('a restart cancels timers', async () => {
  const Fragile = fragile();
  const { system, clock } = startSystem([Fragile]);
  system.tell(Fragile, 1, 'arm');
  await clock.advance(35);
  system.tell(Fragile, 1, 'crash', 'sync');
  await clock.advance(1_000);
  const sum = system.ask(Fragile, 1, 'sum');
  await clock.run();
  assert.equal(await sum, 0);
  assert.equal(clock.armed, 0);
});

test('by default a failure is a process warning, and a fatal one is thrown in the thread', async () => {
  const Fragile = fragile({ strategy: 'escalate' });
  const warned = gate<Error>();
  const thrown = gate<unknown>();
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', thrown.open);
  process.once('warning', warned.open);
  const { system, clock } = startSystem([Fragile], { onFailure: reportFailure });
  system.tell(Fragile, 1, 'crash', 'sync');
  await clock.run();
  assert.match(String(await thrown.wait), /sync/);
  for (const listener of listeners) process.on('uncaughtException', listener);

  const failure = {
    kind: 'k',
    id: 1,
    phase: 'handler',
    message: 'm',
    error: 'why',
    action: 'restart',
    fatal: false,
  } as const;
  reportFailure(failure);
  assert.match((await warned.wait).message, /k\/1 failed in 'm' \(restart\): why/);
});
