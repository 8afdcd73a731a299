import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, AskFailed, AskTimeout, kind, tell } from '../../src/actor/index.ts';
import { gate, startSystem } from './support/system.ts';

function answers() {
  const runs: string[] = [];
  const Answers = kind({
    name: 'answers',
    messages: {
      now: ask<string, string>(),
      later: ask<Promise<string>, string>(),
      fail: ask<unknown, never>(),
      hold: tell<Promise<void>>(),
      both: ask<number, number>(),
    },
    load: () => null,
    on: {
      now(_state, text) {
        runs.push(text);
        return text.toUpperCase();
      },
      later: async (_state, text) => text,
      fail: async (_state, error) => {
        throw error;
      },
      hold: (_state, wait) => wait,
      both: (_state, n, ctx): number | Promise<number> =>
        n === 0 ? 0 : ctx.system.ask(Answers, n - 1, 'both', n - 1),
    },
  });
  return { Answers, runs };
}

test('an ask resolves to what the handler returns, or what its promise resolves to', async () => {
  const { Answers } = answers();
  const { system, clock } = startSystem([Answers]);
  const now = system.ask(Answers, 1, 'now', 'a');
  const later = system.ref(Answers, 1).ask('later', Promise.resolve('b'));
  const through = system.ask(Answers, 3, 'both', 3);
  await clock.run();
  assert.deepEqual(await Promise.all([now, later, through]), ['A', 'b', 0]);
  assert.equal(clock.armed, 0, 'no deadline is left');
});

test('an ask times out, and is a dead letter instead of being run late', async () => {
  const { Answers, runs } = answers();
  const { system, clock, reasons } = startSystem([Answers]);
  const held = gate();
  system.tell(Answers, 1, 'hold', held.wait);
  const late = system.ask(Answers, 1, 'now', 'late', { timeoutMs: 50 });
  const timed = assert.rejects(late, (error: Error) => error instanceof AskTimeout && error.timeoutMs === 50);
  await clock.advance(50);
  await timed;
  held.open();
  await clock.run();
  assert.deepEqual([runs, reasons()], [[], ['now late: expired']]);
});

test('an ask times out while its handler runs, whose answer is ignored', async () => {
  const { Answers } = answers();
  const { system, clock } = startSystem([Answers]);
  const answer = gate<string>();
  const timed = assert.rejects(system.ask(Answers, 1, 'later', answer.wait), {
    name: 'AskTimeout',
    timeoutMs: 5_000,
  });
  await clock.advance(5_000);
  await timed;
  answer.open('too late');
  await clock.run();
  assert.equal(system.residents(Answers), 1);
});

test("aborting rejects with the signal's reason, and a waiting ask is not run", async () => {
  const { Answers, runs } = answers();
  const { system, clock, reasons } = startSystem([Answers]);
  const held = gate();
  const abort = new AbortController();
  system.tell(Answers, 1, 'hold', held.wait);
  const aborted = assert.rejects(
    system.ask(Answers, 1, 'now', 'x', { signal: abort.signal }),
    /changed my mind/,
  );
  await clock.run();
  abort.abort(new Error('changed my mind'));
  await aborted;
  held.open();
  await clock.run();
  const already = assert.rejects(
    system.ask(Answers, 1, 'now', 'y', { signal: abort.signal }),
    /changed my mind/,
  );
  await clock.run();
  await already;
  assert.deepEqual([runs, reasons()], [[], ['now x: expired', 'now y: expired']]);
});

test("a handler's error reaches the asker as AskFailed, with message and code", async () => {
  const { Answers } = answers();
  const { system, clock } = startSystem([Answers]);
  const cause = Object.assign(new Error('no such group'), { code: 'E_GROUP' });
  const failed = system.ask(Answers, 1, 'fail', cause).catch((error: unknown) => error);
  await clock.advance(200);
  const error = await failed;
  assert.ok(error instanceof AskFailed);
  assert.deepEqual([error.message, error.code, error.cause], ['no such group', 'E_GROUP', cause]);
  const other = assert.rejects(system.ask(Answers, 1, 'fail', 'a string'), {
    message: 'a string',
    code: undefined,
  });
  await clock.run();
  await other;
});

test('asks that wait are bounded', async () => {
  const { Answers } = answers();
  const { system, clock, reasons } = startSystem([Answers], { asksMax: 1 });
  const first = system.ask(Answers, 1, 'now', 'a');
  await assert.rejects(system.ask(Answers, 1, 'now', 'b'), { name: 'AskRefused', reason: 'mailbox_full' });
  await clock.run();
  assert.equal(await first, 'A');
  assert.deepEqual(reasons(), ['now b: mailbox_full']);
  const again = system.ask(Answers, 1, 'now', 'c');
  await clock.run();
  assert.equal(await again, 'C');
});

test('asks of unknown kinds and messages are refused', async () => {
  const { Answers } = answers();
  const { system } = startSystem([]);
  const known = startSystem([Answers]);
  await assert.rejects(system.ask(Answers, 1, 'now', 'a'), { name: 'AskRefused', reason: 'unknown_kind' });
  await assert.rejects(known.system.ask(Answers as any, 1, 'nothing'), { reason: 'unknown_message' });
});
