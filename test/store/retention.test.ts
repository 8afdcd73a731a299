import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { limits } from '../../src/limits.ts';
import { groupOf, pairOf, type Conversation } from '../../src/store/conversation.ts';
import { chunkKey, conversationBytes } from '../../src/store/disk/layout.ts';
import type { DiskEngine } from '../../src/store/disk/disk-engine.ts';
import { cursorAbove, Retention, type Removed, type RetentionRules } from '../../src/store/disk/retention.ts';
import { DataDir, longText, sayOn } from '../support/data-dirs.ts';
import { messagesOf } from '../support/engine.ts';

const DAY_MS = 86_400_000;
const pair = pairOf(1, 2);
const texts = (from: number, to: number, long = true): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => (long ? longText(`m${from + i}`) : `m${from + i}`));

function sweep(dir: DataDir, rules: Partial<RetentionRules>, now = Date.now()): Removed & { steps: number } {
  const retention = new Retention(dir.tables, { ageMs: undefined, messages: undefined, ...rules }, () => now);
  const removed = { messages: 0, chunks: 0, bytes: 0 };
  let steps = 1;
  while (!retention.step(removed)) steps += 1;
  dir.tables.refresh();
  return { ...removed, steps };
}

/** The chunks of a conversation as they are: [last, bytes]. */
function chunksOf(dir: DataDir, conversation: Conversation): [number, number][] {
  const key = conversationBytes(conversation);
  const range = { start: chunkKey(key, 0), end: chunkKey(key, Number.MAX_SAFE_INTEGER) };
  return [...dir.tables.db.getRange(range)].map(({ key: chunk, value }) => [
    chunk.readUInt32BE(chunk.length - 4),
    value.length,
  ]);
}

function isRight(dir: DataDir, conversation: Conversation): void {
  const chunks = chunksOf(dir, conversation);
  const record = dir.record(conversation);
  assert.ok(record);
  assert.equal(record.chunks, chunks.length);
  assert.equal(
    record.bytes,
    chunks.reduce((sum, [, bytes]) => sum + bytes, 0),
  );
  assert.ok(
    chunks.every(([last]) => last > record.floor),
    'no chunk is at or below the floor',
  );
}

/** Numbers that an engine reads after `after`, in bites of a few. */
async function numbersOf(dir: DataDir, conversation: Conversation, after = 0): Promise<number[]> {
  const engine = dir.engine();
  const numbers = numbersOn(engine, conversation, after);
  await engine.close();
  return numbers;
}

function numbersOn(engine: DiskEngine, conversation: Conversation, after = 0): number[] {
  const numbers: number[] = [];
  for (let at = after; ;) {
    const { runs } = engine.read(conversation, at, 2, 10_000);
    if (runs.length === 0) break;
    numbers.push(...messagesOf(runs).map(([number]) => number));
    at = numbers.at(-1)!;
  }
  return numbers;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Ten chunks of one message each, and as many small messages in one chunk. */
async function filled(t: TestContext): Promise<DataDir> {
  const dir = await DataDir.make(t);
  for (const text of texts(1, 10)) await dir.store(pair, [text]);
  await dir.store(groupOf(7), texts(1, 10, false));
  return dir;
}

test('the newest N messages stay readable, also where the floor is inside a chunk', async (t) => {
  const dir = await filled(t);
  const removed = sweep(dir, { messages: 4 });
  assert.deepEqual(await numbersOf(dir, pair), range(7, 10));
  assert.deepEqual(await numbersOf(dir, groupOf(7)), range(7, 10));
  assert.deepEqual(await numbersOf(dir, groupOf(7), 8), range(9, 10));
  assert.deepEqual(
    chunksOf(dir, pair).map(([last]) => last),
    range(7, 10),
  );
  assert.equal(chunksOf(dir, groupOf(7)).length, 1, 'a chunk that holds the floor stays whole');
  assert.equal(removed.messages, 12);
  assert.equal(removed.chunks, 6);
  isRight(dir, pair);
  isRight(dir, groupOf(7));
});

test('what stands in the journal behind the floor is read on from it without a gap', async (t) => {
  const dir = await filled(t);
  sweep(dir, { messages: 3 });
  const engine = dir.engine();
  await sayOn(engine, pair, texts(11, 12));
  assert.deepEqual(numbersOn(engine, pair), range(8, 12));
  assert.deepEqual(numbersOn(engine, pair, 9), range(10, 12));
  await engine.close();
  dir.move();
  sweep(dir, { messages: 3 });
  assert.deepEqual(await numbersOf(dir, pair), range(10, 12));
  isRight(dir, pair);
});

test('a floor never falls, whatever is kept from now on', async (t) => {
  const dir = await filled(t);
  sweep(dir, { messages: 2 });
  assert.deepEqual(sweep(dir, { messages: 5 }), { messages: 0, chunks: 0, bytes: 0, steps: 1 });
  assert.equal(dir.record(pair)?.floor, 8);
});

test('chunks whose newest message is too old go whole, and the floor follows', async (t) => {
  const dir = await DataDir.make(t);
  const now = 100 * DAY_MS;
  for (let n = 1; n <= 6; n++) await dir.store(pair, [longText(`m${n}`)], now - (7 - n) * DAY_MS);
  // 6, 5, 4, 3, 2, 1 days old: exactly three days is not older than three days.
  sweep(dir, { ageMs: 3 * DAY_MS }, now);
  assert.deepEqual(await numbersOf(dir, pair), range(4, 6));
  assert.equal(dir.record(pair)?.floor, 3);
  isRight(dir, pair);
  sweep(dir, { ageMs: 3 * DAY_MS }, now + 1);
  assert.equal(dir.record(pair)?.floor, 4);
});

test('of two rules the one that keeps less holds', async (t) => {
  const dir = await DataDir.make(t);
  const now = 100 * DAY_MS;
  for (let n = 1; n <= 6; n++) await dir.store(pair, [longText(`m${n}`)], now - (7 - n) * DAY_MS);
  sweep(dir, { ageMs: 4 * DAY_MS, messages: 5 }, now);
  assert.equal(dir.record(pair)?.floor, 2);
  sweep(dir, { ageMs: 4 * DAY_MS, messages: 1 }, now);
  assert.equal(dir.record(pair)?.floor, 5);
});

test('numbers go on after everything was removed', async (t) => {
  const dir = await DataDir.make(t);
  await dir.store(pair, texts(1, 3));
  sweep(dir, { ageMs: DAY_MS });
  const { last, floor, bytes, chunks } = dir.record(pair)!;
  assert.deepEqual({ last, floor, bytes, chunks }, { last: 3, floor: 3, bytes: 0, chunks: 0 });
  const engine = dir.engine();
  assert.deepEqual(engine.read(pair, 0, 10, 10_000), { runs: [], last: 3 });
  assert.deepEqual(engine.participations(1), [{ conversation: pair, last: 3, joinedAt: 0 }]);
  await engine.close();
  await dir.store(pair, texts(4, 5));
  assert.deepEqual(await numbersOf(dir, pair), [4, 5]);
  isRight(dir, pair);
});

test('unread messages that were removed leave no gap between those that were read', async (t) => {
  const dir = await filled(t);
  const cursor = { key: pair.key, delivered: 10, devices: {}, readTo: 1, read: [3, 3, 5, 7, 10, 10] };
  const saving = dir.engine();
  await saving.saveUser(1, { mailbox: true, devices: [], cursors: [cursor] });
  await saving.close();
  dir.move();
  const marks = async (): Promise<unknown> => {
    const engine = dir.engine();
    const { readTo, read } = engine.user(1)!.cursors[0]!;
    await engine.close();
    return { readTo, read };
  };
  assert.deepEqual(await marks(), { readTo: 1, read: [3, 3, 5, 7, 10, 10] });
  sweep(dir, { messages: 6 });
  assert.deepEqual(await marks(), { readTo: 7, read: [10, 10] });
  assert.deepEqual(cursorAbove(20, cursor), { ...cursor, readTo: 20, read: [] });
  assert.deepEqual(cursorAbove(8, cursor), { ...cursor, readTo: 8, read: [10, 10] });
  assert.equal(cursorAbove(1, cursor), cursor);
});

test('a step looks at so many conversations and removes so many chunks at most', async (t) => {
  const dir = await DataDir.make(t);
  const conversations = limits.retentionStepConversationsMax + 10;
  const many = pairOf(1_000_000, 1_000_001);
  for (let i = 0; i < 3; i++) await dir.store(pairOf(10 + i, 20 + i), texts(1, 2, false));
  await fillPairs(dir, conversations);
  const chunks = limits.retentionStepChunksMax * 2 + 5;
  await fillChunks(dir, many, chunks);
  const retention = new Retention(dir.tables, { ageMs: undefined, messages: 1 });
  const removed = { messages: 0, chunks: 0, bytes: 0 };
  let before = { ...removed };
  let steps = 0;
  for (let isEnd = false; !isEnd; steps++) {
    isEnd = retention.step(removed);
    assert.ok(removed.chunks - before.chunks <= limits.retentionStepChunksMax);
    assert.ok(removed.messages - before.messages <= limits.retentionStepChunksMax * 2);
    before = { ...removed };
    isRight(dir, many); // in between as well
  }
  assert.ok(steps >= 4, `${steps} steps`);
  assert.equal(removed.chunks, chunks - 1);
  assert.equal(dir.record(many)?.floor, chunks - 1);
  assert.equal(dir.record(pairOf(10, 20))?.floor, 1);
  assert.equal(dir.record(pairOf(2_000, 2_001))?.floor, 1);
});

/** So many pairs of two messages each. */
async function fillPairs(dir: DataDir, count: number): Promise<void> {
  const engine = dir.engine();
  for (let i = 0; i < count; i++) {
    await sayOn(engine, pairOf(2_000 + 2 * i, 2_001 + 2 * i), texts(1, 2, false));
  }
  await engine.close();
  dir.move();
}

async function fillChunks(dir: DataDir, conversation: Conversation, count: number): Promise<void> {
  // Each fills a chunk alone.
  const text = 'x'.repeat(40_000);
  await dir.store(
    conversation,
    Array.from({ length: count }, () => text),
  );
  assert.equal(dir.record(conversation)?.chunks, count);
}
