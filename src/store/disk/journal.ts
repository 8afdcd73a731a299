import type { MessagePort } from 'node:worker_threads';
import { limits } from '../../limits.ts';
import type { Conversation } from '../conversation.ts';
import { Commit, refuseAppends, type WriteRequest } from './commit.ts';
import { JournalFile, type Fsync } from './journal-file.ts';
import { conversationBytes } from './layout.ts';
import { MemTable } from './memtable.ts';
import type { FromStoreThread, ToStoreThread } from './store-messages.ts';
import type { Tables } from './tables.ts';

export interface JournalOptions {
  readonly dir: string;
  readonly fsync: Fsync;
  readonly shard: number;
  readonly tables: Tables;
  /** Sequence of the first segment: no segment of this shard has it, or a higher one. */
  readonly sequence: number;
  /** To the thread that moves segments into the tables. */
  readonly storeThread: MessagePort;
  /** Other bounds than those of src/limits.ts. */
  readonly bounds?: Partial<JournalBounds>;
  /** Writing failed, or works again (undefined). */
  onHealth(error: Error | undefined): void;
}

export type JournalBounds = Record<
  'memtableBytesMax' | 'memtableAgeMsMax' | 'journalBacklogBytesMax' | 'commitBytesMax' | 'storeRetryMs',
  number
>;

/** Size of the blocks that records are put together in. */
const BLOCK_BYTES = 1_048_576;

/**
 * The journal of one shard. What gathers while the disk is busy becomes one record: a commit. The
 * segment being written is indexed by the active memtable; when that is full the segment is handed
 * to the store's own thread, which moves it into the tables, and a new one is begun.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #bounds: JournalBounds;
  #active = new MemTable();
  #activeSince = Date.now();
  /** On its way into the tables. */
  #frozen: MemTable | undefined;
  #file: JournalFile | undefined;
  #sequence: number;
  #queue: WriteRequest[] = [];
  /** A record is being written, or a segment opened. */
  #busy = false;
  #blockUsed = 0;
  /** Blocks of memtables that are gone, to be written again: memory outside of the heap that is
   *  allocated and left to the collector makes it run several times a second. */
  #spare: Buffer[] = [];
  #failing = false;
  /** Why the tables cannot be written. */
  #stuck: Error | undefined;
  /** Why no new segment could be begun when that was tried last, and when it is tried again. */
  #unopened: Error | undefined;
  #openAgainAt = 0;
  #scheduled: NodeJS.Immediate | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #onIdle: (() => void) | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#bounds = { ...limits, ...options.bounds };
    this.#sequence = options.sequence;
    options.storeThread.on('message', (message: FromStoreThread) => {
      this.#onStoreThread(message);
    });
    this.#timers.push(setInterval(this.#onAge, this.#bounds.memtableAgeMsMax / 4).unref());
    if (options.fsync === 'everysec') this.#timers.push(setInterval(this.#sync, 1_000).unref());
  }

  get active(): MemTable {
    return this.#active;
  }

  get frozen(): MemTable | undefined {
    return this.#frozen;
  }

  push(request: WriteRequest): void {
    this.#queue.push(request);
    // Whoever writes outside of a tick does not wait for the end of one.
    this.#scheduled ??= setImmediate(() => this.flush());
  }

  /** What was pushed so far is one commit, unless the disk is busy with the one before. */
  flush(): void {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#commit();
  }

  /** Everything is written, and the file closed. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.flush();
      this.#lookIdle();
    });
    await this.#file?.repair().catch(() => {}); // it was tried when the write failed
    await this.#file?.sync().catch(() => {}); // what is written is in the operating system
    await this.#file?.close();
    this.#options.storeThread.close();
  }

  /** Where a conversation ends in front of the active memtable. */
  readonly olderLast = (conversation: Conversation): number =>
    this.#frozen?.logs.get(conversation.key)?.last ??
    this.#options.tables.last(conversationBytes(conversation));

  last(conversation: Conversation): number {
    return this.#active.logs.get(conversation.key)?.last ?? this.olderLast(conversation);
  }

  #commit(): void {
    if (this.#busy || this.#queue.length === 0) return;
    const { memtableBytesMax, journalBacklogBytesMax } = this.#bounds;
    const { bytes } = this.#active;
    if (bytes >= journalBacklogBytesMax && !this.#mayFreeze) {
      const error = this.#frozen === undefined ? this.#unopened : this.#stuck;
      // Else it goes on when the tables have taken the older segment.
      if (error !== undefined) this.#refuse(error);
      return;
    }
    const full = bytes >= memtableBytesMax && this.#mayFreeze;
    if (this.#file === undefined || full) return this.#beginSegment();
    this.#write(new Commit(this.#active, this.olderLast, this.#take()), this.#file);
  }

  get #mayFreeze(): boolean {
    return this.#frozen === undefined && (this.#unopened === undefined || Date.now() >= this.#openAgainAt);
  }

  /** As many of the waiting requests as one commit has room for. */
  #take(): WriteRequest[] {
    let bytes = 0;
    let taken = 0;
    for (const request of this.#queue) {
      if (taken > 0 && bytes + request.bytes > this.#bounds.commitBytesMax) break;
      bytes += request.bytes;
      taken += 1;
    }
    const requests = this.#queue;
    this.#queue = requests.length === taken ? [] : requests.splice(taken);
    return requests;
  }

  #write(commit: Commit, file: JournalFile): void {
    const buf = this.#blockFor(commit.bytes);
    const start = this.#blockUsed;
    const block = this.#active.blocks.length - 1;
    const end = commit.write(buf, start);
    this.#busy = true;
    file.append(buf, start, end, (error) => {
      this.#busy = false;
      if (error === null) {
        this.#blockUsed = end;
        this.#active.bytes += end - start;
        commit.succeed(block);
      } else commit.fail(error);
      this.#setHealth(error ?? undefined);
      this.#commit();
      this.#lookIdle();
    });
  }

  #blockFor(bytes: number): Buffer {
    const { blocks } = this.#active;
    const current = blocks.at(-1);
    if (current !== undefined && this.#blockUsed + bytes <= current.length) return current;
    const spare = bytes <= BLOCK_BYTES ? this.#spare.pop() : undefined;
    const block = spare ?? Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes));
    blocks.push(block);
    this.#blockUsed = 0;
    return block;
  }

  /** Opens a segment; the one before, if there is one, is handed to the tables. */
  #beginSegment(): void {
    this.#busy = true;
    this.#openSegment()
      .then(
        (file) => {
          const old = this.#file;
          this.#file = file;
          this.#unopened = undefined;
          if (old !== undefined) this.#freeze(old);
        },
        (error: Error) => {
          // The old one is written on; that has a bound as well.
          this.#unopened = error;
          this.#openAgainAt = Date.now() + this.#bounds.storeRetryMs;
          if (this.#file === undefined) this.#refuse(error);
          else this.#setHealth(error);
        },
      )
      .finally(() => {
        this.#busy = false;
        this.#commit();
        this.#lookIdle();
      });
  }

  async #openSegment(): Promise<JournalFile> {
    const { dir, shard, fsync } = this.#options;
    // The tables would take what was refused.
    await this.#file?.repair();
    // A name that could not be used is not tried again: something may have been left there.
    return JournalFile.create(dir, shard, this.#sequence++, fsync);
  }

  #freeze(old: JournalFile): void {
    this.#frozen = this.#active;
    this.#active = new MemTable();
    this.#activeSince = Date.now();
    this.#blockUsed = 0;
    const { path, shard, sequence } = old;
    const request: ToStoreThread = { type: 'flush', segment: { path, shard, sequence } };
    // Its content can be read as soon as it was written; a close that fails changes nothing.
    const synced = this.#options.fsync === 'everysec' ? old.sync().catch(() => {}) : Promise.resolve();
    void synced
      .then(() => old.close())
      .catch(() => {})
      .then(() => this.#options.storeThread.postMessage(request));
  }

  #onStoreThread(message: FromStoreThread): void {
    if (message.type === 'stuck') {
      this.#stuck = new Error(message.error);
      this.#setHealth(this.#stuck);
    } else {
      this.#options.tables.refresh();
      this.#spare = this.#frozen?.blocks.filter(({ length }) => length === BLOCK_BYTES) ?? [];
      this.#spare.length = Math.min(
        this.#spare.length,
        Math.ceil(this.#bounds.memtableBytesMax / BLOCK_BYTES),
      );
      this.#frozen = undefined;
      if (this.#stuck !== undefined) {
        this.#stuck = undefined;
        this.#setHealth();
      }
    }
    this.#commit();
    this.#lookIdle();
  }

  #refuse(error: Error): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const request of queue) {
      if (request.type === 'append') refuseAppends(request, ({ conversation }) => this.last(conversation));
      else request.done(error);
    }
    this.#setHealth(error);
  }

  #setHealth(error = this.#stuck): void {
    if ((error !== undefined) === this.#failing) return;
    this.#failing = error !== undefined;
    this.#options.onHealth(error);
  }

  readonly #onAge = (): void => {
    const isOld = Date.now() - this.#activeSince >= this.#bounds.memtableAgeMsMax;
    if (!isOld || this.#active.bytes === 0 || !this.#mayFreeze || this.#busy) return;
    this.#beginSegment();
  };

  readonly #sync = (): void => {
    this.#file?.sync().catch((error: Error) => this.#setHealth(error));
  };

  #lookIdle(): void {
    if (this.#busy || this.#queue.length > 0) return;
    this.#onIdle?.();
    this.#onIdle = undefined;
  }
}
