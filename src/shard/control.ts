import type { MessagePort } from 'node:worker_threads';
import type { ShardFigures } from '../metrics/shard-figures.ts';
import type { Fsync } from '../store/disk/journal-file.ts';
import type { Segment } from '../store/memory-journal.ts';
import type { WebhookOptions } from '../webhook/options.ts';
import type { RateOptions } from './rates.ts';

/** What a shard's thread is started with: the task that piscina runs in it. */
export interface ShardTask {
  readonly shard: number;
  readonly shards: number;
  readonly packageBytesMax: number;
  readonly idleTimeoutMs: number;
  readonly rates: RateOptions;
  readonly logLevel: string;
  readonly store: StoreTask;
  /** Absent: no webhooks, and no before_send. */
  readonly webhooks?: WebhookOptions;
  /** When the server started, in ms since 1970. */
  readonly startedAt: number;
  readonly control: MessagePort;
  readonly lane: MessagePort;
}

export type StoreTask = MemoryTask | DiskTask;

export interface MemoryTask {
  readonly type: 'memory';
  /** Of all shards together. */
  readonly bytesMax: number;
  /** Of this shard, left by a thread that died. */
  readonly segments: readonly Segment[];
}

export interface DiskTask {
  readonly type: 'disk';
  readonly dir: string;
  readonly fsync: Fsync;
  /** The first free sequence for this shard's journal. */
  readonly sequence: number;
  /** To the store's thread. */
  readonly port: MessagePort;
}

/** From the main thread to a shard. */
export type ToShardControl =
  /** Another node of the actor system: a shard, or the main thread. */
  | { readonly type: 'connect'; readonly node: number; readonly port: MessagePort }
  /** A shard's thread died: what it was told and had not answered is lost. */
  | { readonly type: 'lost'; readonly node: number }
  /** A shard that was lost is back. */
  | { readonly type: 'back'; readonly node: number }
  /** A scrape: answered by `figures`. */
  | { readonly type: 'figures' }
  | { readonly type: 'stop' };

/** From a shard to the main thread. */
export type FromShardControl =
  | { readonly type: 'ready'; readonly threadId: number }
  | { readonly type: 'figures'; readonly figures: ShardFigures }
  | { readonly type: 'keep'; readonly segment: Segment }
  | { readonly type: 'drop'; readonly number: number };
