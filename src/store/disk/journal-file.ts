import { constants, fdatasync, ftruncate, write } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { newSegmentHead, RECORD_HEAD_BYTES, SEGMENT_HEAD_BYTES, writeRecordHead } from './journal-format.ts';
import { journalDir, segmentPath, type SegmentFile } from './segments.ts';

/** When a commit counts as done (docs/storage.md, "Durability"). */
export type Fsync = 'always' | 'everysec' | 'no';

/**
 * Writes that return when the disk has them: one system call instead of a write and an fdatasync,
 * which is a quarter less of CPU time for a small commit. Elsewhere the flag is missing or, on macOS, does
 * not reach the disk itself: there both are called.
 */
const DSYNC = process.platform === 'linux' ? constants.O_DSYNC : undefined;

/** A journal segment that is being written: one record at a time. */
export class JournalFile implements SegmentFile {
  readonly path: string;
  readonly shard: number;
  readonly sequence: number;
  readonly #handle: FileHandle;
  readonly #seed: number;
  readonly #syncAfterWrite: boolean;
  #at = SEGMENT_HEAD_BYTES;
  #number = 1;
  /** Bytes behind `#at` of a record that failed are to be cut off. */
  #torn = false;
  /** Written since the last `sync`. */
  #unsynced = false;

  private constructor(segment: SegmentFile, handle: FileHandle, seed: number, syncAfterWrite: boolean) {
    this.path = segment.path;
    this.shard = segment.shard;
    this.sequence = segment.sequence;
    this.#handle = handle;
    this.#seed = seed;
    this.#syncAfterWrite = syncAfterWrite;
  }

  /** Creates a segment; its head and its name are on the disk when it resolves. */
  static async create(dir: string, shard: number, sequence: number, fsync: Fsync): Promise<JournalFile> {
    const path = segmentPath(dir, shard, sequence);
    const { O_CREAT, O_EXCL, O_RDWR } = constants;
    const dsync = fsync === 'always' ? (DSYNC ?? 0) : 0;
    const handle = await open(path, O_CREAT | O_EXCL | O_RDWR | dsync, 0o600);
    try {
      const { head, bytes } = newSegmentHead(shard, sequence);
      await handle.writeFile(bytes);
      if (fsync !== 'no') {
        await handle.sync();
        await syncDirectory(journalDir(dir));
      }
      const syncAfterWrite = fsync === 'always' && dsync === 0;
      return new JournalFile({ path, shard, sequence }, handle, head.seed, syncAfterWrite);
    } catch (error) {
      await handle.close().catch(() => {});
      await unlink(path).catch(() => {}); // an empty segment is none, should it stay
      throw error;
    }
  }

  /**
   * Appends a record: `buf` from `start` to `end`, of which the first RECORD_HEAD_BYTES are free
   * for its head. `done` is called once, with the error if the record is not in the journal.
   */
  append(buf: Buffer, start: number, end: number, done: (error: Error | null) => void): void {
    writeRecordHead(buf, start, end - start - RECORD_HEAD_BYTES, this.#number, this.#seed);
    const settle = (error: Error | null): void => {
      if (error === null) {
        this.#at += end - start;
        this.#number += 1;
        this.#unsynced = true;
        return done(null);
      }
      // It may be there in full all the same: nobody may read it later.
      this.#torn = true;
      this.#cutOff(() => done(error));
    };
    this.#cutOff((error) => {
      if (error !== null) done(error);
      else this.#write(buf, start, end, this.#at, settle);
    });
  }

  /** Cuts off what a failed write has left, if it has. */
  #cutOff(done: (error: Error | null) => void): void {
    if (!this.#torn) return done(null);
    ftruncate(this.#handle.fd, this.#at, (error) => {
      if (error === null) this.#torn = false;
      done(error);
    });
  }

  /** Nothing stands behind the last whole record when it resolves. */
  repair(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#cutOff((error) => (error === null ? resolve() : reject(error)));
    });
  }

  #write(buf: Buffer, start: number, end: number, at: number, done: (error: Error | null) => void): void {
    write(this.#handle.fd, buf, start, end - start, at, (error, written) => {
      if (error !== null) done(error);
      else if (written === 0) done(new Error('the journal takes no more bytes'));
      else if (written < end - start) this.#write(buf, start + written, end, at + written, done);
      else if (this.#syncAfterWrite) fdatasync(this.#handle.fd, done);
      else done(null);
    });
  }

  /** What was written is on the disk when it resolves. */
  async sync(): Promise<void> {
    if (!this.#unsynced) return;
    this.#unsynced = false;
    try {
      await this.#handle.datasync();
    } catch (error) {
      this.#unsynced = true;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** A new name in a directory is on the disk. Not every system lets a directory be synced. */
async function syncDirectory(dir: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(dir, constants.O_RDONLY);
  } catch (error) {
    if (process.platform === 'win32') return;
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
