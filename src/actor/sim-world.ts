import type { Clock } from './clock.ts';
import type { SeededRandom } from './random.ts';

/** Something that will happen at a time. Those of one time happen in an order that the seed decides. */
interface Event {
  readonly dueMs: number;
  readonly tie: number;
  readonly act: () => void;
  cancelled: boolean;
}

/**
 * Virtual time and everything that waits for it: one queue of what is ready now, in no order, and a
 * heap of what is due later. Whoever steps it decides when time moves.
 */
export class SimWorld {
  nowMs = 0;
  readonly #random: SeededRandom;
  readonly #ready: (() => void)[] = [];
  readonly #heap: Event[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Something is ready. */
  get busy(): boolean {
    return this.#ready.length > 0;
  }

  soon(act: () => void): void {
    this.#ready.push(act);
  }

  at(dueMs: number, act: () => void): Event {
    const event = { dueMs, tie: this.#random.next(), act, cancelled: false };
    this.#heap.push(event);
    this.#up(this.#heap.length - 1);
    return event;
  }

  /** Does one thing that is ready, whichever the seed picks. False if there is none. */
  step(): boolean {
    const ready = this.#ready;
    if (ready.length === 0) return false;
    const at = this.#random.int(0, ready.length - 1);
    const act = ready[at] as () => void;
    ready[at] = ready[ready.length - 1] as () => void;
    ready.pop();
    act();
    return true;
  }

  /** The time of the next event, if there is one. */
  get nextMs(): number | undefined {
    while (this.#heap[0]?.cancelled === true) this.#pop();
    return this.#heap[0]?.dueMs;
  }

  /** Moves time to the next event and makes that ready. */
  jump(): void {
    const { nextMs } = this;
    if (nextMs === undefined) return;
    this.nowMs = Math.max(this.nowMs, nextMs);
    const event = this.#pop();
    this.soon(() => {
      if (!event.cancelled) event.act();
    });
  }

  /** A clock of a node; `alive` false and nothing of it happens any more. */
  clockOf(node: { readonly alive: boolean }): Clock {
    const ifAlive = (act: () => void) => (): void => {
      if (node.alive) act();
    };
    return {
      now: () => this.nowMs,
      setTimeout: (callback, ms) => this.at(this.nowMs + Math.max(0, ms), ifAlive(callback)),
      clearTimeout: (event) => {
        if (event !== undefined) (event as Event).cancelled = true;
      },
      setImmediate: (callback) => this.soon(ifAlive(callback)),
    };
  }

  #pop(): Event {
    const heap = this.#heap;
    const first = heap[0] as Event;
    const last = heap.pop() as Event;
    if (heap.length > 0) {
      heap[0] = last;
      this.#down();
    }
    return first;
  }

  #before(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a] as Event, this.#heap[b] as Event];
    return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.tie < other.tie);
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b] as Event, heap[a] as Event];
  }

  #up(start: number): void {
    for (let at = start; at > 0; at = (at - 1) >> 1) {
      if (!this.#before(at, (at - 1) >> 1)) return;
      this.#swap(at, (at - 1) >> 1);
    }
  }

  #down(): void {
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#heap.length && this.#before(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }
}
