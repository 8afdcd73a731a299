import type { TestContext } from 'node:test';

interface Timer {
  readonly callback: () => void;
  readonly ms: number;
  readonly repeats: boolean;
}

/** Timers that fire when the test says so: node:test's own have no `unref` on Node 20. */
export class ManualTimers {
  readonly #timers = new Map<object, Timer>();

  constructor(t: TestContext) {
    const set = (repeats: boolean) => (callback: () => void, ms: number) => {
      const handle = { unref: () => handle };
      this.#timers.set(handle, { callback, ms, repeats });
      return handle;
    };
    const clear = (handle: object): void => void this.#timers.delete(handle);
    t.mock.method(globalThis, 'setTimeout', set(false) as never);
    t.mock.method(globalThis, 'setInterval', set(true) as never);
    t.mock.method(globalThis, 'clearTimeout', clear as never);
    t.mock.method(globalThis, 'clearInterval', clear as never);
  }

  /** Times after which the timers that are set fire, in ms. */
  get waiting(): number[] {
    return [...this.#timers.values()].map(({ ms }) => ms);
  }

  /** Fires all that are set now. */
  fire(): void {
    for (const [handle, { callback, repeats }] of Array.from(this.#timers)) {
      if (!repeats) this.#timers.delete(handle);
      callback();
    }
  }
}
