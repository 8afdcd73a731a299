import { limits } from '../../limits.ts';
import { runLast, type Run } from '../../wire/run.ts';
import { conversationOf, isGroup } from '../conversation.ts';
import * as layout from './layout.ts';
import type { GroupDelta, MemTable, TailLog, UserDelta } from './memtable.ts';
import { deleteSegment, replaySegment, type SegmentFile } from './segments.ts';
import type { Tables } from './tables.ts';
import * as values from './values.ts';
import type { UserId } from '../../wire/user-id.ts';

/** Moves what a journal segment holds into the tables, in one transaction, and deletes it. */
export function flushSegment(tables: Tables, segment: SegmentFile): { tornBytes: number } {
  tables.refresh(); // the segment before this one may have been moved in the same turn
  const { table, tornBytes } = replaySegment(segment.path, (conversation) =>
    tables.last(layout.conversationBytes(conversation)),
  );
  tables.db.transactionSync(() => writeMemTable(tables, table));
  deleteSegment(segment);
  return { tornBytes };
}

export function writeMemTable(tables: Tables, table: MemTable): void {
  for (const log of table.logs.values()) if (!log.isEmpty) writeLog(tables, table, log);
  for (const [user, delta] of table.users) writeUser(tables, user, delta);
  for (const [group, delta] of table.groups) writeGroup(tables, group, delta);
}

function writeLog(tables: Tables, table: MemTable, log: TailLog): void {
  const { db } = tables;
  const { key, conversation } = log;
  const stored = tables.conversation(key);
  const fresh = table.allRuns(log, stored?.last ?? 0);
  let { bytes, chunks } = stored ?? { bytes: 0, chunks: 0 };
  const small = stored && smallTail(tables, key, stored.last, fresh);
  if (stored !== undefined && small !== undefined) {
    void db.remove(layout.chunkKey(key, stored.last));
    bytes -= small.bytes;
    chunks -= 1;
  }
  for (const runs of inChunks([...(small?.runs ?? []), ...fresh])) {
    const value = values.encodeChunk(runs);
    void db.put(layout.chunkKey(key, runLast(runs.at(-1) as Run)), value);
    bytes += value.length;
    chunks += 1;
  }
  const { last, time } = log;
  const record = { last, floor: stored?.floor ?? 0, time, bytes, chunks };
  void db.put(layout.conversationKey(key), values.encodeConversation(record));
  if (stored !== undefined || isGroup(conversation)) return;
  for (const user of [conversation.low, conversation.high]) void db.put(layout.pairKey(user, key), NOTHING);
}

const NOTHING = Buffer.alloc(0);

/** The last chunk of a conversation, if it is so small that it is written again with what follows. */
function smallTail(
  tables: Tables,
  key: Buffer,
  last: number,
  fresh: readonly Run[],
): { runs: Run[]; bytes: number } | undefined {
  const value = tables.db.getBinary(layout.chunkKey(key, last));
  if (value === undefined || value.length >= limits.chunkMergeBytesMax) return undefined;
  if (value.length + (fresh[0]?.bytes.length ?? 0) > limits.chunkBytesMax) return undefined;
  try {
    return { runs: values.decodeChunk(value), bytes: value.length };
  } catch (error) {
    if (!(error instanceof values.CorruptData)) throw error;
    return undefined; // it stays as it is: one damaged value does not keep everything else from the tables
  }
}

/** Cuts runs into lists of about limits.chunkBytesMax each. */
function* inChunks(runs: readonly Run[]): Generator<Run[]> {
  let chunk: Run[] = [];
  let bytes = 0;
  for (const run of runs) {
    if (chunk.length > 0 && bytes + run.bytes.length > limits.chunkBytesMax) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(run);
    bytes += run.bytes.length;
  }
  if (chunk.length > 0) yield chunk;
}

function writeUser({ db }: Tables, user: UserId, { mailbox, devices, cursors }: UserDelta): void {
  void db.put(layout.userKey(user), values.encodeUser({ mailbox, devices }));
  for (const [key, cursor] of cursors) {
    void db.put(
      layout.cursorKey(user, layout.conversationBytes(conversationOf(key))),
      values.encodeCursor(cursor),
    );
  }
}

function writeGroup({ db }: Tables, group: number, { exists, members }: GroupDelta): void {
  void db.put(layout.groupKey(group), Buffer.of(exists ? 1 : 0));
  for (const [mid, joinedAt] of members) {
    if (joinedAt < 0) {
      void db.remove(layout.memberKey(group, mid));
      void db.remove(layout.groupsKey(mid, group));
    } else {
      void db.put(layout.memberKey(group, mid), values.encodeNumber(joinedAt));
      void db.put(layout.groupsKey(mid, group), values.encodeNumber(joinedAt));
    }
  }
}
