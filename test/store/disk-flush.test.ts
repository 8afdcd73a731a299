import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { groupOf, pairOf, type Conversation } from '../../src/store/conversation.ts';
import { appendRequest, Commit } from '../../src/store/disk/commit.ts';
import { prepareDataDir } from '../../src/store/disk/data-dir.ts';
import { flushSegment } from '../../src/store/disk/flush.ts';
import { JournalFile } from '../../src/store/disk/journal-file.ts';
import {
  EntryType,
  packGroup,
  packUser,
  packedEntryBytes,
  writePackedEntry,
} from '../../src/store/disk/journal-format.ts';
import * as layout from '../../src/store/disk/layout.ts';
import { MemTable } from '../../src/store/disk/memtable.ts';
import { openDatabase, Tables } from '../../src/store/disk/tables.ts';
import { CorruptData, decodeChunk } from '../../src/store/disk/values.ts';
import type { Append, GroupChange, UserRecord } from '../../src/store/store.ts';
import { runLast } from '../../src/wire/run.ts';
import { appendOf, temporaryDir } from '../support/disk.ts';
import { messagesOf } from '../support/engine.ts';

type Hooks = { after(fn: () => void): void };

/** The store's thread without a thread: segments are written, and moved into the tables at will. */
class Flushing {
  readonly dir: string;
  readonly tables: Tables;
  #sequence = 0;

  static async open(t: Hooks): Promise<Flushing> {
    const dir = temporaryDir(t);
    await prepareDataDir(dir);
    return new Flushing(dir);
  }

  constructor(dir: string) {
    this.dir = dir;
    this.tables = new Tables(openDatabase(dir));
  }

  async segment(...records: (Append[] | Buffer)[]): Promise<JournalFile> {
    const file = await JournalFile.create(this.dir, 0, (this.#sequence += 1), 'no');
    const table = new MemTable();
    for (const record of records) {
      let buf: Buffer;
      if (Buffer.isBuffer(record)) buf = record;
      else {
        const last = ({ key }: Conversation): number =>
          record.find(({ conversation }) => conversation.key === key)?.expectedLast ?? 0;
        const commit = new Commit(table, last, [appendRequest(record, () => {})]);
        buf = Buffer.alloc(commit.bytes);
        buf = buf.subarray(0, commit.write(buf, 0));
        commit.succeed(0);
      }
      await new Promise<void>((resolve, reject) => {
        file.append(buf, 0, buf.length, (error) => (error === null ? resolve() : reject(error)));
      });
    }
    await file.close();
    return file;
  }

  /** Everything that is stored. */
  content(): [key: string, value: string][] {
    this.tables.refresh();
    const found: [string, string][] = [];
    for (const { key, value } of this.tables.db.getRange({}))
      found.push([key.toString('hex'), value.toString('hex')]);
    return found;
  }

  chunks(conversation: Conversation): { last: number; bytes: number; runs: number }[] {
    this.tables.refresh();
    const bytes = layout.conversationBytes(conversation);
    const [start, end] = [layout.chunkKey(bytes, 0), layout.chunkKey(bytes, Number.MAX_SAFE_INTEGER)];
    return [...this.tables.db.getRange({ start, end })].map(({ key, value }) => ({
      last: layout.chunkLast(key),
      bytes: value.length,
      runs: decodeChunk(value).length,
    }));
  }

  texts(conversation: Conversation): string[] {
    const runs = this.tables.readRuns(layout.conversationBytes(conversation), 0, Infinity, Infinity);
    return messagesOf(runs).map(([, text]) => text);
  }
}

function changeRecord(type: number, packed: Buffer): Buffer {
  const buf = Buffer.alloc(16 + packedEntryBytes(packed));
  writePackedEntry(buf, 16, type, packed);
  return buf;
}

const userRecord = (user: number | string, change: UserRecord): Buffer =>
  changeRecord(EntryType.user, packUser(user, change));
const groupRecord = (group: number, change: GroupChange): Buffer =>
  changeRecord(EntryType.group, packGroup(group, change));

const pair = pairOf(1, 2);

test('A segment is moved once: again after a crash in front of its deletion changes nothing.', async (t) => {
  const flushing = await Flushing.open(t);
  const { tables } = flushing;
  const cursor = { key: pair.key, delivered: 1, devices: {}, readTo: 0, read: [] };
  const segments = [
    await flushing.segment(
      [appendOf(pair, 0, 'a', 'b'), appendOf(groupOf(7), 0, 'g')],
      userRecord('ann', { mailbox: true, devices: ['d'], cursors: [cursor] }),
      groupRecord(7, { exists: true, joined: [1, 2, 3], joinedAt: 0, left: [] }),
    ),
    await flushing.segment(
      [appendOf(pair, 2, 'c'), appendOf(pairOf('ann', 'bob'), 0, 'x')],
      userRecord('ann', { mailbox: true, devices: [], cursors: [{ ...cursor, delivered: 3 }] }),
      groupRecord(7, { exists: true, joined: [4], joinedAt: 1, left: [2] }),
    ),
  ];
  for (const segment of segments) {
    const kept = readFileSync(segment.path);
    assert.deepEqual(flushSegment(tables, segment), { tornBytes: 0 });
    assert.equal(existsSync(segment.path), false);
    const content = flushing.content();
    writeFileSync(segment.path, kept);
    flushSegment(tables, segment);
    assert.deepEqual(flushing.content(), content);
  }
  assert.deepEqual(flushing.texts(pair), ['a', 'b', 'c']);
  assert.deepEqual(tables.user('ann'), {
    mailbox: true,
    devices: [],
    cursors: [{ ...cursor, delivered: 3 }],
  });
  assert.deepEqual(tables.group(7), {
    exists: true,
    members: new Map([
      [1, 0],
      [3, 0],
      [4, 1],
    ]),
  });
  assert.deepEqual([...tables.groupsOf(2)], []);
  assert.deepEqual([...tables.groupsOf(4)], [[7, 1]]);
  assert.deepEqual([...tables.pairsOf(2)], [pair]);
  assert.deepEqual([...tables.pairsOf('bob')], [pairOf('ann', 'bob')]);
  await tables.close();
});

test('Messages that trickle in are kept in few values: a small last one is written again with what follows.', async (t) => {
  const flushing = await Flushing.open(t);
  const { tables } = flushing;
  for (let i = 0; i < 200; i++) {
    flushSegment(tables, await flushing.segment([appendOf(pair, i, `message ${i} ${'x'.repeat(100)}`)]));
  }
  const chunks = flushing.chunks(pair);
  for (const { bytes } of chunks.slice(0, -1))
    assert.ok(bytes >= limits.chunkMergeBytesMax && bytes < limits.chunkMergeBytesMax + 400, `${bytes}`);
  assert.ok(chunks.length < 20, `${chunks.length} values`);
  assert.equal(flushing.texts(pair).length, 200);
  const record = tables.conversation(layout.conversationBytes(pair));
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
  assert.deepEqual(record, { last: 200, floor: 0, time: 200_000, bytes, chunks: chunks.length });
  await tables.close();
});

test('Many messages at once are cut into values of a bounded size; a long run stands alone.', async (t) => {
  const flushing = await Flushing.open(t);
  const { tables } = flushing;
  const small = Array.from({ length: 300 }, (_, i) => appendOf(pair, i, 'x'.repeat(1_000)));
  const long = appendOf(pair, 300, ...Array.from({ length: 90 }, () => 'y'.repeat(1_000)));
  flushSegment(tables, await flushing.segment([...small, long, appendOf(pair, 390, 'z')]));
  const chunks = flushing.chunks(pair);
  const alone = chunks.find(({ last }) => last === 390);
  assert.deepEqual([alone?.runs, (alone?.bytes ?? 0) > limits.chunkBytesMax], [1, true]);
  for (const { last, bytes, runs } of chunks)
    if (last !== 390)
      assert.ok(bytes <= limits.chunkBytesMax + 20 * runs + 24, `${bytes} bytes in ${runs} runs`);
  assert.equal(chunks.length, Math.ceil(300 / Math.floor(limits.chunkBytesMax / 1_040)) + 2);
  assert.equal(flushing.texts(pair).length, 391);
  assert.deepEqual(chunks.map(({ last }) => last).slice(-2), [390, runLast(appendOf(pair, 390, 'z').run)]);
  await tables.close();
});

test('A last value that is damaged stays as it is, and what follows is stored behind it.', async (t) => {
  const flushing = await Flushing.open(t);
  const { tables } = flushing;
  flushSegment(tables, await flushing.segment([appendOf(pair, 0, 'a')]));
  const key = layout.chunkKey(layout.conversationBytes(pair), 1);
  const value = tables.db.getBinary(key) ?? Buffer.alloc(0);
  value[30] = (value[30] ?? 0) ^ 1;
  await tables.db.put(key, value);
  flushSegment(tables, await flushing.segment([appendOf(pair, 1, 'b')]));
  tables.refresh();
  assert.throws(() => flushing.texts(pair), CorruptData);
  const behind = tables.readRuns(layout.conversationBytes(pair), 1, Infinity, Infinity);
  assert.deepEqual(messagesOf(behind), [[2, 'b']]);
  await tables.close();
});
