/**
 * Time as the runtime sees it. Everything in src/actor takes time from here, so that a simulation
 * can own it. Systems that are linked need clocks with the same origin: deadlines cross links.
 */
export interface Clock {
  /** Milliseconds, monotonic, may have a fraction. */
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
  setImmediate(callback: () => void): unknown;
  /** Calls back once what runs now is done, before anything else: for asks. Without it, they take a drain. */
  readonly queueMicrotask?: (callback: () => void) => void;
}

// process.hrtime counts from the same instant on all threads, performance.now() from the start of
// its thread, but costs less: so the offset between the two is taken once.
const originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** The machine's time. Its `now()` agrees between the threads of a process. */
export const systemClock: Clock = {
  now: () => originMs + performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => {
    clearTimeout(handle as NodeJS.Timeout);
  },
  setImmediate: (callback) => setImmediate(callback),
  queueMicrotask,
};

/** Sets a timer that does not keep the process alive, where the clock's handles know of that. */
export function setBackgroundTimeout(clock: Clock, callback: () => void, ms: number): unknown {
  const handle = clock.setTimeout(callback, ms);
  (handle as { unref?: () => void } | undefined)?.unref?.();
  return handle;
}
