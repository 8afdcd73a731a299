import type { NetCounters } from '../net/counters.ts';
import type { ShardCounters } from './counters.ts';
import type { ShardFigures } from './shard-figures.ts';
import type { ThreadFigures } from './thread-monitor.ts';

/** What only rises in a shard, over all threads that ran it. */
export interface ShardTotals {
  readonly counters: ShardCounters;
  readonly thread: ThreadFigures['counters'];
  readonly deadLetters: Readonly<Record<string, number>>;
}

export interface ShardView {
  readonly shard: number;
  readonly restarts: number;
  /** Undefined until it answered once. */
  readonly totals: ShardTotals | undefined;
  /** Its answer to this scrape. Undefined: it is down, or was too slow. */
  readonly now: ShardFigures | undefined;
  /** On the way from the gateway. */
  readonly laneBytes: number;
}

/** Everything that a scrape tells, as of one moment. */
export interface Snapshot {
  readonly net: NetCounters;
  readonly mainThread: ThreadFigures;
  readonly shards: readonly ShardView[];
  /** 0 without a disk store. */
  readonly tablesBytes: number;
}

/**
 * The counters of a shard over its restarts: a new thread begins at 0, so what the ones before it
 * had counted when they last answered stands below.
 */
export class ShardHistory {
  #before: ShardTotals | undefined;
  #last: ShardFigures | undefined;

  note(figures: ShardFigures): void {
    if (this.#last !== undefined && this.#last.threadId !== figures.threadId) this.#before = this.totals;
    this.#last = figures;
  }

  get totals(): ShardTotals | undefined {
    if (this.#last === undefined) return undefined;
    const { counters, thread, actors } = this.#last;
    const own = { counters, thread: thread.counters, deadLetters: actors.deadLetters };
    return this.#before === undefined ? own : plus(this.#before, own);
  }
}

/** Adds two trees of numbers that have the same shape. */
function plus<T>(a: T, b: T): T {
  if (typeof a === 'number') return (a + (b as number)) as T;
  if (a instanceof Float64Array) return a.map((value, i) => value + ((b as Float64Array)[i] ?? 0)) as T;
  const entries = Object.entries(a as object).map(([key, value]: [string, unknown]) => [
    key,
    plus(value, (b as Record<string, unknown>)[key]),
  ]);
  return Object.fromEntries(entries) as T;
}
