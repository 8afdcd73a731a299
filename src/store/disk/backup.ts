import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { limits } from '../../limits.ts';
import { bansFile, DataDirError, makeDir, writeFormat } from './data-dir.ts';
import { OWNER } from './dir-lock.ts';
import { writeMemTable } from './flush.ts';
import * as layout from './layout.ts';
import { journalDir, replayImage } from './segments.ts';
import { Snapshot, type Entry } from './snapshot.ts';
import { tablesFile } from './tables-file.ts';
import { openDatabase, Tables } from './tables.ts';
import * as values from './values.ts';

/** What a copy holds. */
export interface BackedUp {
  readonly conversations: number;
  readonly messages: number;
  /** Of the file of its tables. */
  readonly bytes: number;
}

/**
 * Copies a data directory, served or not, to one that does not exist or is empty. Everything that
 * was acknowledged before is in the copy. Tables are written anew, in the order of their keys, so
 * that they have no holes; what stands in journals is moved into them, as at the start of a server.
 * The file FORMAT comes last: without it nobody takes a half-made copy for a whole one.
 * Throws DataDirError when one of the directories is not right, CorruptData when a journal is.
 */
export async function backup(from: string, to: string): Promise<BackedUp> {
  const snapshot = Snapshot.open(from);
  try {
    const dir = emptyDir(to);
    const copied = await copy(snapshot, dir);
    copyBans(from, dir);
    finish(dir);
    return copied;
  } finally {
    await snapshot.close();
  }
}

async function copy(snapshot: Snapshot, dir: string): Promise<BackedUp> {
  const tables = new Tables(openDatabase(dir));
  try {
    copyTables(snapshot, tables);
    for (const segment of snapshot.segments) {
      // A cursor is saved after the messages that it stands for. Journals are read one after
      // another, so one that was saved meanwhile could stand for messages that are not copied.
      const { table } = replayImage(
        segment.path,
        snapshot.read(segment),
        (conversation) => tables.last(layout.conversationBytes(conversation)),
        segment.bytes,
      );
      tables.db.transactionSync(() => writeMemTable(tables, table));
      tables.refresh();
    }
    return { ...count(tables), bytes: statSync(tablesFile(dir)).size };
  } finally {
    await tables.close();
  }
}

/** Lines that are appended to: a copy may end in the middle of the last one, which is no harm. */
function copyBans(from: string, to: string): void {
  if (existsSync(bansFile(resolve(from)))) copyFileSync(bansFile(resolve(from)), bansFile(to));
}

function emptyDir(path: string): string {
  const dir = resolve(path);
  try {
    makeDir(dir);
    if (readdirSync(dir).length > 0) throw new DataDirError(`${dir} is not empty`);
    makeDir(journalDir(dir));
    makeDir(join(dir, 'tables'));
    return dir;
  } catch (error) {
    if (error instanceof DataDirError) throw error;
    throw new DataDirError(`${dir} cannot be written: ${(error as Error).message}`);
  }
}

function copyTables(snapshot: Snapshot, { db }: Tables): void {
  let batch: Entry[] = [];
  let bytes = 0;
  const commit = (): void => {
    const entries = batch;
    db.transactionSync(() => {
      for (const { key, value } of entries) db.putSync(key, value, { append: true });
    });
    batch = [];
    bytes = 0;
  };
  for (const entry of snapshot.entries()) {
    // The owner is the server of the original, and may stay so.
    if (entry.key.equals(OWNER)) continue;
    batch.push(entry);
    bytes += entry.key.length + entry.value.length;
    if (bytes >= limits.backupCommitBytesMax) commit();
  }
  commit();
}

function count({ db }: Tables): Pick<BackedUp, 'conversations' | 'messages'> {
  let conversations = 0;
  let messages = 0;
  const range = { start: layout.conversationsRange.start, end: layout.eventLogsRange.start };
  for (const { value } of db.getRange(range)) {
    const { last, floor } = values.decodeConversation(value);
    conversations += 1;
    messages += last - floor;
  }
  return { conversations, messages };
}

/** Names are on the disk as well as what they name. */
function finish(dir: string): void {
  for (const inner of [journalDir(dir), join(dir, 'tables')]) syncDirectory(inner);
  writeFormat(dir);
  syncDirectory(dir);
  syncDirectory(dirname(dir));
}

function syncDirectory(dir: string): void {
  if (process.platform === 'win32') return; // directories cannot be opened there
  const file = openSync(dir, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
