import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  entryBytes,
  MemoryJournal,
  OpenSegment,
  SEGMENT_HEAD_BYTES,
} from '../../src/store/memory-journal.ts';
import { Keeper } from '../support/engine.ts';

function write(journal: MemoryJournal, type: number, text: string): OpenSegment {
  const bytes = Buffer.byteLength(text);
  const segment = journal.segmentFor(bytes);
  segment.buf.write(text, segment.reserve(type, bytes));
  return segment;
}

/** What a thread that starts now finds in the kept segments. */
function replayed(keeper: Keeper): string[] {
  const found: string[] = [];
  for (const open of new MemoryJournal(keeper, 64, [...keeper.kept.values()]).segments.values()) {
    open.visit((type, { buf, number }, start, end) =>
      found.push(`${number} ${type} ${buf.toString('utf8', start, end)}`),
    );
  }
  return found;
}

test('Entries take their head and a payload padded to 8 bytes.', () => {
  assert.deepEqual([0, 1, 8, 9].map(entryBytes), [8, 16, 16, 24]);
});

test('Published entries are found again in the order they were written, of any size, empty ones too.', () => {
  const keeper = new Keeper();
  const journal = new MemoryJournal(keeper, 1024, []);
  for (const text of ['', 'a', '12345678', '123456789', '']) write(journal, text.length, text);
  journal.publish();
  assert.deepEqual(replayed(keeper), ['1 0 ', '1 1 a', '1 8 12345678', '1 9 123456789', '1 0 ']);
});

test('What was not published is not part of the log.', () => {
  const keeper = new Keeper();
  const journal = new MemoryJournal(keeper, 1024, []);
  write(journal, 1, 'kept');
  journal.publish();
  write(journal, 1, 'lost');
  assert.deepEqual(replayed(keeper), ['1 1 kept']);
});

test('One publish covers all that was written before it, in however many segments.', () => {
  const keeper = new Keeper();
  const journal = new MemoryJournal(keeper, 64, []);
  for (let i = 0; i < 10; i++) write(journal, 1, `entry number ${i}`);
  journal.publish();
  assert.equal(keeper.kept.size > 2, true);
  assert.equal(replayed(keeper).length, 10);
});

test('An entry that does not fit begins a segment, and one over a segment gets a segment of its size.', () => {
  const keeper = new Keeper();
  const journal = new MemoryJournal(keeper, 64, []);
  assert.equal(write(journal, 1, 'x'.repeat(48)).number, 1); // exactly full: 8 + 8 + 48
  assert.equal(keeper.kept.get(1)?.memory.byteLength, 64);
  assert.equal(write(journal, 1, '').number, 2);
  assert.equal(write(journal, 1, 'y'.repeat(1000)).number, 3);
  assert.equal(keeper.kept.get(3)?.memory.byteLength, SEGMENT_HEAD_BYTES + entryBytes(1000));
  assert.equal(write(journal, 1, 'z').number, 4);
  journal.publish();
  assert.deepEqual(
    replayed(keeper).map((entry) => entry.slice(0, 5)),
    ['1 1 x', '2 1 ', '3 1 y', '4 1 z'],
  );
});

test('Any segment size will do: it is cut to whole words.', () => {
  const keeper = new Keeper();
  const journal = new MemoryJournal(keeper, 2_796_202, []);
  write(journal, 1, 'a');
  journal.publish();
  assert.deepEqual(replayed(keeper), ['1 1 a']);
  assert.equal(journal.bytes <= 2_796_202, true);
});

test('The journal counts the bytes of its segments, and gives up all but the one being written.', () => {
  const keeper = new Keeper();
  const journal = new MemoryJournal(keeper, 64, []);
  assert.equal(journal.oldest(), undefined);
  for (let i = 0; i < 3; i++) write(journal, 1, 'x'.repeat(48));
  assert.equal(journal.bytes, 192);
  for (const number of [1, 2]) {
    const oldest = journal.oldest();
    assert.equal(oldest?.number, number);
    if (oldest !== undefined) journal.drop(oldest);
  }
  assert.equal(journal.oldest(), undefined);
  assert.equal(journal.bytes, 64);
  assert.deepEqual([...keeper.kept.keys()], [3]);
});

test('The memory of a segment that was given up is written anew, and nothing of it comes back.', () => {
  const keeper = new Keeper();
  const journal = new MemoryJournal(keeper, 64, []);
  const first = write(journal, 1, 'a'.repeat(48));
  write(journal, 1, 'b'.repeat(48));
  journal.drop(first);
  const third = journal.segmentFor(48);
  assert.equal(third.memory, first.memory);
  assert.equal(third.number, 3);
  journal.publish();
  // A thread that dies here leaves what was published: the third segment is empty.
  assert.deepEqual(replayed(keeper), [`2 1 ${'b'.repeat(48)}`]);
  write(journal, 1, 'c'.repeat(8));
  journal.publish();
  assert.deepEqual(replayed(keeper), [`2 1 ${'b'.repeat(48)}`, `3 1 ${'c'.repeat(8)}`]);
  // A large entry takes memory of its own size.
  journal.drop(third);
  assert.notEqual(write(journal, 1, 'd'.repeat(200)).memory, third.memory);
});

test('The number of a segment is not used again by the thread that goes on.', () => {
  const keeper = new Keeper();
  const before = new MemoryJournal(keeper, 64, []);
  for (let i = 0; i < 3; i++) write(before, 1, 'x'.repeat(48));
  before.publish();
  const after = new MemoryJournal(keeper, 64, [...keeper.kept.values()].reverse());
  assert.equal(after.bytes, 192);
  assert.equal(after.oldest()?.number, 1);
  assert.equal(write(after, 1, 'x').number, 4);
  assert.deepEqual(keeper.numbers, [1, 2, 3, 4]);
});

test('The thread that goes on writes behind what was published.', () => {
  const keeper = new Keeper();
  const before = new MemoryJournal(keeper, 1024, []);
  write(before, 1, 'a');
  before.publish();
  write(before, 1, 'lost');
  const after = new MemoryJournal(keeper, 1024, [...keeper.kept.values()]);
  write(after, 2, 'b');
  after.publish();
  assert.deepEqual(replayed(keeper), ['1 1 a', '1 2 b']);
});
