import type { Clock } from '../../../src/actor/index.ts';

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #nowMs = 1_000;
  #timers = new Set<Timer>();
  #immediates: (() => void)[] = [];

  now(): number {
    return this.#nowMs;
  }
  setTimeout(callback: () => void, ms: number): unknown {
    const timer = { dueMs: this.#nowMs + ms, callback };
    this.#timers.add(timer);
    return timer;
  }
  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as Timer);
  }
  setImmediate(callback: () => void): void {
    this.#immediates.push(callback);
  }

  /** Timers that are armed. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Lets time pass without anything running, as within a handler that takes long. */
  pass(ms: number): void {
    this.#nowMs += ms;
  }

  /** Runs drains and promises until nothing is left to do at this instant. */
  async run(): Promise<void> {
    do {
      for (const callback of this.#immediates.splice(0)) callback();
      await new Promise(setImmediate);
    } while (this.#immediates.length > 0);
  }

  /** Moves time on, stopping at each timer that becomes due. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    for (;;) {
      await this.run();
      const due = [...this.#timers]
        .filter((timer) => timer.dueMs <= end)
        .sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.dueMs);
      due.callback();
    }
    this.#nowMs = end;
    await this.run();
  }
}
