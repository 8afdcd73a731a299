import type { MessagePort } from 'node:worker_threads';
import type { FrameCounts } from './links.ts';
import type { LinkLimits } from './outbox.ts';

/** What a thread is started with. */
export interface ThreadData {
  readonly node: number;
  readonly threads: number;
  /** URLs of modules. */
  readonly kinds: readonly string[];
  readonly setup: string | undefined;
  readonly data: unknown;
  readonly limits: Partial<LinkLimits & { readonly sliceMs: number; readonly asksMax: number }>;
}

/** From the main thread to an actor thread. */
export type ToThread =
  /** The other end of a new channel to a node. */
  | { readonly type: 'connect'; readonly node: number; readonly port: MessagePort }
  | { readonly type: 'lost'; readonly node: number }
  /** The system stops: say how much was sent to whom. */
  | { readonly type: 'count' }
  /** Take in what the others sent, then stop. */
  | { readonly type: 'stop'; readonly expect: FrameCounts; readonly timeoutMs: number };

/** And back. */
export type FromThread =
  | { readonly type: 'ready' }
  | { readonly type: 'sent'; readonly counts: FrameCounts }
  | { readonly type: 'stopped'; readonly complete: boolean };
