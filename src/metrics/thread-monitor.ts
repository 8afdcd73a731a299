import {
  constants,
  monitorEventLoopDelay,
  performance,
  type PerformanceEntry,
  PerformanceObserver,
  type IntervalHistogram,
} from 'node:perf_hooks';

export const gcKinds = ['minor', 'major', 'incremental', 'weak_callbacks'] as const;

/** A thread's own figures. */
export interface ThreadFigures {
  /** They only rise. */
  readonly counters: {
    readonly activeSeconds: number;
    readonly idleSeconds: number;
    /** By index of gcKinds. */
    readonly gcRuns: Float64Array;
    readonly gcSeconds: Float64Array;
  };
  /** How late timers fired since the last reading. */
  readonly delay: { readonly p50Seconds: number; readonly p99Seconds: number; readonly maxSeconds: number };
  readonly memory: {
    readonly heapUsedBytes: number;
    readonly heapTotalBytes: number;
    readonly externalBytes: number;
    readonly arrayBuffersBytes: number;
  };
}

/** What the histogram holds is how far two ticks were apart: what is above this is delay. */
const RESOLUTION_MS = 20;

const kindIndex: Readonly<Record<number, number>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 0,
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 1,
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 2,
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 3,
};

/** As the documentation of perf_hooks has it; the types lack it. */
type GcEntry = PerformanceEntry & { readonly detail: { readonly kind: number } };

/** Watches the event loop and the collector of the thread that it was made in. */
export class ThreadMonitor {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #gcRuns = new Float64Array(gcKinds.length);
  readonly #gcSeconds = new Float64Array(gcKinds.length);
  readonly #observer: PerformanceObserver;

  constructor() {
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.#collected(entry as GcEntry);
    });
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#delay.enable();
  }

  read(): ThreadFigures {
    const { active, idle } = performance.eventLoopUtilization();
    const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    const delay = {
      p50Seconds: delayOf(this.#delay.percentile(50)),
      p99Seconds: delayOf(this.#delay.percentile(99)),
      maxSeconds: delayOf(this.#delay.max),
    };
    if (this.#delay.count === 0) delay.maxSeconds = 0; // the maximum of nothing is a large number
    this.#delay.reset();
    return {
      counters: {
        activeSeconds: active / 1_000,
        idleSeconds: idle / 1_000,
        gcRuns: this.#gcRuns,
        gcSeconds: this.#gcSeconds,
      },
      delay,
      memory: {
        heapUsedBytes: heapUsed,
        heapTotalBytes: heapTotal,
        externalBytes: external,
        arrayBuffersBytes: arrayBuffers,
      },
    };
  }

  stop(): void {
    this.#observer.disconnect();
    this.#delay.disable();
  }

  #collected({ duration: durationMs, detail }: GcEntry): void {
    const kind = kindIndex[detail.kind];
    if (kind === undefined) return;
    this.#gcRuns[kind]! += 1;
    this.#gcSeconds[kind]! += durationMs / 1_000;
  }
}

const delayOf = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1_000);
