import { readFileSync } from 'node:fs';

export interface MemoryReport {
  /** MiB that the process has for itself, pages of files left out; 0 where that is not known. */
  readonly beforeMb: number;
  readonly peakMb: number;
  readonly afterMb: number;
}

const SAMPLE_MS = 250;

/** Watches the memory of a process, on Linux. */
export class MemoryWatch {
  readonly #pid: number;
  readonly #before: number;
  readonly #timer: NodeJS.Timeout;
  #peak: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.#before = this.#peak = this.#now();
    this.#timer = setInterval(() => {
      this.#peak = Math.max(this.#peak, this.#now());
    }, SAMPLE_MS);
  }

  stop(): MemoryReport {
    clearInterval(this.#timer);
    return { beforeMb: this.#before, peakMb: this.#peak, afterMb: this.#now() };
  }

  #now(): number {
    try {
      const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
      return Math.round(Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024);
    } catch {
      return 0;
    }
  }
}
