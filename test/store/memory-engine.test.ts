import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOf, pairOf } from '../../src/store/conversation.ts';
import type { Cursor } from '../../src/store/store.ts';
import { Origin, PayloadKind } from '../../src/wire/run.ts';
import { engineOn, Keeper, messagesOf, readAll, say, textsFrom } from '../support/engine.ts';
import { runOf } from '../support/runs.ts';

const pair = pairOf(21, 22);

const cursor = (key: string, delivered: number): Cursor => ({
  key,
  delivered,
  devices: {},
  readTo: 0,
  read: [],
});

test('A run is stored behind the number that its writer knows as the last one.', () => {
  const engine = engineOn(new Keeper());
  assert.deepEqual(say(engine, pair, 'a', 'b'), { ok: true });
  assert.equal(engine.last(pair), 2);
  assert.deepEqual(say(engine, pair, 'c'), { ok: true });
  assert.deepEqual(messagesOf(readAll(engine, pair).runs), [
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ]);
});

test('A run whose writer is wrong about the last number is refused and told it; nothing of it is stored.', () => {
  const engine = engineOn(new Keeper());
  say(engine, pair, 'a', 'b');
  for (const expectedLast of [0, 1, 3]) {
    const run = textsFrom(pair, expectedLast + 1, ['x']);
    const conflict = { ok: false, error: 'conflict', last: 2 };
    assert.deepEqual(engine.append([{ conversation: pair, expectedLast, run }]), [conflict]);
  }
  const unknown = pairOf(1, 2);
  const run = textsFrom(unknown, 6, ['x']);
  const [refused] = engine.append([{ conversation: unknown, expectedLast: 5, run }]);
  assert.deepEqual(refused, { ok: false, error: 'conflict', last: 0 });
  assert.deepEqual(messagesOf(readAll(engine, pair).runs), [
    [1, 'a'],
    [2, 'b'],
  ]);
  assert.deepEqual(engine.participations(1), []);
});

test('A batch is written in order, with a result for each; one that is refused leaves the others alone.', () => {
  const engine = engineOn(new Keeper());
  const other = pairOf(21, 'anna');
  const results = engine.append([
    { conversation: pair, expectedLast: 0, run: textsFrom(pair, 1, ['a']) },
    { conversation: other, expectedLast: 9, run: textsFrom(other, 10, ['x']) },
    { conversation: pair, expectedLast: 1, run: textsFrom(pair, 2, ['b']) },
    { conversation: other, expectedLast: 0, run: textsFrom(other, 1, ['c']) },
  ]);
  assert.deepEqual(
    results.map(({ ok }) => ok),
    [true, false, true, true],
  );
  assert.deepEqual(messagesOf(readAll(engine, pair).runs), [
    [1, 'a'],
    [2, 'b'],
  ]);
  assert.deepEqual(messagesOf(readAll(engine, other).runs), [[1, 'c']]);
});

test('Reading begins right after any number, in the middle of a run too.', () => {
  const engine = engineOn(new Keeper(), 1024);
  const expected: [number, string][] = [];
  for (let i = 1; i <= 60; i += 3) {
    say(engine, pair, `m${i}`, `m${i + 1}`, `m${i + 2}`);
    expected.push([i, `m${i}`], [i + 1, `m${i + 1}`], [i + 2, `m${i + 2}`]);
  }
  for (let after = 0; after <= 62; after++) {
    const { runs, last } = readAll(engine, pair, after);
    assert.deepEqual(messagesOf(runs), expected.slice(after));
    assert.equal(last, 60);
    if (runs[0] !== undefined) assert.equal(runs[0].first, after + 1);
  }
});

test('Reading stops before it goes over either bound, but gives at least one run.', () => {
  const engine = engineOn(new Keeper());
  for (let i = 0; i < 5; i++) say(engine, pair, 'x', 'x');
  const runBytes = textsFrom(pair, 1, ['x', 'x']).bytes.length;
  const counts = (messagesMax: number, bytesMax: number, after = 0): number =>
    engine.read(pair, after, messagesMax, bytesMax).runs.length;
  assert.equal(counts(4, Infinity), 2);
  assert.equal(counts(5, Infinity), 2);
  assert.equal(counts(5, Infinity, 1), 3);
  assert.equal(counts(1, 1), 1);
  assert.equal(counts(Infinity, runBytes * 3), 3);
  assert.equal(counts(Infinity, runBytes * 3 - 1), 2);
  assert.equal(counts(4, Infinity, 10), 0);
});

test('A run comes back as it was given: bytes, kind, origin and time.', () => {
  const engine = engineOn(new Keeper());
  const kinds = [PayloadKind.bytes, PayloadKind.text, PayloadKind.json];
  for (const [i, kind] of kinds.entries()) {
    const run = runOf(kind, ['1', '22'], {
      from: 22,
      to: 21,
      first: i * 2 + 1,
      origin: i === 1 ? Origin.messaging : Origin.comet,
    });
    run.time = 1_753_000_000_123 + i;
    engine.append([{ conversation: pair, expectedLast: i * 2, run }]);
    const { runs } = engine.read(pair, i * 2, 10, 10_000);
    assert.deepEqual(runs, [run]);
  }
});

test('What was read is a copy: changing it changes nothing in the store.', () => {
  const engine = engineOn(new Keeper());
  say(engine, pair, 'abc');
  readAll(engine, pair).runs[0]?.bytes.fill(0);
  assert.deepEqual(messagesOf(readAll(engine, pair).runs), [[1, 'abc']]);
});

test('A conversation that nobody wrote in has no messages, and its last number is 0.', () => {
  const engine = engineOn(new Keeper());
  assert.deepEqual(readAll(engine, pair), { runs: [], last: 0 });
  assert.equal(engine.last(pair), 0);
  assert.equal(engine.user(21), undefined);
  assert.equal(engine.group(7), undefined);
});

test('An entry over a segment is stored like any other.', () => {
  const engine = engineOn(new Keeper(), 1024);
  const long = 'x'.repeat(60_000);
  say(engine, pair, 'a');
  say(engine, pair, 'b', long, 'c');
  say(engine, pair, 'd');
  assert.deepEqual(messagesOf(readAll(engine, pair, 1).runs), [
    [2, 'b'],
    [3, long],
    [4, 'c'],
    [5, 'd'],
  ]);
});

test('Both users take part in a pair, and one who writes to himself takes part once.', () => {
  const engine = engineOn(new Keeper());
  const self = pairOf(21, 21);
  const named = pairOf(21, 'anna');
  say(engine, pair, 'a', 'b');
  say(engine, self, 'c');
  say(engine, named, 'd');
  const of = (conversation: typeof pair, last: number): object => ({ conversation, last, joinedAt: 0 });
  assert.deepEqual(engine.participations(21), [of(pair, 2), of(self, 1), of(named, 1)]);
  assert.deepEqual(engine.participations(22), [of(pair, 2)]);
  assert.deepEqual(engine.participations('anna'), [of(named, 1)]);
  assert.deepEqual(engine.participations('21'), []);
});

test('A member takes part in a group from the number that was last when it joined, until it leaves.', () => {
  const engine = engineOn(new Keeper());
  const group = groupOf(7);
  engine.saveGroup(7, { exists: true, joined: [21, 22], joinedAt: 0, left: [] });
  say(engine, group, 'a', 'b', 'c');
  engine.saveGroup(7, { exists: true, joined: [23], joinedAt: 3, left: [22] });
  assert.deepEqual(
    [...(engine.group(7)?.members ?? [])],
    [
      [21, 0],
      [23, 3],
    ],
  );
  assert.deepEqual(engine.participations(21), [{ conversation: group, last: 3, joinedAt: 0 }]);
  assert.deepEqual(engine.participations(22), []);
  assert.deepEqual(engine.participations(23), [{ conversation: group, last: 3, joinedAt: 3 }]);
  engine.saveGroup(7, { exists: true, joined: [22], joinedAt: 3, left: [] });
  assert.deepEqual(engine.participations(22), [{ conversation: group, last: 3, joinedAt: 3 }]);
});

test('A group that was removed keeps its numbers.', () => {
  const engine = engineOn(new Keeper());
  const group = groupOf(7);
  engine.saveGroup(7, { exists: true, joined: [21], joinedAt: 0, left: [] });
  say(engine, group, 'a', 'b');
  engine.saveGroup(7, { exists: false, joined: [], joinedAt: 0, left: [21] });
  assert.equal(engine.group(7)?.exists, false);
  assert.equal(engine.group(7)?.members.size, 0);
  assert.deepEqual(engine.participations(21), []);
  assert.equal(engine.last(group), 2);
});

test('Saving a user replaces its devices and the cursors that are given, and keeps the other cursors.', () => {
  const engine = engineOn(new Keeper());
  engine.saveUser('anna', { mailbox: true, devices: [], cursors: [cursor('x', 1), cursor('y', 2)] });
  engine.saveUser(21, { mailbox: false, devices: [], cursors: [cursor('x', 9)] });
  const full = { key: 'y', delivered: 5, devices: { phone: 3 }, readTo: 2, read: [4, 5] };
  engine.saveUser('anna', { mailbox: true, devices: [], cursors: [full] });
  assert.deepEqual(engine.user('anna'), { mailbox: true, devices: [], cursors: [cursor('x', 1), full] });
  assert.deepEqual(engine.user(21), { mailbox: false, devices: [], cursors: [cursor('x', 9)] });
  engine.saveUser(21, { mailbox: true, devices: ['b', 'a'], cursors: [] });
  assert.deepEqual(engine.user(21), { mailbox: true, devices: ['b', 'a'], cursors: [cursor('x', 9)] });
});
