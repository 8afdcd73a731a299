import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, kind, type Strategy, tell } from '../../src/actor/index.ts';
import { startSystem } from './support/system.ts';

/** A door that keeps visitors aside until it is opened. */
function doors(stashMax?: number, strategy: Strategy = 'restart') {
  const seen: string[] = [];
  const Door = kind({
    name: 'door',
    messages: {
      open: tell(),
      visit: ask<string, string>(),
      slow: ask<string, string>(),
      put: tell<string>(),
      crash: tell(),
      end: tell(),
    },
    ...(stashMax === undefined ? {} : { stashMax }),
    passivateAfterMs: 1_000,
    supervise: { strategy },
    load: () => ({ open: false }),
    on: {
      open(state, _message, ctx) {
        state.open = true;
        ctx.unstash();
      },
      visit(state, name, ctx) {
        if (!state.open && ctx.stash()) return 'nobody sees this';
        seen.push(name);
        return state.open ? `welcome ${name}` : 'too many';
      },
      async slow(state, name, ctx) {
        await Promise.resolve();
        if (!state.open) ctx.stash();
        return `slowly ${name}`;
      },
      put(state, name, ctx) {
        if (!state.open) ctx.stash();
        else seen.push(name);
      },
      crash() {
        throw new Error('crash');
      },
      end: (_state, _message, ctx) => ctx.stop(),
    },
  });
  return { Door, seen, ...startSystem([Door]) };
}

test('what is stashed is handled after unstash, in its order and before what came later', async () => {
  const { Door, seen, system, clock } = doors();
  const first = system.ask(Door, 1, 'visit', 'a');
  system.tell(Door, 1, 'put', 'b');
  await clock.run();
  assert.deepEqual(seen, []);
  system.tell(Door, 1, 'open');
  system.tell(Door, 1, 'put', 'c');
  await clock.run();
  assert.deepEqual([await first, seen], ['welcome a', ['a', 'b', 'c']]);
});

test('an async handler stashes too, after it waited', async () => {
  const { Door, system, clock } = doors();
  const slow = system.ask(Door, 1, 'slow', 'a');
  await clock.run();
  system.tell(Door, 1, 'open');
  await clock.run();
  assert.equal(await slow, 'slowly a');
});

test('stash returns false when stashMax messages are there', async () => {
  const { Door, seen, system, clock } = doors(2);
  const visits = ['a', 'b', 'c'].map((name) => system.ask(Door, 1, 'visit', name));
  await clock.run();
  assert.deepEqual([await visits[2], seen], ['too many', ['c']]);
  system.tell(Door, 1, 'open');
  await clock.run();
  assert.deepEqual(await Promise.all(visits), ['welcome a', 'welcome b', 'too many']);
});

test('an actor with a stash stays in memory', async () => {
  const { Door, system, clock } = doors();
  system.tell(Door, 1, 'put', 'a');
  await clock.advance(5_000);
  assert.equal(system.residents(Door), 1);
  system.tell(Door, 1, 'open');
  await clock.advance(5_000);
  assert.equal(system.residents(Door), 0);
});

test('a restart unstashes', async () => {
  const { Door, seen, system, clock } = doors();
  system.tell(Door, 1, 'put', 'a');
  system.tell(Door, 1, 'crash');
  system.tell(Door, 1, 'open');
  await clock.advance(1_000);
  system.tell(Door, 1, 'open');
  await clock.run();
  assert.deepEqual(seen, ['a']);
});

for (const [how, strategy] of [
  ['end', 'restart'],
  ['crash', 'stop'],
] as const) {
  test(`what is stashed when the actor stops becomes dead letters: ${how}`, async () => {
    const { Door, system, clock, reasons } = doors(10, strategy);
    const visit = assert.rejects(system.ask(Door, 1, 'visit', 'a'), { reason: 'stopped' });
    system.tell(Door, 1, 'put', 'b');
    system.tell(Door, 1, how);
    await clock.run();
    await visit;
    assert.deepEqual(
      reasons().filter((line) => line.endsWith('stopped')),
      ['visit a: stopped', 'put b: stopped'],
    );
  });
}

test('an ask that expires in the stash is not run', async () => {
  const { Door, seen, system, clock, reasons } = doors();
  const visit = assert.rejects(system.ask(Door, 1, 'visit', 'a', { timeoutMs: 50 }), { name: 'AskTimeout' });
  await clock.advance(50);
  await visit;
  system.tell(Door, 1, 'open');
  await clock.run();
  assert.deepEqual([seen, reasons()], [[], ['visit a: expired']]);
});

test('a system that stops gives up what is stashed, and saves the rest', async () => {
  const { Door, system, clock, reasons } = doors();
  system.tell(Door, 1, 'put', 'a');
  await clock.run();
  const stopped = system.stop();
  await clock.run();
  assert.deepEqual([await stopped, reasons()], [true, ['put a: stopped']]);
});
