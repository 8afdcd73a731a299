import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, kind, tell } from '../../src/actor/index.ts';
import { startSystem } from './support/system.ts';

const messages = { run: tell<(ctx: Context<any, unknown>) => void>(), tick: tell<string>() };

function ticking() {
  const ticks: string[] = [];
  const Ticking = kind({
    name: 'ticking',
    messages,
    load: () => null,
    on: {
      run: (_state, step, ctx) => step(ctx),
      tick: (_state, name) => void ticks.push(name),
    },
  });
  return { Ticking, ticks, ...startSystem([Ticking]) };
}

test('once fires once, every fires each period until it is cancelled', async () => {
  const { Ticking, ticks, system, clock } = ticking();
  system.tell(Ticking, 1, 'run', ({ timers }) => {
    timers.once('a', 15, 'tick', 'once');
    timers.every('b', 10, 'tick', 'every');
  });
  await clock.advance(35);
  assert.deepEqual(ticks, ['every', 'once', 'every', 'every']);
  system.tell(Ticking, 1, 'run', ({ timers }) => timers.cancel('b'));
  await clock.advance(100);
  assert.equal(ticks.length, 4);
  assert.equal(clock.armed, 0);
});

test('a timer of the same name is replaced', async () => {
  const { Ticking, ticks, system, clock } = ticking();
  system.tell(Ticking, 1, 'run', ({ timers }) => {
    timers.once('a', 10, 'tick', 'first');
    timers.once('a', 20, 'tick', 'second');
  });
  await clock.advance(50);
  assert.deepEqual(ticks, ['second']);
});

for (const leave of ['stop', 'passivate'] as const) {
  test(`timers are cancelled on ${leave}, and a context that is kept arms none`, async () => {
    const { Ticking, ticks, system, clock } = ticking();
    let kept: Context<any, unknown> | undefined;
    system.tell(Ticking, 1, 'run', (ctx) => {
      kept = ctx;
      ctx.timers.every('a', 10, 'tick', 'x');
      ctx[leave]();
    });
    await clock.run();
    kept?.timers.once('b', 10, 'tick', 'ghost');
    kept?.stop();
    await clock.advance(100);
    assert.deepEqual([ticks, clock.armed, system.residents(Ticking)], [[], 0, 0]);
  });
}

test('unknown messages and impossible times are programmer errors', async () => {
  const { Ticking, system, clock, failures } = ticking();
  const steps: ((ctx: Context<any, unknown>) => void)[] = [
    ({ timers }) => timers.once('a', 10, 'nothing'),
    ({ timers }) => timers.once('a', 2 ** 31, 'tick', 'x'),
    ({ timers }) => timers.every('a', 0, 'tick', 'x'),
  ];
  for (const [id, step] of steps.entries()) system.tell(Ticking, id, 'run', step);
  await clock.run();
  assert.deepEqual(
    failures.map(({ error }) => (error as Error).name),
    ['TypeError', 'RangeError', 'RangeError'],
  );
});
