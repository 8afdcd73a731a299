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
  /** Writing failed, or works again (undefined). */
  onHealth(error: Error | undefined): void;
}

/** Size of the blocks that records are put together in. */
const BLOCK_BYTES = 1_048_576;

/**
 * The journal of one shard. What gathers while the disk is busy becomes one record: a commit. The
 * segment being written is indexed by the active memtable; when that is full the segment is handed
 * to the store's own thread, which moves it into the tables, and a new one is begun.
 */
export class Journal {
  readonly #options: JournalOptions;
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
  #failing = false;
  /** Why the tables cannot be written. */
  #stuck: Error | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #onIdle: (() => void) | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#sequence = options.sequence;
    options.storeThread.on('message', (message: FromStoreThread) => {
      this.#onStoreThread(message);
    });
    this.#timers.push(setInterval(this.#onAge, limits.memtableAgeMsMax / 4).unref());
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
    if (this.#frozen !== undefined && this.#active.bytes >= limits.journalBacklogBytesMax) {
      // Else it goes on when the tables have taken the older segment.
      if (this.#stuck !== undefined) this.#refuse(this.#stuck);
      return;
    }
    const full = this.#active.bytes >= limits.memtableBytesMax && this.#frozen === undefined;
    if (this.#file === undefined || full) return this.#beginSegment();
    this.#write(new Commit(this.#active, this.olderLast, this.#take()), this.#file);
  }

  /** As many of the waiting requests as one commit has room for. */
  #take(): WriteRequest[] {
    let bytes = 0;
    let taken = 0;
    for (const request of this.#queue) {
      if (taken > 0 && bytes + request.bytes > limits.commitBytesMax) break;
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
    const block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, bytes));
    blocks.push(block);
    this.#blockUsed = 0;
    return block;
  }

  /** Opens a segment; the one before, if there is one, is handed to the tables. */
  #beginSegment(): void {
    const { dir, shard, fsync } = this.#options;
    this.#busy = true;
    // A name that could not be used is not tried again: something may have been left there.
    JournalFile.create(dir, shard, this.#sequence++, fsync)
      .then(
        (file) => {
          const old = this.#file;
          this.#file = file;
          if (old !== undefined) this.#freeze(old);
        },
        (error: Error) => {
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

  #freeze(old: JournalFile): void {
    this.#frozen = this.#active;
    this.#active = new MemTable();
    this.#activeSince = Date.now();
    this.#blockUsed = 0;
    const { path, shard, sequence } = old;
    const request: ToStoreThread = { type: 'flush', segment: { path, shard, sequence } };
    // Its content can be read as soon as it was written; a close that fails changes nothing.
    void old
      .close()
      .catch(() => {})
      .then(() => this.#options.storeThread.postMessage(request));
  }

  #onStoreThread(message: FromStoreThread): void {
    if (message.type === 'stuck') {
      this.#stuck = new Error(message.error);
      this.#setHealth(this.#stuck);
    } else {
      this.#stuck = undefined;
      this.#options.tables.refresh();
      this.#frozen = undefined;
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
    const isOld = Date.now() - this.#activeSince >= limits.memtableAgeMsMax;
    if (!isOld || this.#active.bytes === 0 || this.#frozen !== undefined || this.#busy) return;
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
