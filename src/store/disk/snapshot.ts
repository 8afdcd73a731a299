import { closeSync, existsSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import type { RangeOptions, Transaction } from 'lmdb';
import { limits } from '../../limits.ts';
import { existingDataDir } from './data-dir.ts';
import { listSegments, type SegmentFile } from './segments.ts';
import { checkTablesFile, damagedTables, tablesFile } from './tables-file.ts';
import { openDatabase, type Database } from './tables.ts';

/** A segment that can be read to its end even if it is moved into the tables meanwhile. */
export interface HeldSegment extends SegmentFile {
  readonly file: number;
  /** Its length before any segment was read. */
  readonly bytes: number;
}

export interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

/**
 * A data directory as of one moment, for reading, also while a server writes to it. The journals
 * are opened first, then the tables' snapshot is taken: what is moved in between would be in both
 * or, if more than one segment was, an old change could be laid over a newer one; then it is tried
 * again. So segments hold what the snapshot does not have, and perhaps the last that it has.
 */
export class Snapshot {
  readonly dir: string;
  readonly segments: readonly HeldSegment[];
  readonly #db: Database;
  readonly #transaction: Transaction;

  /** Throws DataDirError, or CorruptData when the tables cannot be opened. */
  static open(path: string): Snapshot {
    const dir = existingDataDir(path);
    if (!existsSync(tablesFile(dir))) throw damagedTables(tablesFile(dir), 'it is not there');
    checkTablesFile(dir);
    const db = openDatabase(dir, true);
    try {
      for (let attempt = 0; attempt < limits.snapshotAttemptsMax; attempt++) {
        const segments = holdSegments(dir);
        db.resetReadTxn();
        const transaction = db.useReadTransaction();
        if (segments?.every(({ path: segment }) => existsSync(segment)) === true) {
          return new Snapshot(dir, segments, db, transaction);
        }
        transaction.done();
        for (const { file } of segments ?? []) closeSync(file);
      }
    } catch (error) {
      void db.close();
      throw error;
    }
    void db.close();
    throw new Error(`the journals of ${dir} change too quickly: try again`);
  }

  private constructor(dir: string, segments: readonly HeldSegment[], db: Database, transaction: Transaction) {
    this.dir = dir;
    this.segments = segments;
    this.#db = db;
    this.#transaction = transaction;
  }

  /** All that is in a segment by now. */
  read({ file }: HeldSegment): Buffer {
    return readFileSync(file);
  }

  /** Entries of the tables in the order of their keys. */
  entries(range: Pick<RangeOptions, 'start' | 'end'> = {}): Iterable<Entry> {
    return this.#db.getRange({ ...range, transaction: this.#transaction });
  }

  get(key: Buffer): Buffer | undefined {
    return this.#db.get(key, { transaction: this.#transaction });
  }

  /** The tables' file may be longer than what is in use: pages that are free are used again. */
  get tablesBytes(): number {
    return statSync(tablesFile(this.dir)).size;
  }

  async close(): Promise<void> {
    for (const { file } of this.segments) closeSync(file);
    this.#transaction.done();
    await this.#db.close();
  }
}

/** Undefined when one vanished meanwhile: it is in the tables. */
function holdSegments(dir: string): HeldSegment[] | undefined {
  const held: HeldSegment[] = [];
  try {
    for (const segment of listSegments(dir)) {
      const file = openSync(segment.path, 'r');
      held.push({ ...segment, file, bytes: 0 });
    }
    return held.map((segment) => ({ ...segment, bytes: fstatSync(segment.file).size }));
  } catch (error) {
    for (const { file } of held) closeSync(file);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
