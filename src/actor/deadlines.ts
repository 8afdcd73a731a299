import type { PendingAsk } from './asks.ts';
import type { Clock } from './clock.ts';
import { actorLimits } from './limits.ts';

/** Asks of one timeout, in the order in which they expire: a ring of neighbours, and one timer. */
export class DeadlineList {
  first: PendingAsk | undefined = undefined;
  last: PendingAsk | undefined = undefined;
  timer: unknown = undefined;
}

/**
 * The deadlines of all asks that wait. An ask costs no timer: the asks of one timeout share the timer
 * of the first one. It is left alone while asks come and go, and cancelled by `tidy` once none waits.
 */
export class Deadlines {
  readonly #clock: Clock;
  /** Called when a timer has nothing to wait for, so that `tidy` comes soon. */
  readonly #onEmpty: () => void;
  readonly #byTimeout = new Map<number, DeadlineList>();
  #empty: DeadlineList[] = [];

  constructor(clock: Clock, onEmpty: () => void) {
    this.#clock = clock;
    this.#onEmpty = onEmpty;
  }

  /** `timeoutMs`: its full time; undefined, and whenever there are many of those, it gets its own timer. */
  add(ask: PendingAsk, timeoutMs: number | undefined): void {
    const list = timeoutMs === undefined ? new DeadlineList() : this.#listOf(timeoutMs);
    ask.deadlines = list;
    ask.earlier = list.last;
    if (list.last === undefined) list.first = ask;
    else list.last.later = ask;
    list.last = ask;
    if (list.timer === undefined) this.#arm(list, ask);
  }

  remove(ask: PendingAsk): void {
    const { deadlines: list, earlier, later } = ask;
    if (list === undefined) return;
    if (earlier === undefined) list.first = later;
    else earlier.later = later;
    if (later === undefined) list.last = earlier;
    else later.earlier = earlier;
    ask.deadlines = undefined;
    ask.earlier = undefined;
    ask.later = undefined;
    if (list.first !== undefined || list.timer === undefined) return;
    this.#empty.push(list);
    if (this.#empty.length === 1) this.#onEmpty();
  }

  /** Cancels the timers that nobody waits for. */
  tidy(): void {
    if (this.#empty.length === 0) return;
    for (const list of this.#empty) {
      if (list.first !== undefined || list.timer === undefined) continue;
      this.#clock.clearTimeout(list.timer);
      list.timer = undefined;
    }
    this.#empty = [];
  }

  #listOf(timeoutMs: number): DeadlineList {
    let list = this.#byTimeout.get(timeoutMs);
    if (list === undefined) {
      list = new DeadlineList();
      if (this.#byTimeout.size < actorLimits.askTimersSharedMax) this.#byTimeout.set(timeoutMs, list);
    }
    return list;
  }

  #arm(list: DeadlineList, { deadline }: PendingAsk): void {
    const ms = Math.max(0, deadline - this.#clock.now());
    list.timer = this.#clock.setTimeout(() => {
      list.timer = undefined;
      const now = this.#clock.now();
      // Node's timers may be early by a fraction of a millisecond: that is not worth another timer.
      while (list.first !== undefined && list.first.deadline <= now + 1) list.first.expire();
      if (list.first !== undefined) this.#arm(list, list.first);
    }, ms);
  }
}
