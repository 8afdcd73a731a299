import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ActorId, ask, kind, type Overflow, tell } from '../../src/actor/index.ts';
import { gate, startSystem } from './support/system.ts';

/** Notes numbers; `hold` keeps the actor suspended until the test lets go. */
function notes(mailbox: { capacity?: number; overflow?: Overflow } = {}) {
  const seen: string[] = [];
  const Notes = kind({
    name: 'notes',
    messages: { note: tell<number>(), hold: tell<Promise<void>>(), size: ask<void, number>() },
    mailbox,
    load: (ctx) => ({ id: ctx.id, count: 0 }),
    on: {
      note(state, number) {
        state.count++;
        seen.push(`${state.id}:${number}`);
      },
      async hold(state, wait) {
        seen.push(`${state.id}:hold`);
        await wait;
        seen.push(`${state.id}:go`);
      },
      size: (state) => state.count,
    },
  });
  return { Notes, seen };
}

test('messages to one actor are handled in the order they were told', async () => {
  const { Notes, seen } = notes();
  const { system, clock } = startSystem([Notes]);
  for (let n = 0; n < 500; n++) system.tell(Notes, 'a', 'note', n);
  await clock.run();
  assert.deepEqual(
    seen,
    Array.from({ length: 500 }, (_, n) => `a:${n}`),
  );
});

test('a tell runs nothing of the actor before the drain', async () => {
  const { Notes, seen } = notes();
  const { system, clock } = startSystem([Notes]);
  assert.equal(system.tell(Notes, 1, 'note', 1), true);
  assert.deepEqual(seen, []);
  await clock.run();
  assert.deepEqual(seen, ['1:1']);
});

test('the ids 21 and "21" are two actors, and refs are equal by kind and id', async () => {
  const { Notes, seen } = notes();
  const { system, clock } = startSystem([Notes]);
  const [number, string] = [system.ref(Notes, 21), system.ref(Notes, '21')];
  number.tell('note', 1);
  string.tell('note', 2);
  await clock.run();
  assert.equal(system.residents(Notes), 2);
  assert.deepEqual(seen, ['21:1', '21:2']);
  assert.equal(number.equals(system.ref(Notes, 21)), true);
  assert.equal(number.equals(string), false);
  assert.equal(String(number), 'notes/21');
});

test('making a ref activates nothing', async () => {
  const { Notes } = notes();
  const { system, clock } = startSystem([Notes]);
  system.ref(Notes, 1);
  await clock.run();
  assert.equal(system.residents(Notes), 0);
});

test('an async handler is never interleaved with another message of its actor', async () => {
  const { Notes, seen } = notes();
  const { system, clock } = startSystem([Notes]);
  const held = gate();
  system.tell(Notes, 'a', 'hold', held.wait);
  system.tell(Notes, 'a', 'note', 1);
  system.tell(Notes, 'b', 'note', 2);
  await clock.run();
  assert.deepEqual(seen, ['a:hold', 'b:2']);
  held.open();
  await clock.run();
  assert.deepEqual(seen, ['a:hold', 'b:2', 'a:go', 'a:1']);
});

for (const [overflow, taken, kept, dead] of [
  ['reject', [true, true, false], ['a:1', 'a:2'], ['note 3: mailbox_full']],
  ['drop-newest', [true, true, true], ['a:1', 'a:2'], ['note 3: dropped']],
  ['drop-oldest', [true, true, true], ['a:2', 'a:3'], ['note 1: dropped']],
] as const) {
  test(`a full mailbox follows its rule: ${overflow}`, async () => {
    const { Notes, seen } = notes({ capacity: 2, overflow });
    const { system, clock, reasons } = startSystem([Notes]);
    assert.deepEqual(
      [1, 2, 3].map((n) => system.tell(Notes, 'a', 'note', n)),
      taken,
    );
    await clock.run();
    assert.deepEqual(seen, kept);
    assert.deepEqual(reasons(), dead);
  });

  test(`an ask that a full mailbox gives up is refused: ${overflow}`, async () => {
    const { Notes } = notes({ capacity: 1, overflow });
    const { system, clock } = startSystem([Notes]);
    const asks = [system.ask(Notes, 'a', 'size'), system.ask(Notes, 'a', 'size')];
    const settled = Promise.allSettled(asks);
    await clock.run();
    const refused = (await settled).map((result) => result.status === 'rejected' && result.reason.reason);
    assert.deepEqual(refused, overflow === 'drop-oldest' ? ['mailbox_full', false] : [false, 'mailbox_full']);
  });
}

test('the mailbox of a suspended actor is bounded as well', async () => {
  const { Notes } = notes({ capacity: 3 });
  const { system, clock } = startSystem([Notes]);
  const held = gate();
  system.tell(Notes, 'a', 'hold', held.wait);
  await clock.run();
  assert.deepEqual(
    [1, 2, 3, 4].map((n) => system.tell(Notes, 'a', 'note', n)),
    [true, true, true, false],
  );
  held.open();
  await clock.run();
  assert.equal(system.tell(Notes, 'a', 'note', 5), true);
});

test('tellIfActive reaches an actor in memory, and one that is on its way into it', async () => {
  const { Notes, seen } = notes();
  const { system, clock } = startSystem([Notes]);
  system.tell(Notes, 'a', 'note', 1);
  system.tellIfActive(Notes, 'a', 'note', 2);
  await clock.run();
  system.ref(Notes, 'a').tellIfActive('note', 3);
  await clock.run();
  assert.deepEqual(seen, ['a:1', 'a:2', 'a:3']);
});

test('tellIfActive to an actor that is not in memory is dropped without a trace', async () => {
  const { Notes, seen } = notes();
  const { system, clock, letters } = startSystem([Notes]);
  assert.equal(system.tellIfActive(Notes, 'a', 'note', 1), true);
  await clock.run();
  assert.deepEqual([seen, letters, system.residents(Notes)], [[], [], 0]);
});

test('unknown kinds and messages are dead letters and not taken', () => {
  const { Notes } = notes();
  const { system, letters } = startSystem([]);
  const other = startSystem([Notes]);
  assert.equal(system.tell(Notes, 1, 'note', 1), false);
  assert.equal(other.system.tell(Notes as any, 1, 'nothing', 2), false);
  assert.deepEqual(
    [...letters, ...other.letters].map((letter) => letter.reason),
    ['unknown_kind', 'unknown_message'],
  );
  assert.equal(other.system.deadLetters.unknown_message, 1);
  assert.throws(() => system.ref(Notes, 1), TypeError);
});

test('a listener of dead letters that throws does not disturb the teller', async () => {
  const { Notes } = notes({ capacity: 1 });
  const uncaught = gate<unknown>();
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => uncaught.open(error));
  const { system } = startSystem([Notes], {
    onDeadLetter: () => {
      throw new Error('listener');
    },
  });
  system.tell(Notes, 'a', 'note', 1);
  assert.equal(system.tell(Notes, 'a', 'note', 2), false);
  assert.match(String(await uncaught.wait), /listener/);
  for (const listener of listeners) process.on('uncaughtException', listener);
});

test('handlers see their address, env and system', async () => {
  const seen: unknown[] = [];
  const Me = kind({
    name: 'me',
    messages: { look: tell<void>(), again: tell<ActorId>() },
    load: () => null,
    on: {
      look(_state, _message, ctx) {
        seen.push(ctx.id, ctx.env, ctx.system.node);
        ctx.self.tell('again', ctx.id);
      },
      again: (_state, id) => void seen.push(id),
    },
  });
  const { system, clock } = startSystem([Me], { env: 'the env', node: 3 });
  system.tell(Me, 7, 'look');
  await clock.run();
  assert.deepEqual(seen, [7, 'the env', 3, 7]);
});
