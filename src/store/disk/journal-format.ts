import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import type { Run } from '../../wire/run.ts';
import type { UserId } from '../../wire/user-id.ts';
import type { Append, GroupChange, UserRecord } from '../store.ts';
import { FORMAT } from './layout.ts';
import { cursorOf, flatCursor, type FlatCursor } from './values.ts';

/**
 * A journal segment (docs/storage.md, "Journal"): what one shard was asked to write, a record for
 * each commit. Numbers are little-endian.
 *
 *   segment  0 magic | 8 format u32 | 12 shard u32 | 16 sequence f64 | 24 id, 8 random bytes
 *            | 32 crc of 0..31 u32 | 36 unused u32 | 40 records
 *   record   0 payload bytes u32 | 4 crc of the payload u32 | 8 number in the segment, from 1, u32
 *            | 12 crc of 0..11 u32 | 16 entries
 *   entry    0 type u8 | 1 content bytes u32 | 5 content
 *
 * Both checksums of a record begin with that of the segment's id, so that no message can pass for
 * a record, and no record of another segment for one of this.
 */
export const SEGMENT_HEAD_BYTES = 40;
export const RECORD_HEAD_BYTES = 16;
const ENTRY_HEAD_BYTES = 5;
/** Of a run, before its key: key bytes u16, kind u8, origin u8, count u32, first f64, time f64. */
export const RUN_HEAD_BYTES = 24;

const MAGIC = Buffer.from('ENCKEJNL');

export const EntryType = { run: 1, user: 2, group: 3 } as const;

export interface SegmentHead {
  readonly shard: number;
  readonly sequence: number;
  /** What the checksums of its records begin with. */
  readonly seed: number;
}

export function newSegmentHead(shard: number, sequence: number): { head: SegmentHead; bytes: Buffer } {
  const bytes = Buffer.alloc(SEGMENT_HEAD_BYTES);
  const id = randomBytes(8);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(FORMAT, 8);
  bytes.writeUInt32LE(shard, 12);
  bytes.writeDoubleLE(sequence, 16);
  id.copy(bytes, 24);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 32)), 32);
  return { head: { shard, sequence, seed: crc32(id) }, bytes };
}

/** Undefined when it is none: the segment was created, and its first write did not happen. */
export function readSegmentHead(bytes: Buffer): SegmentHead | undefined {
  if (bytes.length < SEGMENT_HEAD_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return undefined;
  if (crc32(bytes.subarray(0, 32)) !== bytes.readUInt32LE(32)) return undefined;
  return {
    shard: bytes.readUInt32LE(12),
    sequence: bytes.readDoubleLE(16),
    seed: crc32(bytes.subarray(24, 32)),
  };
}

export function writeRecordHead(
  buf: Buffer,
  at: number,
  payloadBytes: number,
  number: number,
  seed: number,
): void {
  const payload = at + RECORD_HEAD_BYTES;
  buf.writeUInt32LE(payloadBytes, at);
  buf.writeUInt32LE(crc32(buf.subarray(payload, payload + payloadBytes), seed), at + 4);
  buf.writeUInt32LE(number, at + 8);
  buf.writeUInt32LE(crc32(buf.subarray(at, at + 12), seed), at + 12);
}

/** Where the payload of the record at `at` ends; -1 when there is no whole record with this number. */
export function recordEnd(buf: Buffer, at: number, number: number, seed: number): number {
  if (buf.length - at < RECORD_HEAD_BYTES) return -1;
  if (crc32(buf.subarray(at, at + 12), seed) !== buf.readUInt32LE(at + 12)) return -1;
  if (buf.readUInt32LE(at + 8) !== number) return -1;
  const start = at + RECORD_HEAD_BYTES;
  const end = start + buf.readUInt32LE(at);
  if (end > buf.length || crc32(buf.subarray(start, end), seed) !== buf.readUInt32LE(at + 4)) return -1;
  return end;
}

export const runEntryBytes = (keyBytes: number, runBytes: number): number =>
  ENTRY_HEAD_BYTES + RUN_HEAD_BYTES + keyBytes + runBytes;

/** Writes the entry of a run; returns where its content begins. */
export function writeRunEntry(buf: Buffer, at: number, key: Buffer, { run }: Append): number {
  const content = writeEntryHead(buf, at, EntryType.run, RUN_HEAD_BYTES + key.length + run.bytes.length);
  buf.writeUInt16LE(key.length, content);
  buf[content + 2] = run.kind;
  buf[content + 3] = run.origin;
  buf.writeUInt32LE(run.count, content + 4);
  buf.writeDoubleLE(run.first, content + 8);
  buf.writeDoubleLE(run.time, content + 16);
  key.copy(buf, content + RUN_HEAD_BYTES);
  run.bytes.copy(buf, content + RUN_HEAD_BYTES + key.length);
  return content;
}

/** A run's entry [start, end): the bytes of its conversation, and the run, as views. */
export function readRunEntry(buf: Buffer, start: number, end: number): { key: Buffer; run: Run } {
  const runStart = start + RUN_HEAD_BYTES + buf.readUInt16LE(start);
  const run: Run = {
    bytes: buf.subarray(runStart, end),
    count: buf.readUInt32LE(start + 4),
    first: buf.readDoubleLE(start + 8),
    time: buf.readDoubleLE(start + 16),
    kind: (buf[start + 2] ?? 0) as Run['kind'],
    origin: (buf[start + 3] ?? 0) as Run['origin'],
  };
  return { key: buf.subarray(start + RUN_HEAD_BYTES, runStart), run };
}

export const packedEntryBytes = (packed: Buffer): number => ENTRY_HEAD_BYTES + packed.length;

export function writePackedEntry(buf: Buffer, at: number, type: number, packed: Buffer): void {
  packed.copy(buf, writeEntryHead(buf, at, type, packed.length));
}

function writeEntryHead(buf: Buffer, at: number, type: number, bytes: number): number {
  buf[at] = type;
  buf.writeUInt32LE(bytes, at + 1);
  return at + ENTRY_HEAD_BYTES;
}

/** Calls `visit` for each entry of the payload [start, end). */
export function visitEntries(
  buf: Buffer,
  start: number,
  end: number,
  visit: (type: number, start: number, end: number) => void,
): void {
  let at = start;
  while (at < end) {
    const content = at + ENTRY_HEAD_BYTES;
    const next = content + buf.readUInt32LE(at + 1);
    visit(buf[at] ?? 0, content, next);
    at = next;
  }
}

const packr = new Packr({ useRecords: false });

/** msgpack: [user, mailbox, devices, [[key, cursor], …]]. */
export const packUser = (user: UserId, { mailbox, devices, cursors }: UserRecord): Buffer =>
  Buffer.from(
    packr.pack([user, mailbox, devices, cursors.map((cursor) => [cursor.key, flatCursor(cursor)])]),
  );

export function unpackUser(bytes: Buffer): { user: UserId; change: UserRecord } {
  const [user, mailbox, devices, cursors] = packr.unpack(bytes) as [
    UserId,
    boolean,
    string[],
    [string, FlatCursor][],
  ];
  return { user, change: { mailbox, devices, cursors: cursors.map(([key, flat]) => cursorOf(key, flat)) } };
}

/** msgpack: [group, exists, joinedAt, joined mids, left mids]. */
export const packGroup = (group: number, { exists, joined, joinedAt, left }: GroupChange): Buffer =>
  Buffer.from(packr.pack([group, exists, joinedAt, joined, left]));

export function unpackGroup(bytes: Buffer): { group: number; change: GroupChange } {
  const [group, exists, joinedAt, joined, left] = packr.unpack(bytes) as [
    number,
    boolean,
    number,
    number[],
    number[],
  ];
  return { group, change: { exists, joinedAt, joined, left } };
}
