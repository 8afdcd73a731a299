import { stat } from 'node:fs/promises';
import type { MessagePort } from 'node:worker_threads';
import type { Logger } from 'pino';
import { dataBytes } from '../store/disk/data-dir.ts';
import type { Fsync } from '../store/disk/journal-file.ts';
import type { RetentionRules } from '../store/disk/retention.ts';
import { StoreWorker } from '../store/disk/store-worker.ts';
import { tablesFile } from '../store/disk/tables-file.ts';
import type { SweepEnd } from '../store/disk/sweeps.ts';
import type { Segment } from '../store/memory-journal.ts';
import type { FromShardControl, StoreTask } from './control.ts';

/** What a shard tells of its store. */
export type StoreNews = Extract<FromShardControl, { type: 'keep' | 'drop' }>;

/** The part of the store that lives in the main thread, and outlives shard threads. */
export interface ShardStores {
  /** Before any shard: takes what is stored. Rejects with a message for the operator. */
  open(): Promise<void>;
  /** What a shard's thread is started with, also after one that died. */
  prepare(shard: number): Promise<PreparedStore>;
  /** Shards tell of segments of the memory store. */
  onMessage(shard: number, message: StoreNews): void;
  /** Size of the file of the tables; 0 if there is none. */
  tablesBytes(): Promise<number>;
  /** What is kept takes so much, on the disk or in memory. */
  bytes(): Promise<number>;
  /** After all shards. */
  close(): Promise<void>;
}

export interface PreparedStore {
  readonly task: StoreTask;
  readonly transfer: readonly MessagePort[];
}

/** `--store memory`: the segments of each shard. */
export class MemoryStores implements ShardStores {
  readonly #bytesMax: number;
  readonly #segments = new Map<number, Map<number, Segment>>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  async open(): Promise<void> {}

  async prepare(shard: number): Promise<PreparedStore> {
    const segments = [...(this.#segments.get(shard)?.values() ?? [])];
    return { task: { type: 'memory', bytesMax: this.#bytesMax, segments }, transfer: [] };
  }

  onMessage(shard: number, message: StoreNews): void {
    let segments = this.#segments.get(shard);
    if (segments === undefined) this.#segments.set(shard, (segments = new Map()));
    if (message.type === 'keep') segments.set(message.segment.number, message.segment);
    else segments.delete(message.number);
  }

  async tablesBytes(): Promise<number> {
    return 0;
  }

  async bytes(): Promise<number> {
    let bytes = 0;
    for (const segments of this.#segments.values()) {
      for (const { memory } of segments.values()) bytes += memory.byteLength;
    }
    return bytes;
  }

  async close(): Promise<void> {}
}

export interface DiskStoreOptions {
  readonly dir: string;
  readonly fsync: Fsync;
  /** Undefined: everything is kept. */
  readonly retention: RetentionRules | undefined;
  readonly logger: Logger;
  /** The server cannot go on. */
  readonly onFatal: (error: Error) => void;
}

/** `--store disk`: the data directory and the thread that writes its tables. */
export class DiskStores implements ShardStores {
  readonly #options: DiskStoreOptions;
  #worker: StoreWorker | undefined;
  #started = new Set<number>();

  constructor(options: DiskStoreOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { dir, retention, logger, onFatal } = this.#options;
    const worker = await StoreWorker.open(dir, retention);
    let tornBytes: number;
    try {
      ({ tornBytes } = await worker.recover());
    } catch (error) {
      await worker.close();
      throw error;
    }
    worker.onDeath = onFatal;
    worker.onSwept = (end) => this.#onSwept(end);
    this.#worker = worker;
    if (tornBytes > 0) logger.warn({ tornBytes }, 'commits that a crash had cut off were left out');
  }

  async prepare(shard: number): Promise<PreparedStore> {
    const worker = this.#worker;
    if (worker === undefined) throw new Error('the store is not open');
    // A thread that died has left a journal; at the first start there is nothing left.
    const sequence = this.#started.has(shard) ? (await worker.recover(shard)).sequence : 1;
    this.#started.add(shard);
    const port = worker.connect(shard);
    const { fsync } = this.#options;
    return { task: { type: 'disk', dir: worker.dir, fsync, sequence, port }, transfer: [port] };
  }

  onMessage(): void {}

  async tablesBytes(): Promise<number> {
    const file = await stat(tablesFile(this.#options.dir)).catch(() => undefined);
    return file?.size ?? 0;
  }

  bytes(): Promise<number> {
    return dataBytes(this.#options.dir);
  }

  #onSwept({ error, ...removed }: SweepEnd): void {
    const { logger } = this.#options;
    if (error !== undefined) logger.error({ err: new Error(error) }, 'retention failed: it is tried again');
    if (removed.messages > 0) logger.info(removed, 'old messages were removed');
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker === undefined) return;
    // So that the next start has nothing to do; it does this itself if it fails here.
    await worker.recover().catch((error: Error) => {
      this.#options.logger.warn({ err: error }, 'the journal was not moved into the tables');
    });
    await worker.close();
  }
}
