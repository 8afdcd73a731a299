import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, type Handled, type Hooks, kind, tell } from '../../src/actor/index.ts';
import { startSystem } from './support/system.ts';

function observed(hooks: Hooks) {
  const Busy = kind({
    name: 'busy',
    messages: { quick: tell(), slow: ask<number, string>(), crash: tell() },
    load: () => null,
    on: {
      quick: () => {},
      async slow(_state, ms, ctx) {
        await ctx.sleep(ms);
        return 'done';
      },
      crash() {
        throw new Error('crash');
      },
    },
  });
  return { Busy, ...startSystem([Busy], { hooks }) };
}

test('hooks see each message: its depth before, its time, its error and its span after', async () => {
  const before: string[] = [];
  const after: Handled[] = [];
  const { Busy, system, clock } = observed({
    handling: (kind_, id, message, depth) => before.push(`${kind_}/${id} ${message} ${depth}`),
    handled: (handled) => after.push(handled),
  });
  system.tell(Busy, 1, 'quick');
  const slow = system.ask(Busy, 1, 'slow', 30);
  system.tell(Busy, 1, 'crash');
  await clock.advance(30);
  assert.equal(await slow, 'done');
  assert.deepEqual(before, ['busy/1 quick 2', 'busy/1 slow 1', 'busy/1 crash 0']);
  assert.deepEqual(
    after.map(({ message, ms, error, span }) => [message, ms, String(error), span]),
    [
      ['quick', 0, 'undefined', 1],
      ['slow', 30, 'undefined', 2],
      ['crash', 0, 'Error: crash', 3],
    ],
  );
});

test('hooks see restarts, with their number and back-off', async () => {
  const restarts: string[] = [];
  const { Busy, system, clock } = observed({
    restarted: (name, id, attempt, backoffMs) => restarts.push(`${name}/${id} ${attempt} ${backoffMs}`),
  });
  system.tell(Busy, 1, 'crash');
  system.tell(Busy, 1, 'crash');
  await clock.advance(1_000);
  assert.deepEqual(restarts, ['busy/1 1 100', 'busy/1 2 200']);
});
