/*
 * A thread that dies leaves the segments that the keeper holds: the engine that starts on them must
 * give the same answers. The last test compares an engine with a plain model under random writes,
 * with a small bound, so that old segments are given up, and deaths in between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOf, pairOf, type Conversation } from '../../src/store/conversation.ts';
import type { MemoryEngine } from '../../src/store/memory-engine.ts';
import type { Cursor } from '../../src/store/store.ts';
import { engineOn, Keeper, messagesOf, readAll, say, textsFrom } from '../support/engine.ts';
import { seededRandom, type Random } from '../support/random.ts';

const pair = pairOf(21, 22);
const named = pairOf(21, 'an:"na');
const group = groupOf(7);

const cursor = (key: string, delivered: number, rest: Partial<Cursor> = {}): Cursor => ({
  key,
  delivered,
  devices: {},
  readTo: 0,
  read: [],
  ...rest,
});

/** Everything that is not messages. */
function stateOf(engine: MemoryEngine): unknown {
  const byKey = (user: number | string): unknown =>
    engine.participations(user).sort((a, b) => (a.conversation.key < b.conversation.key ? -1 : 1));
  return {
    lasts: [pair, named, group].map((conversation) => engine.last(conversation)),
    users: [21, 22, 'an:"na', 99].map((user) => engine.user(user)),
    participations: [21, 22, 23, 'an:"na'].map(byKey),
    groups: [7, 8].map((id) => {
      const entry = engine.group(id);
      return entry && { exists: entry.exists, members: [...entry.members].sort((a, b) => a[0] - b[0]) };
    }),
  };
}

function fill(engine: MemoryEngine): void {
  engine.saveGroup(7, { exists: true, joined: [21, 22], joinedAt: 0, left: [] });
  engine.saveGroup(8, { exists: true, joined: [21], joinedAt: 0, left: [] });
  say(engine, pair, 'a', 'b');
  say(engine, named, 'c');
  say(engine, group, 'd', 'e', 'f');
  engine.saveGroup(7, { exists: true, joined: [23], joinedAt: 3, left: [22] });
  engine.saveGroup(8, { exists: false, joined: [], joinedAt: 0, left: [21] });
  engine.saveUser(21, { mailbox: false, devices: [], cursors: [cursor(pair.key, 1), cursor(group.key, 2)] });
  engine.saveUser(21, {
    mailbox: true,
    devices: ['tablet', 'phone'],
    cursors: [cursor(pair.key, 2, { devices: { phone: 1 }, readTo: 1, read: [3, 9] })],
  });
  engine.saveUser('an:"na', { mailbox: true, devices: [], cursors: [cursor(named.key, 5_000_000_000)] });
}

/** Writes until nothing of what was there before is in its old segment any more. */
function pushOut(engine: MemoryEngine, keeper: Keeper): void {
  const newest = Math.max(...keeper.kept.keys());
  const noise = pairOf(1, 2);
  while (Math.min(...keeper.kept.keys()) <= newest)
    assert.equal(say(engine, noise, 'x'.repeat(200)).ok, true);
}

test('The thread that goes on gives the same answers, and goes on with the numbers.', () => {
  const keeper = new Keeper();
  const before = engineOn(keeper, 512);
  fill(before);
  const after = engineOn(keeper, 512);
  assert.deepEqual(stateOf(after), stateOf(before));
  for (const conversation of [pair, named, group]) {
    for (let from = 0; from < 4; from++) {
      assert.deepEqual(readAll(after, conversation, from), readAll(before, conversation, from));
    }
  }
  say(after, pair, 'g');
  say(after, pairOf(1, 9), 'new');
  assert.deepEqual(messagesOf(readAll(engineOn(keeper), pair).runs), [
    [1, 'a'],
    [2, 'b'],
    [3, 'g'],
  ]);
  assert.deepEqual(messagesOf(readAll(engineOn(keeper), pairOf(1, 9)).runs), [[1, 'new']]);
});

test('When the bound is reached the oldest messages are gone; the newer ones and the numbers stay.', () => {
  const keeper = new Keeper();
  const engine = engineOn(keeper, 1024, 8192);
  for (let i = 1; i <= 500; i++) {
    assert.equal(say(engine, pair, `m${i}`).ok, true);
    assert.equal(keeper.bytes <= 8192, true);
  }
  const { runs, last } = readAll(engine, pair);
  assert.equal(last, 500);
  const first = runs[0]?.first ?? 0;
  assert.equal(first > 300 && first < 480, true);
  assert.deepEqual(
    messagesOf(runs),
    Array.from({ length: 501 - first }, (_, i) => [first + i, `m${first + i}`]),
  );
  assert.deepEqual(readAll(engineOn(keeper), pair), { runs, last });
});

test('Members, cursors and numbers outlive the segments that they were written in, and the thread.', () => {
  const keeper = new Keeper();
  let engine = engineOn(keeper, 1024, 16_384);
  fill(engine);
  const state = stateOf(engine);
  for (let round = 0; round < 3; round++) {
    pushOut(engine, keeper);
    assert.deepEqual(stateOf(engine), state);
    engine = engineOn(keeper, 1024, 16_384);
    assert.deepEqual(stateOf(engine), state);
  }
  assert.deepEqual(readAll(engine, pair), { runs: [], last: 2 });
  assert.equal(say(engine, pair, 'next').ok, true);
  assert.deepEqual(messagesOf(readAll(engine, pair).runs), [[3, 'next']]);
  assert.deepEqual(messagesOf(readAll(engineOn(keeper), pair).runs), [[3, 'next']]);
});

test('An append is refused when the bound is filled by what must not be given up.', () => {
  const keeper = new Keeper();
  const engine = engineOn(keeper, 1024, 8192);
  say(engine, pair, 'a');
  for (let user = 100; user < 300; user++)
    engine.saveUser(user, { mailbox: true, devices: [], cursors: [cursor(pair.key, user)] });
  const run = textsFrom(pair, 2, ['b']);
  const [refused] = engine.append([{ conversation: pair, expectedLast: 1, run }]);
  assert.deepEqual(refused, { ok: false, error: 'storage_unavailable', last: 1 });
  assert.equal(engine.last(pair), 1);
  assert.deepEqual(engine.user(299), { mailbox: true, devices: [], cursors: [cursor(pair.key, 299)] });
  assert.deepEqual(engineOn(keeper).user(100), {
    mailbox: true,
    devices: [],
    cursors: [cursor(pair.key, 100)],
  });
  // Nothing was numbered for a conversation that is new either.
  const [other] = engine.append([{ conversation: named, expectedLast: 0, run: textsFrom(named, 1, ['b']) }]);
  assert.deepEqual(other, { ok: false, error: 'storage_unavailable', last: 0 });
  assert.deepEqual(engine.participations('an:"na'), []);
});

test('Cursors and members that are written again and again stay within the bound, without any message.', () => {
  const keeper = new Keeper();
  const engine = engineOn(keeper, 1024, 8192);
  for (let i = 1; i <= 2000; i++) {
    engine.saveUser(21, { mailbox: false, devices: [], cursors: [cursor(group.key, i)] });
    assert.equal(keeper.bytes <= 8192, true);
  }
  for (let i = 1; i <= 2000; i++) {
    engine.saveGroup(7, { exists: true, joined: [i], joinedAt: i, left: [i - 1] });
    assert.equal(keeper.bytes <= 8192, true);
  }
  for (const one of [engine, engineOn(keeper)]) {
    assert.deepEqual(one.user(21)?.cursors, [cursor(group.key, 2000)]);
    assert.deepEqual([...(one.group(7)?.members ?? [])], [[2000, 2000]]);
  }
});

/** What the engine should know, without any bound. */
class Model {
  readonly texts = new Map<Conversation, string[]>();
  readonly members = new Map<number, Map<number, number>>();
  readonly cursors = new Map<number, Map<string, Cursor>>();
}

const CONVERSATIONS = [pair, named, group, groupOf(8), pairOf(21, 21), pairOf('x', 'y')];

function writeSomething(random: Random, engine: MemoryEngine, model: Model): void {
  const conversation = random.pick(CONVERSATIONS);
  const dice = random.int(0, 9);
  if (dice < 6) {
    const texts = Array.from({ length: random.int(1, 4) }, () =>
      'm'.repeat(random.int(0, random.chance(0.02) ? 3000 : 60)),
    );
    assert.equal(say(engine, conversation, ...texts).ok, true);
    model.texts.set(conversation, [...(model.texts.get(conversation) ?? []), ...texts]);
  } else if (dice < 8) {
    const user = random.int(1, 5);
    const saved = cursor(conversation.key, random.int(0, 99), { read: [random.int(1, 9), 10] });
    engine.saveUser(user, { mailbox: false, devices: [], cursors: [saved] });
    const cursors = model.cursors.get(user) ?? new Map<string, Cursor>();
    model.cursors.set(user, cursors.set(conversation.key, saved));
  } else {
    const id = random.int(7, 8);
    const members = model.members.get(id) ?? new Map<number, number>();
    model.members.set(id, members);
    const [mid, joinedAt] = [random.int(1, 5), random.int(0, 99)];
    const joins = !members.has(mid);
    engine.saveGroup(id, { exists: true, joined: joins ? [mid] : [], joinedAt, left: joins ? [] : [mid] });
    if (joins) members.set(mid, joinedAt);
    else members.delete(mid);
  }
}

function compare(random: Random, engine: MemoryEngine, model: Model): void {
  for (const conversation of CONVERSATIONS) {
    const texts = model.texts.get(conversation) ?? [];
    const after = random.int(0, texts.length);
    const { runs, last } = readAll(engine, conversation, after);
    assert.equal(last, texts.length);
    const found = messagesOf(runs);
    // All from some number on: what is missing was given up.
    const from = found[0]?.[0] ?? last + 1;
    assert.equal(from > after, true);
    assert.deepEqual(
      found,
      texts.slice(from - 1).map((text, i) => [from + i, text]),
    );
  }
  for (const [user, cursors] of model.cursors) {
    const found = new Map(engine.user(user)?.cursors.map((saved) => [saved.key, saved]));
    assert.deepEqual(found, cursors);
  }
  const byMember = new Map<number, Map<number, number>>([1, 2, 3, 4, 5].map((mid) => [mid, new Map()]));
  for (const [id, members] of model.members) {
    assert.deepEqual(new Map(engine.group(id)?.members), members);
    for (const [mid, joinedAt] of members) byMember.get(mid)?.set(id, joinedAt);
  }
  for (const [mid, groups] of byMember) {
    const found = engine
      .participations(mid)
      .flatMap(({ conversation, joinedAt }) =>
        'group' in conversation ? [[conversation.group, joinedAt] as const] : [],
      );
    assert.deepEqual(new Map(found), groups);
  }
}

test('Whatever is written, and whenever the thread dies, an engine with a bound has all that it should.', () => {
  const random = seededRandom('memory engine');
  for (let round = 0; round < 20; round++) {
    const keeper = new Keeper();
    const bytesMax = random.pick([8_192, 16_384, 1_000_000]);
    const model = new Model();
    let engine = engineOn(keeper, 1024, bytesMax);
    for (let i = 0; i < 400; i++) {
      writeSomething(random, engine, model);
      if (random.chance(0.03)) {
        const before = engine;
        engine = engineOn(keeper, 1024, bytesMax);
        for (const conversation of CONVERSATIONS)
          assert.deepEqual(readAll(engine, conversation), readAll(before, conversation));
      }
      if (random.chance(0.1)) compare(random, engine, model);
    }
    compare(random, engine, model);
    compare(random, engineOn(keeper, 1024, bytesMax), model);
  }
});
