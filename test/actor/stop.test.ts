import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, kind, tell } from '../../src/actor/index.ts';
import { gate, startSystem } from './support/system.ts';

function ledgers(save?: (values: number[]) => void | Promise<void>) {
  const saved: Record<string, number[]> = {};
  const Ledger = kind({
    name: 'ledger',
    messages: {
      put: tell<number>(),
      hold: tell<Promise<void>>(),
      crash: tell(),
      sum: ask<void, number>(),
      arm: tell(),
    },
    passivateAfterMs: 60_000,
    busy: () => true,
    load: async (): Promise<number[]> => [],
    save: (values, ctx) => {
      saved[ctx.id] = values;
      return save?.(values);
    },
    on: {
      put: (values, value) => void values.push(value),
      hold: (_values, wait) => wait,
      crash() {
        throw new Error('crash');
      },
      sum: (values) => values.reduce((a, b) => a + b, 0),
      arm: (_values, _message, ctx) => ctx.timers.every('tick', 10, 'put', 9),
    },
  });
  return { Ledger, saved, ...startSystem([Ledger]) };
}

test('stop drains the mailboxes and saves everybody, busy ones too', async () => {
  const { Ledger, saved, system, clock } = ledgers();
  const held = gate();
  system.tell(Ledger, 'idle', 'put', 1);
  system.tell(Ledger, 'held', 'hold', held.wait);
  await clock.run();
  system.tell(Ledger, 'held', 'put', 2);
  system.tell(Ledger, 'fresh', 'put', 3);
  const stopped = system.stop();
  await clock.run();
  held.open();
  await clock.run();
  assert.equal(await stopped, true);
  assert.deepEqual(saved, { idle: [1], fresh: [3], held: [2] });
  assert.deepEqual([system.residents(Ledger), clock.armed], [0, 0]);
});

test('a system that stops takes nothing more', async () => {
  const { Ledger, system, clock, reasons } = ledgers();
  const stopped = system.stop();
  assert.equal(system.tell(Ledger, 1, 'put', 1), false);
  await assert.rejects(system.ask(Ledger, 1, 'sum'), { name: 'AskRefused', reason: 'stopped' });
  await clock.run();
  assert.equal(await stopped, true);
  assert.equal(system.tell(Ledger, 1, 'put', 2), false);
  assert.deepEqual(reasons(), ['put 1: stopped', 'sum undefined: stopped', 'put 2: stopped']);
  assert.equal(system.stop(), system.stop());
});

test('what does not end in time is dropped: dead letters, refused asks', async () => {
  const { Ledger, saved, system, clock, reasons } = ledgers();
  const held = gate();
  system.tell(Ledger, 1, 'hold', held.wait);
  await clock.run();
  const sum = assert.rejects(system.ask(Ledger, 1, 'sum', undefined, { timeoutMs: 60_000 }), {
    reason: 'stopped',
  });
  const stopped = system.stop({ timeoutMs: 100 });
  await clock.advance(100);
  assert.equal(await stopped, false);
  await sum;
  held.open();
  await clock.run();
  assert.deepEqual([saved, reasons(), clock.armed], [{}, ['sum undefined: stopped'], 0]);
});

test('stop waits for async saves, and a failed one does not hold it up', async () => {
  const saving = gate();
  const { Ledger, system, clock, failures } = ledgers((values) => {
    if (values[0] === 1) throw new Error('disk');
    return saving.wait;
  });
  system.tell(Ledger, 1, 'put', 1);
  system.tell(Ledger, 2, 'put', 2);
  await clock.run();
  let done = false;
  const stopped = system.stop().then((complete) => (done = complete));
  await clock.run();
  assert.equal(done, false);
  saving.open();
  await clock.run();
  await stopped;
  assert.deepEqual([done, failures.map((failure) => failure.phase)], [true, ['save']]);
});

test('stop cancels timers and does not wait for a back-off', async () => {
  const { Ledger, saved, system, clock, reasons } = ledgers();
  system.tell(Ledger, 'timer', 'arm');
  system.tell(Ledger, 'crashed', 'crash');
  system.tell(Ledger, 'crashed', 'put', 1);
  await clock.run();
  const stopped = system.stop();
  await clock.run();
  assert.equal(await stopped, true);
  assert.deepEqual(
    [saved, reasons(), clock.armed],
    [{ timer: [] }, ['crash undefined: failed', 'put 1: stopped'], 0],
  );
});
