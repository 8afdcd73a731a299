import type { MessagePort } from 'node:worker_threads';
import type { SegmentFile } from './segments.ts';
import type { SweepEnd } from './sweeps.ts';

/** From a shard, or from the main thread for a shard, to the store's thread. */
export type ToStoreThread =
  /** Move this segment into the tables. Answered by `flushed`, perhaps after `stuck`. */
  { readonly type: 'flush'; readonly segment: SegmentFile };

/** To a shard. */
export type FromStoreThread =
  | { readonly type: 'flushed' }
  /** The tables could not be written: it is tried again until it works. */
  | { readonly type: 'stuck'; readonly error: string };

/** From the main thread. */
export type StoreControl =
  /** A shard's own port. */
  | { readonly type: 'connect'; readonly shard: number; readonly port: MessagePort }
  /** Move what is left of a shard's journal (or of every shard's) into the tables. */
  | { readonly type: 'recover'; readonly shard: number | undefined }
  | { readonly type: 'stop' };

/** To the main thread: but for `swept` the answer to the oldest unanswered `recover`, or `stop`. */
export type StoreNews =
  | { readonly type: 'ready' }
  | {
      readonly type: 'recovered';
      readonly tornBytes: number;
      /** No segment has this sequence, or a higher one. */
      readonly sequence: number;
      readonly error: string | undefined;
    }
  | { readonly type: 'stopped' }
  /** Retention has looked at everything once more. */
  | { readonly type: 'swept'; readonly end: SweepEnd };
