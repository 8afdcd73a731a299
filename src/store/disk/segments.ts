import { readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { conversationAt } from './layout.ts';
import {
  EntryType,
  readSegmentHead,
  recordEnd,
  RECORD_HEAD_BYTES,
  RUN_HEAD_BYTES,
  SEGMENT_HEAD_BYTES,
  unpackGroup,
  unpackUser,
  visitEntries,
  type SegmentHead,
} from './journal-format.ts';
import type { Conversation } from '../conversation.ts';
import { MemTable } from './memtable.ts';
import { CorruptData } from './values.ts';

const NAME = /^(\d{3})-(\d{12})\.log$/;

export interface SegmentFile {
  readonly path: string;
  readonly shard: number;
  readonly sequence: number;
}

export const journalDir = (dir: string): string => join(dir, 'journal');

export function segmentPath(dir: string, shard: number, sequence: number): string {
  return join(journalDir(dir), `${String(shard).padStart(3, '0')}-${String(sequence).padStart(12, '0')}.log`);
}

/** The segments of all shards, or of one, each shard's oldest first. */
export function listSegments(dir: string, shard?: number): SegmentFile[] {
  const files: SegmentFile[] = [];
  for (const name of readdirSync(journalDir(dir)).sort()) {
    const [match, itsShard, sequence] = NAME.exec(name) ?? [];
    if (match === undefined || (shard !== undefined && Number(itsShard) !== shard)) continue;
    files.push({ path: join(journalDir(dir), name), shard: Number(itsShard), sequence: Number(sequence) });
  }
  return files;
}

export const deleteSegment = ({ path }: SegmentFile): void => unlinkSync(path);

export interface Replayed {
  readonly table: MemTable;
  /** Bytes at the end that are no whole record: a commit that was cut off, and never acknowledged. */
  readonly tornBytes: number;
}

/** Reads a segment into a memtable; `lastOf` says what is older than it. Throws CorruptData. */
export function replaySegment(path: string, lastOf: (conversation: Conversation) => number): Replayed {
  return replayImage(path, readFileSync(path), lastOf);
}

/** The same of a segment's content, without changes of users that stand at `usersEnd` or behind it. */
export function replayImage(
  path: string,
  buf: Buffer,
  lastOf: (conversation: Conversation) => number,
  usersEnd = Infinity,
): Replayed {
  const table = new MemTable();
  table.blocks.push(buf);
  const tornBytes = visitSegment(path, buf, (type, content, end) => {
    if (type === EntryType.run) replayRun(table, buf, content, lastOf);
    else if (type === EntryType.user) {
      if (content >= usersEnd) return;
      const { user, change } = unpackUser(buf.subarray(content, end));
      table.changeUser(user, change);
    } else if (type === EntryType.group) {
      const { group, change } = unpackGroup(buf.subarray(content, end));
      table.changeGroup(group, change);
    }
  });
  table.bytes = buf.length - tornBytes;
  return { table, tornBytes };
}

/**
 * Calls `visit` for the entries of a segment; returns how many bytes at its end are no whole record:
 * one that was cut off was acknowledged to nobody. Anything else that does not fit is an error:
 * CorruptData.
 */
export function visitSegment(
  path: string,
  buf: Buffer,
  visit: (type: number, start: number, end: number) => void,
): number {
  const head = readSegmentHead(buf);
  if (head === undefined) {
    // The head is on the disk before the segment is used.
    if (buf.length > SEGMENT_HEAD_BYTES)
      throw damaged(path, 'the head of the segment is not what was written');
    return buf.length;
  }
  let at = SEGMENT_HEAD_BYTES;
  let number = 1;
  try {
    for (; at < buf.length; number++) {
      const end = recordEnd(buf, at, number, head.seed);
      if (end < 0) break;
      visitEntries(buf, at + RECORD_HEAD_BYTES, end, visit);
      at = end;
    }
  } catch (error) {
    throw error instanceof CorruptData ? damaged(path, error.message) : error;
  }
  if (at < buf.length && hasRecordAfter(buf, at, number, head)) {
    throw damaged(path, `byte ${at} and on are not what was written, in front of records that are whole`);
  }
  return buf.length - at;
}

/** With what the operator can do. */
const damaged = (path: string, what: string): CorruptData =>
  new CorruptData(
    `${path} is damaged: ${what}; restore the directory from a backup, or move this file away ` +
      'and lose the messages in it',
  );

function replayRun(
  table: MemTable,
  buf: Buffer,
  content: number,
  lastOf: (conversation: Conversation) => number,
): void {
  const log = table.log(conversationAt(buf, content + RUN_HEAD_BYTES), lastOf);
  const first = buf.readDoubleLE(content + 8);
  const count = buf.readUInt32LE(content + 4);
  if (first + count - 1 <= log.last) return; // it is in the tables already
  if (first > log.last + 1) {
    throw new CorruptData(
      `conversation ${log.conversation.key}: message ${log.last + 1} is missing in front of ${first}`,
    );
  }
  table.addRun(log, first, count, buf.readDoubleLE(content + 16), 0, content);
}

/** Whether a later commit is whole, which cannot be behind one that was cut off. */
function hasRecordAfter(buf: Buffer, from: number, number: number, { seed }: SegmentHead): boolean {
  for (let at = from + 1; at + RECORD_HEAD_BYTES <= buf.length; at++) {
    // Most places are told from a record by the number alone.
    const found = buf.readUInt32LE(at + 8);
    if (found > number && found - number < buf.length && recordEnd(buf, at, found, seed) >= 0) return true;
  }
  return false;
}
