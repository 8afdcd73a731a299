import { limits } from '../../limits.ts';
import type { Removed, Retention } from './retention.ts';

/** The end of a sweep over all conversations, or why it did not come to one. */
export interface SweepEnd extends Removed {
  readonly error: string | undefined;
}

/** Lets retention work in the background: step, pause, step, …, and a longer pause after a sweep. */
export class Sweeps {
  readonly #retention: Retention;
  readonly #onEnd: (end: SweepEnd) => void;
  #removed: Removed = nothing();
  #timer: NodeJS.Timeout;

  constructor(retention: Retention, onEnd: (end: SweepEnd) => void) {
    this.#retention = retention;
    this.#onEnd = onEnd;
    this.#timer = setTimeout(this.#step, limits.retentionPauseMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #step = (): void => {
    let error: string | undefined;
    let isEnd = true;
    try {
      isEnd = this.#retention.step(this.#removed);
    } catch (thrown) {
      error = (thrown as Error).message;
    }
    this.#timer = setTimeout(this.#step, isEnd ? limits.retentionSweepMs : limits.retentionPauseMs);
    if (!isEnd) return;
    this.#onEnd({ ...this.#removed, error });
    this.#removed = nothing();
  };
}

const nothing = (): Removed => ({ messages: 0, chunks: 0, bytes: 0 });
