import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actorLimits, type Address, ask, AskFailed, kind } from '../../src/actor/index.ts';
import { startPair } from './support/pair.ts';
import { gate, startSystem, until } from './support/system.ts';

type Path = readonly number[];

/** Actors that ask each other along a path of ids. */
function askers() {
  const held = gate();
  const Asker = kind({
    name: 'asker',
    messages: {
      /** Before its first await. */
      go: ask<Path, string>(),
      /** After it. */
      late: ask<Path, string>(),
      /** Goes on once the test lets it. */
      held: ask<Path, string>(),
      /** Does not wait for what it asks. */
      loose: ask<Address, string>(),
      hi: ask<void, string>(),
    },
    supervise: { strategy: 'resume' },
    load: () => null,
    on: {
      go: (_state, [next, ...rest], ctx): Promise<string> | string =>
        next === undefined ? 'end' : ctx.system.ask(Asker, next, 'go', rest),
      async late(_state, [next, ...rest], ctx): Promise<string> {
        await Promise.resolve();
        return next === undefined ? 'end' : ctx.ask(ctx.system.ref(Asker, next), 'late', rest);
      },
      async held(_state, [next, ...rest], ctx): Promise<string> {
        await held.wait;
        return next === undefined ? 'end' : ctx.ask(ctx.system.ref(Asker, next), 'held', rest);
      },
      loose(_state, other, ctx) {
        ctx.system
          .refTo(other)
          .ask('go', [1])
          .catch(() => {});
        return 'done';
      },
      hi: () => 'hi',
    },
  });
  return { Asker, held };
}

const cycle = (error: unknown): boolean => {
  assert.ok(error instanceof AskFailed);
  assert.match(error.message, /refused: cycle/);
  return true;
};

for (const message of ['go', 'late'] as const) {
  for (const path of [[1], [2, 1], [2, 3, 1], [2, 3, 2]]) {
    test(`an ask that waits on itself is refused at once: ${message} 1 > ${path.join(' > ')}`, async () => {
      const { Asker } = askers();
      const { system, clock, reasons } = startSystem([Asker]);
      const refused = assert.rejects(system.ask(Asker, 1, message, path), cycle);
      await clock.run();
      await refused;
      assert.ok(reasons().some((line) => line.endsWith('cycle')));
    });
  }
}

test('a chain of asks without a cycle is answered, and so is each of its actors afterwards', async () => {
  const { Asker } = askers();
  const { system, clock } = startSystem([Asker]);
  const answers = Promise.all([system.ask(Asker, 1, 'go', [2, 3]), system.ask(Asker, 3, 'go', [4])]);
  await clock.run();
  assert.deepEqual(await answers, ['end', 'end']);
});

test('two actors that ask each other in handlers of their own are a cycle as well', async () => {
  const { Asker, held } = askers();
  const { system, clock } = startSystem([Asker]);
  const settled = Promise.allSettled([system.ask(Asker, 1, 'held', [2]), system.ask(Asker, 2, 'held', [1])]);
  await clock.run();
  held.open();
  await clock.run();
  const results = await settled;
  const refused = results.filter((result) => result.status === 'rejected');
  assert.equal(refused.length, 1, 'one is refused, and so the other one is answered');
  cycle(refused[0]?.reason);
});

test('an actor that does not wait for its ask is no part of a cycle', async () => {
  const { Asker } = askers();
  const { system, clock, reasons } = startSystem([Asker]);
  const done = system.ask(Asker, 1, 'loose', { kind: 'asker', id: 2 });
  await clock.run();
  assert.deepEqual([await done, reasons()], ['done', []]);
});

test('a cycle is refused across threads', async () => {
  const { Asker } = askers();
  const { one, connect, stop } = startPair([Asker], (_kind, id) => 1 + (Number(id) % 2), {
    onFailure: () => {},
  });
  connect();
  await assert.rejects(one.system.ask(Asker, 1, 'go', [2, 3, 4, 1]), cycle);
  await assert.rejects(one.system.ask(Asker, 2, 'late', [1, 2]), cycle);
  assert.equal(await one.system.ask(Asker, 1, 'go', [2, 3, 4]), 'end');
  await stop();
});

test('two actors of two threads that ask each other in handlers of their own are refused', async () => {
  const { Asker, held } = askers();
  const { one, two, connect, stop } = startPair([Asker], (_kind, id) => 1 + (Number(id) % 2), {
    onFailure: () => {},
  });
  connect();
  const settled = Promise.allSettled([
    one.system.ask(Asker, 2, 'held', [1]),
    two.system.ask(Asker, 1, 'held', [2]),
  ]);
  await until(() => one.system.residents(Asker) + two.system.residents(Asker) === 2);
  held.open();
  const refused = (await settled).filter((result) => result.status === 'rejected');
  assert.ok(refused.length > 0);
  for (const { reason } of refused) cycle(reason);
  await stop();
});

test('no more than askDepthMax asks wait in a row', async () => {
  const { Asker } = askers();
  const { system, clock } = startSystem([Asker]);
  const path = (length: number): number[] => Array.from({ length }, (_, n) => n);
  const most = system.ask(Asker, 'first', 'go', path(actorLimits.askDepthMax));
  const more = assert.rejects(system.ask(Asker, 'second', 'go', path(actorLimits.askDepthMax + 2)), cycle);
  await clock.run();
  assert.equal(await most, 'end');
  await more;
});

test('an ask that is made while an ask is handled ends with it', async () => {
  const { Asker, held } = askers();
  const { system, clock } = startSystem([Asker]);
  const asked = assert.rejects(system.ask(Asker, 1, 'late', [2], { timeoutMs: 50 }), { name: 'AskTimeout' });
  const busy = system.ask(Asker, 2, 'held', []);
  await clock.run();
  await clock.advance(50);
  await asked;
  held.open();
  await clock.run();
  assert.equal(await busy, 'end');
  const hi = system.ask(Asker, 1, 'hi');
  await clock.run();
  assert.equal(await hi, 'hi', 'the actor in between does not wait any longer either');
});
