import type { Activation } from './activation.ts';
import type { Clock } from './clock.ts';
import { actorLimits } from './limits.ts';
import type { Schedule } from './schedule.ts';
import { runTurn } from './turn.ts';

/** What a drain does besides running actors. */
export interface DrainSteps {
  readonly clock: Clock;
  readonly sliceMs: number;
  readonly schedule: Schedule | undefined;
  /** After each pass over the ready actors: the host flushes what handlers batched. */
  readonly afterDrain: () => void;
  /** Once, at the end of a drain. */
  readonly flushLinks: () => void;
}

/**
 * Runs ready actors round robin, one turn each, in drains of bounded length. A drain is a
 * setImmediate callback, so between two of them timers and sockets have their turn.
 */
export class Scheduler {
  /** The clock in whole milliseconds, as last read: near enough for idle times. */
  nowMs: number;
  readonly #steps: DrainSteps;
  /** Two lists that change places: those made ready during a pass run in the next one. */
  #ready: (Activation | undefined)[] = [];
  #running: (Activation | undefined)[] = [];
  /** How many stand in each: the lists keep their length, so that they need not grow anew. */
  #readyCount = 0;
  #runningCount = 0;
  #next = 0;
  #draining = false;
  #awake = false;
  #stopped = false;
  /** When the pass under way looked at the clock last, and after how many messages it looks again. */
  #lookedMs = 0;
  #checkMessages: number = actorLimits.clockCheckMessages;
  #hurried = false;
  /** When the haste of this turn of the loop has to end; 0: there was none yet. */
  #rushEndMs = 0;
  /** The schedule wants the drain to end. */
  #paused = false;

  constructor(steps: DrainSteps) {
    this.#steps = steps;
    this.nowMs = Math.floor(steps.clock.now());
  }

  /** Actors that wait for their turn. */
  get waiting(): number {
    return this.#runningCount - this.#next + this.#readyCount;
  }

  /** Puts an activation at the end of the ready queue. It must not stand there already. */
  push(activation: Activation): void {
    this.#ready[this.#readyCount++] = activation;
    if (!this.#awake) this.wake();
  }

  /** Makes sure that a drain comes, or goes on: for its afterDrain and its flush, even if nobody is ready. */
  wake(): void {
    if (this.#awake || this.#stopped) return;
    this.#awake = true;
    if (!this.#draining) this.#steps.clock.setImmediate(this.#drain);
  }

  /**
   * Somebody outside waits for an answer: the actors run as soon as what runs now is done, instead of
   * after the event loop's next turn. All such haste within one turn of the loop takes `rushShare` of a
   * slice at most; the drain that follows in any case flushes, and timers and sockets have their turn.
   */
  hurry(): void {
    const { clock } = this.#steps;
    if (this.#draining || this.#hurried || this.#stopped || clock.queueMicrotask === undefined) return;
    this.#hurried = true;
    clock.queueMicrotask(this.#rush);
  }

  readonly #rush = (): void => {
    this.#hurried = false;
    if (this.#draining || this.#stopped || !this.#hasReady()) return;
    const { clock, sliceMs } = this.#steps;
    const now = clock.now();
    if (this.#rushEndMs === 0) this.#rushEndMs = now + sliceMs * actorLimits.rushShare;
    if (now >= this.#rushEndMs) return; // The drain is due.
    this.#draining = true;
    try {
      this.#pass(this.#rushEndMs, 1);
    } finally {
      this.#draining = false;
    }
    // In a microtask of its own, so that who was answered goes on before others have their second turn.
    if (this.#hasReady()) this.hurry();
  };

  /** Whether the turn under way will have taken its time by its next look, `ahead` times as far as now. */
  turnIsLong(ahead: number): boolean {
    return (this.#steps.clock.now() - this.#lookedMs) * ahead > actorLimits.turnMs;
  }

  /** Reads the clock into `nowMs`, for work that is done outside a drain. */
  look(): void {
    this.nowMs = Math.floor(this.#steps.clock.now());
  }

  /** Ends the last drain: no other runs any more. */
  finish(): void {
    this.#stopped = true;
    this.#steps.afterDrain();
    this.#steps.flushLinks();
  }

  readonly #drain = (): void => {
    if (this.#stopped) return;
    const { clock, sliceMs, afterDrain, flushLinks } = this.#steps;
    // What was done in haste is part of the slice.
    const rushed = this.#rushEndMs === 0 ? 0 : actorLimits.rushShare;
    const sliceEnd = clock.now() + sliceMs * (1 - rushed);
    this.#rushEndMs = 0;
    this.#draining = true;
    try {
      do {
        this.#awake = false;
        this.#pass(sliceEnd, Infinity);
        afterDrain();
        // afterDrain may have told: `awake` says that something became ready, or has to be flushed.
      } while (this.#awake && this.#hasReady() && !this.#paused && clock.now() < sliceEnd);
      this.#paused = false;
      this.#awake = false; // From here on it means: since the flush began.
      flushLinks();
    } finally {
      this.#draining = false;
      this.#awake = (this.#awake || this.#hasReady()) && !this.#stopped;
      if (this.#awake) clock.setImmediate(this.#drain);
    }
  };

  #hasReady(): boolean {
    return this.#next < this.#runningCount || this.#readyCount > 0;
  }

  /**
   * Turns until nobody is ready, the slice is over, or those who were ready at the beginning have had
   * so many `rounds`.
   */
  #pass(sliceEnd: number, rounds: number): void {
    const { clock, schedule } = this.#steps;
    if (schedule !== undefined) {
      this.#passAsPicked(schedule);
      return;
    }
    this.#lookedMs = clock.now();
    this.nowMs = Math.floor(this.#lookedMs);
    let untilCheck = this.#checkMessages;
    let roundsLeft = rounds;
    for (;;) {
      if (this.#next === this.#runningCount) {
        if (roundsLeft-- === 0) return;
        this.#swap();
        if (this.#runningCount === 0) return;
      }
      const activation = this.#running[this.#next] as Activation;
      this.#running[this.#next++] = undefined;
      untilCheck -= 1 + runTurn(activation, actorLimits.turnMessagesMax);
      if (untilCheck > 0) continue;
      const now = clock.now();
      const took = now - this.#lookedMs;
      if (took > actorLimits.turnMs) this.#checkMessages = Math.max(1, this.#checkMessages >> 2);
      else if (this.#checkMessages < actorLimits.clockCheckMessages) this.#checkMessages *= 2;
      untilCheck = this.#checkMessages;
      this.#lookedMs = now;
      this.nowMs = Math.floor(now);
      if (now >= sliceEnd) return;
    }
  }

  /** As {@link #pass}, in the order and length that somebody else decides. */
  #passAsPicked(schedule: Schedule): void {
    this.look();
    this.#lookedMs = this.#steps.clock.now();
    for (;;) {
      if (this.#next === this.#runningCount) this.#swap();
      if (this.#runningCount === 0) return;
      const running = this.#running;
      const at = this.#next + schedule.pick(this.#runningCount - this.#next);
      const activation = running[at] as Activation;
      running[at] = running[this.#next];
      running[this.#next++] = undefined;
      runTurn(activation, schedule.turnMessages());
      if (schedule.yields()) {
        this.#paused = true;
        return;
      }
    }
  }

  #swap(): void {
    const done = this.#running;
    if (done.length > actorLimits.readyKeptMax) done.length = 0;
    this.#running = this.#ready;
    this.#runningCount = this.#readyCount;
    this.#ready = done;
    this.#readyCount = 0;
    this.#next = 0;
  }
}
