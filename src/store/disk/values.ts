import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import type { PayloadKind, Origin, Run } from '../../wire/run.ts';
import type { Cursor, UserRecord } from '../store.ts';

/** Values of the tables (docs/storage.md, "Tables"). Numbers are little-endian. */

/** What is kept of a conversation beside its chunks. */
export interface ConversationRecord {
  /** Number of the newest message. */
  readonly last: number;
  /** Messages up to here were removed by retention; 0: none. */
  readonly floor: number;
  /** Time of the newest message, ms since the epoch. */
  readonly time: number;
  /** Of all chunks together. */
  readonly bytes: number;
  readonly chunks: number;
}

export const CONVERSATION_BYTES = 40;

export function encodeConversation({ last, floor, time, bytes, chunks }: ConversationRecord): Buffer {
  const value = Buffer.allocUnsafe(CONVERSATION_BYTES);
  value.writeDoubleLE(last, 0);
  value.writeDoubleLE(floor, 8);
  value.writeDoubleLE(time, 16);
  value.writeDoubleLE(bytes, 24);
  value.writeDoubleLE(chunks, 32);
  return value;
}

export const decodeConversation = (value: Buffer): ConversationRecord => ({
  last: value.readDoubleLE(0),
  floor: value.readDoubleLE(8),
  time: value.readDoubleLE(16),
  bytes: value.readDoubleLE(24),
  chunks: value.readDoubleLE(32),
});

/** A value that is not what was written: the disk or somebody changed it. */
export class CorruptData extends Error {
  override readonly name = 'CorruptData';
}

/** crc u32, runs u32, first f64, time of the last run f64. */
export const CHUNK_HEAD_BYTES = 24;
/** count u32, bytes u32, time f64, kind u8, origin u8, unused u16; its frames follow. */
const CHUNK_RUN_HEAD_BYTES = 20;

export const chunkBytes = (runs: readonly Run[]): number =>
  runs.reduce((bytes, run) => bytes + CHUNK_RUN_HEAD_BYTES + run.bytes.length, CHUNK_HEAD_BYTES);

export function encodeChunk(runs: readonly Run[]): Buffer {
  const value = Buffer.allocUnsafe(chunkBytes(runs));
  value.writeUInt32LE(runs.length, 4);
  value.writeDoubleLE(runs[0]?.first ?? 0, 8);
  value.writeDoubleLE(runs.at(-1)?.time ?? 0, 16);
  let at = CHUNK_HEAD_BYTES;
  for (const run of runs) {
    value.writeUInt32LE(run.count, at);
    value.writeUInt32LE(run.bytes.length, at + 4);
    value.writeDoubleLE(run.time, at + 8);
    value[at + 16] = run.kind;
    value[at + 17] = run.origin;
    value.writeUInt16LE(0, at + 18);
    at += CHUNK_RUN_HEAD_BYTES;
    at += run.bytes.copy(value, at);
  }
  value.writeUInt32LE(crc32(value.subarray(4)), 0);
  return value;
}

/** The runs of a chunk, as views. Throws CorruptData. */
export function decodeChunk(value: Buffer): Run[] {
  if (value.length < CHUNK_HEAD_BYTES || crc32(value.subarray(4)) !== value.readUInt32LE(0)) {
    throw new CorruptData('a chunk of messages is not what was written: its checksum does not fit');
  }
  const runs: Run[] = [];
  let first = value.readDoubleLE(8);
  let at = CHUNK_HEAD_BYTES;
  for (let left = value.readUInt32LE(4); left > 0; left--) {
    const count = value.readUInt32LE(at);
    const start = at + CHUNK_RUN_HEAD_BYTES;
    const end = start + value.readUInt32LE(at + 4);
    runs.push({
      bytes: value.subarray(start, end),
      count,
      first,
      time: value.readDoubleLE(at + 8),
      kind: (value[at + 16] ?? 0) as PayloadKind,
      origin: (value[at + 17] ?? 0) as Origin,
    });
    first += count;
    at = end;
  }
  return runs;
}

/** Time of the newest message of a chunk. */
export const chunkTime = (value: Buffer): number => value.readDoubleLE(16);

const packr = new Packr({ useRecords: false });

/** msgpack: [mailbox, devices]. */
export const encodeUser = ({ mailbox, devices }: Omit<UserRecord, 'cursors'>): Buffer =>
  Buffer.from(packr.pack([mailbox, devices]));

export function decodeUser(value: Buffer): Omit<UserRecord, 'cursors'> {
  const [mailbox, devices] = packr.unpack(value) as [boolean, string[]];
  return { mailbox, devices };
}

/** A cursor as it is packed: delivered, readTo, [from, to, …], [device, number, …]. */
export type FlatCursor = readonly [number, number, readonly number[], readonly (string | number)[]];

export const flatCursor = ({ delivered, devices, readTo, read }: Cursor): FlatCursor => [
  delivered,
  readTo,
  read,
  Object.entries(devices).flat(),
];

export function cursorOf(key: string, [delivered, readTo, read, flat]: FlatCursor): Cursor {
  const devices: [string, number][] = [];
  for (let i = 0; i < flat.length; i += 2) devices.push([String(flat[i]), Number(flat[i + 1])]);
  // fromEntries makes own properties, whatever a device is called.
  return { key, delivered, devices: Object.fromEntries(devices), readTo, read };
}

/** msgpack of a FlatCursor. */
export const encodeCursor = (cursor: Cursor): Buffer => Buffer.from(packr.pack(flatCursor(cursor)));

export const decodeCursor = (key: string, value: Buffer): Cursor =>
  cursorOf(key, packr.unpack(value) as FlatCursor);

export function encodeNumber(n: number): Buffer {
  const value = Buffer.allocUnsafe(8);
  value.writeDoubleLE(n, 0);
  return value;
}

export const decodeNumber = (value: Buffer): number => value.readDoubleLE(0);
