import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import type { Run } from '../../wire/run.ts';
import { runAfter, runLast } from '../../wire/run.ts';
import type { UserId } from '../../wire/user-id.ts';
import type { Conversation } from '../conversation.ts';
import type { Cursor, UserRecord } from '../store.ts';
import * as layout from './layout.ts';
import { damagedTables, tablesFile } from './tables-file.ts';
import * as values from './values.ts';

export type Database = RootDatabase<Buffer, Buffer>;

/** Address space for the tables, not disk space: the file grows as it is filled. */
const MAP_BYTES = 2 ** 40;
/** Threads that may read at once: shards, the store's own thread, tools. */
const READERS_MAX = 512;

/** Throws CorruptData, with what the operator can do. */
export function openDatabase(dir: string, readOnly = false): Database {
  try {
    return openTables(dir, readOnly);
  } catch (error) {
    throw damagedTables(tablesFile(dir), (error as Error).message);
  }
}

function openTables(dir: string, readOnly: boolean): Database {
  return open<Buffer, Buffer>({
    path: join(dir, 'tables'),
    noSubdir: false,
    encoding: 'binary',
    keyEncoding: 'binary',
    cache: false,
    mapSize: MAP_BYTES,
    maxReaders: READERS_MAX,
    readOnly,
    // A commit that has returned is on the disk: the journal it came from is deleted then.
    overlappingSync: false,
  });
}

/** A group's members, and whether it exists. */
export interface StoredGroup {
  readonly exists: boolean;
  readonly members: Map<number, number>;
}

/** Reads of the tables, which one thread writes and every thread reads. */
export class Tables {
  readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  /** From here on reads see everything that any thread has committed. */
  refresh(): void {
    this.db.resetReadTxn();
  }

  conversation(conversation: Buffer): values.ConversationRecord | undefined {
    const value = this.db.getBinary(layout.conversationKey(conversation));
    return value && values.decodeConversation(value);
  }

  last(conversation: Buffer): number {
    return this.conversation(conversation)?.last ?? 0;
  }

  /** Messages after `after`, oldest first, within the bounds but at least one run. */
  readRuns(conversation: Buffer, after: number, messagesMax: number, bytesMax: number): Run[] {
    const runs: Run[] = [];
    let next = after + 1;
    let messages = 0;
    let bytes = 0;
    const range = this.db.getRange({
      start: layout.chunkKey(conversation, next),
      end: layout.chunkKey(conversation, Number.MAX_SAFE_INTEGER),
    });
    for (const { value } of range) {
      for (const run of values.decodeChunk(value)) {
        if (runLast(run) < next) continue;
        const rest = runAfter(run, next - 1);
        messages += rest.count;
        bytes += rest.bytes.length;
        if (runs.length > 0 && (messages > messagesMax || bytes > bytesMax)) return runs;
        runs.push(rest);
        next = runLast(rest) + 1;
      }
      if (messages >= messagesMax || bytes >= bytesMax) break;
    }
    return runs;
  }

  *pairsOf(user: UserId): Generator<Conversation> {
    const start = layout.pairPrefix(user);
    for (const key of this.db.getKeys({ start, end: layout.prefixEnd(start) })) {
      yield layout.conversationAt(key, start.length);
    }
  }

  *groupsOf(mid: number): Generator<[group: number, joinedAt: number]> {
    const start = layout.groupsPrefix(mid);
    for (const { key, value } of this.db.getRange({ start, end: layout.prefixEnd(start) })) {
      yield [key.readUInt32BE(start.length), values.decodeNumber(value)];
    }
  }

  user(user: UserId): UserRecord | undefined {
    const value = this.db.getBinary(layout.userKey(user));
    if (value === undefined) return undefined;
    const cursors: Cursor[] = [];
    const start = layout.cursorPrefix(user);
    for (const { key, value: cursor } of this.db.getRange({ start, end: layout.prefixEnd(start) })) {
      cursors.push(values.decodeCursor(layout.conversationAt(key, start.length).key, cursor));
    }
    return { ...values.decodeUser(value), cursors };
  }

  group(group: number): StoredGroup | undefined {
    const value = this.db.getBinary(layout.groupKey(group));
    if (value === undefined) return undefined;
    const members = new Map<number, number>();
    const start = layout.memberPrefix(group);
    for (const { key, value: joinedAt } of this.db.getRange({ start, end: layout.prefixEnd(start) })) {
      members.set(key.readUInt32BE(start.length), values.decodeNumber(joinedAt));
    }
    return { exists: value[0] === 1, members };
  }

  async close(): Promise<void> {
    await this.db.close();
  }
}
