import type { ShardCounters, ShardLevels } from './counters.ts';
import type { ThreadFigures } from './thread-monitor.ts';

/** A shard's answer to a scrape. */
export interface ShardFigures {
  /** Tells a thread from the one that it replaced, whose counters began at 0 as well. */
  readonly threadId: number;
  readonly counters: ShardCounters;
  readonly levels: ShardLevels;
  /** On the way to the gateway, not taken in yet. */
  readonly laneBytes: number;
  readonly actors: ActorFigures;
  /** What the store holds outside of its tables: the journal, or all of the memory store. */
  readonly storeBytes: number;
  readonly thread: ThreadFigures;
}

export interface ActorFigures {
  /** By kind. */
  readonly residents: Readonly<Record<string, number>>;
  /** Actors with messages that wait for their turn. */
  readonly ready: number;
  /** Messages for other threads that wait. */
  readonly linkFrames: number;
  readonly linkBytes: number;
  /** By reason; they only rise. */
  readonly deadLetters: Readonly<Record<string, number>>;
}
