import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import { groupOf, pairOf, type Conversation } from '../../src/store/conversation.ts';
import * as format from '../../src/store/disk/journal-format.ts';
import { MemTable } from '../../src/store/disk/memtable.ts';
import { listSegments, replaySegment } from '../../src/store/disk/segments.ts';
import { CorruptData } from '../../src/store/disk/values.ts';
import { Commit, appendRequest, changeRequest, type WriteRequest } from '../../src/store/disk/commit.ts';
import { RunBuilder } from '../../src/wire/run-builder.ts';
import { numberRun, Origin, PayloadKind } from '../../src/wire/run.ts';
import { appendOf, DiskRig, store, temporaryDir } from '../support/disk.ts';
import { messagesOf } from '../support/engine.ts';

const hex = (bytes: Buffer): string => bytes.toString('hex');
/** Hex of parts that stand apart for the reader. */
const joined = (text: string): string => text.replaceAll(' ', '');
const pair = pairOf(1, 2);
const none = (): number => 0;

/** A segment of these records, as a shard writes them that has so many older messages. */
function segmentOf(...given: (WriteRequest[] | (() => number))[]): {
  bytes: Buffer;
  ends: number[];
  seed: number;
} {
  const records = given.filter((one) => Array.isArray(one));
  const lastOf = given.find((one) => typeof one === 'function') ?? none;
  const { head, bytes } = format.newSegmentHead(3, 5);
  const parts = [bytes];
  const table = new MemTable();
  for (const [i, requests] of records.entries()) {
    const commit = new Commit(table, lastOf, requests);
    const buf = Buffer.alloc(commit.bytes);
    const end = commit.write(buf, 0);
    format.writeRecordHead(buf, 0, end - format.RECORD_HEAD_BYTES, i + 1, head.seed);
    commit.succeed(0);
    parts.push(buf.subarray(0, end));
  }
  let at = 0;
  return { bytes: Buffer.concat(parts), ends: parts.map(({ length }) => (at += length)), seed: head.seed };
}

const append = (conversation: Conversation, expectedLast: number, ...texts: string[]): WriteRequest =>
  appendRequest([appendOf(conversation, expectedLast, ...texts)], () => {});

const textsOf = (table: MemTable, conversation: Conversation = pair): string[] => {
  const log = table.logs.get(conversation.key);
  return log === undefined ? [] : messagesOf(table.allRuns(log, 0)).map(([, text]) => text);
};

function replay(t: TestContext, bytes: Buffer, lastOf = none): ReturnType<typeof replaySegment> {
  const path = join(temporaryDir(t), 'segment.log');
  writeFileSync(path, bytes);
  return replaySegment(path, lastOf);
}

test('A segment begins with what it is, and a record with what it holds.', () => {
  const { head, bytes } = format.newSegmentHead(3, 5);
  assert.equal(
    hex(bytes.subarray(0, 24)),
    '454e434b454a4e4c' + // ENCKEJNL
      '01000000' + // format
      '03000000' + // shard
      '0000000000001440', // sequence
  );
  assert.equal(bytes.readUInt32LE(32), crc32(bytes.subarray(0, 32)));
  assert.equal(hex(bytes.subarray(36)), '00000000');
  assert.deepEqual(format.readSegmentHead(bytes), head);
  assert.deepEqual(head, { shard: 3, sequence: 5, seed: crc32(bytes.subarray(24, 32)) });

  const record = segmentOf([append(pair, 0, 'hi')]).bytes.subarray(40);
  const run = appendOf(pair, 0, 'hi').run;
  assert.equal(
    hex(record.subarray(16)),
    '01' + // a run
      '44000000' + // bytes
      '0a00' + // of its key
      '01' + // text
      '00' + // comet
      '01000000' + // count
      '000000000000f03f' + // first
      '0000000000408f40' + // time
      '0100000001' +
      '0100000002' +
      hex(run.bytes),
  );
  assert.equal(record.readUInt32LE(0), record.length - 16);
  assert.equal(record.readUInt32LE(8), 1);
});

test('A change of a user or a group is an entry of msgpack.', () => {
  const user = format.packUser('ann', { mailbox: true, devices: ['d'], cursors: [] });
  assert.equal(hex(user), joined('94a3616e6e c3 91a164 90'));
  assert.deepEqual(format.unpackUser(user), {
    user: 'ann',
    change: { mailbox: true, devices: ['d'], cursors: [] },
  });
  const change = { exists: true, joined: [1, 2], joinedAt: 9, left: [3] };
  const group = format.packGroup(7, change);
  assert.equal(hex(group), joined('95 07 c3 09 920102 9103'));
  assert.deepEqual(format.unpackGroup(group), { group: 7, change });
});

test('Replayed is what was written: messages, users and groups, in order.', (t) => {
  const user = {
    mailbox: true,
    devices: [],
    cursors: [{ key: 'g:7', delivered: 2, devices: {}, readTo: 0, read: [] }],
  };
  const group = { exists: true, joined: [1, 2], joinedAt: 0, left: [] };
  const { bytes } = segmentOf(
    [append(pair, 0, 'a', 'b'), append(groupOf(7), 0, 'g'), append(pair, 2, 'c')],
    [
      changeRequest(
        format.EntryType.user,
        format.packUser(1, user),
        () => {},
        () => {},
      ),
      changeRequest(
        format.EntryType.group,
        format.packGroup(7, group),
        () => {},
        () => {},
      ),
    ],
  );
  const { table, tornBytes } = replay(t, bytes);
  assert.equal(tornBytes, 0);
  assert.equal(table.bytes, bytes.length);
  assert.deepEqual(textsOf(table), ['a', 'b', 'c']);
  assert.deepEqual(textsOf(table, groupOf(7)), ['g']);
  assert.deepEqual(table.users.get(1)?.cursors.get('g:7')?.delivered, 2);
  assert.deepEqual(
    table.groups.get(7)?.members,
    new Map([
      [1, 0],
      [2, 0],
    ]),
  );
  assert.deepEqual(table.newPairsOf(2), [pair]);
});

test('A last record that was cut off anywhere is left out, and everything before it is there.', (t) => {
  const { bytes, ends } = segmentOf(
    [append(pair, 0, 'a')],
    [append(pair, 1, 'b', 'c')],
    [append(pair, 3, 'd', 'e')],
  );
  const [, , begin = 0, end = 0] = ends;
  for (let length = begin; length < end; length++) {
    const { table, tornBytes } = replay(t, bytes.subarray(0, length));
    assert.deepEqual([textsOf(table), tornBytes], [['a', 'b', 'c'], length - begin], `${length} bytes`);
    // What an earlier file had on this place of the disk, or nothing, follows.
    const rest = Buffer.concat([
      bytes.subarray(0, length),
      Buffer.alloc(end - length, length % 2 === 0 ? 0 : 0xa5),
    ]);
    assert.deepEqual(textsOf(replay(t, rest).table), ['a', 'b', 'c'], `${length} bytes and others`);
  }
});

test('A bit that was turned in front of whole records is an error that names the place; in the last one it is a cut.', (t) => {
  const { bytes, ends } = segmentOf([append(pair, 0, 'a')], [append(pair, 1, 'b')], [append(pair, 2, 'c')]);
  const [head = 0, first = 0, second = 0, third = 0] = ends;
  for (let at = head; at < third; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    const place = at < first ? head : at < second ? first : second;
    if (at >= second) assert.deepEqual(textsOf(replay(t, damaged).table), ['a', 'b']);
    else {
      assert.throws(
        () => replay(t, damaged),
        (error) =>
          error instanceof CorruptData && error.message.includes(`segment.log is damaged: byte ${place} `),
        `byte ${at}`,
      );
    }
  }
});

test('A message that is a copy of a record does not pass for one behind a cut.', async (t) => {
  const { bytes, ends } = segmentOf([append(pair, 0, 'a')], [append(pair, 1, 'b')]);
  const record = bytes.subarray(ends[1] ?? 0);
  const builder = new RunBuilder(4_096);
  for (const payload of [record, bytes]) builder.add(18, 1, 2, payload, 0, payload.length);
  const run = builder.finish(PayloadKind.bytes, Origin.comet, 0);
  numberRun(run, 1);
  const rig = await DiskRig.open(join(temporaryDir(t), 'data'));
  const engine = rig.engine();
  await store(engine, { conversation: pair, expectedLast: 0, run });
  const [segment] = listSegments(rig.dir);
  const written = readFileSync(segment?.path ?? '');
  assert.ok(written.includes(record));
  for (const cut of [1, 20, record.length]) {
    const { table, tornBytes } = replay(t, written.subarray(0, written.length - cut));
    assert.deepEqual([textsOf(table), tornBytes], [[], written.length - cut - 40]);
  }
  await rig.close();
});

test('A record of another segment does not pass for one of this.', (t) => {
  const one = segmentOf([append(pair, 0, 'a')]);
  const other = segmentOf([append(pair, 0, 'a')], [append(pair, 1, 'of another')]);
  const stale = Buffer.concat([one.bytes, other.bytes.subarray(other.ends[1])]);
  const { table, tornBytes } = replay(t, stale);
  assert.deepEqual([textsOf(table), tornBytes], [['a'], stale.length - one.bytes.length]);
});

test('A segment whose head was cut off is empty; a head that is damaged in front of records is an error.', (t) => {
  const { bytes } = segmentOf([append(pair, 0, 'a')]);
  for (let length = 0; length < format.SEGMENT_HEAD_BYTES; length++) {
    const { table, tornBytes } = replay(t, bytes.subarray(0, length));
    assert.deepEqual([table.logs.size, tornBytes], [0, length]);
  }
  assert.deepEqual(replay(t, bytes.subarray(0, 40)).tornBytes, 0);
  const damaged = Buffer.from(bytes);
  damaged[16] = 1;
  assert.throws(() => replay(t, damaged), /segment\.log is damaged: the head of the segment/);
});

test('Messages that are in the tables already are left out; a gap in front of them is an error.', (t) => {
  const { bytes } = segmentOf([append(pair, 0, 'a', 'b')], [append(pair, 2, 'c')]);
  assert.deepEqual(textsOf(replay(t, bytes, () => 2).table), ['c']);
  assert.deepEqual(textsOf(replay(t, bytes, () => 3).table), []);
  const gap = segmentOf([append(pair, 4, 'e')], () => 4).bytes;
  assert.throws(() => replay(t, gap, () => 3), /conversation p:1:2: message 4 is missing in front of 5/);
});
