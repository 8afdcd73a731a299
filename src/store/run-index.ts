import { runAfter, type Run } from '../wire/run.ts';

/** Where a run stands: a segment's number and an offset in it. */
export type RunAt = (first: number, segment: number, offset: number) => Run;

/**
 * Where the runs of one conversation stand in a journal: parallel arrays, oldest first. A place
 * is `segment number * 2^32 + offset`.
 */
export class RunIndex {
  /** The newest number. */
  last = 0;
  readonly #firsts: number[] = [];
  readonly #places: number[] = [];
  /** Runs before this index were given up. */
  #head = 0;

  /** The oldest number that stands here; Infinity when there is none. */
  get first(): number {
    return this.#firsts[this.#head] ?? Infinity;
  }

  get isEmpty(): boolean {
    return this.#head === this.#firsts.length;
  }

  add(first: number, count: number, segment: number, offset: number): void {
    this.#firsts.push(first);
    this.#places.push(segment * 0x1_0000_0000 + offset);
    this.last = first + count - 1;
  }

  /** Forgets what stood in a segment that is given up (and in those before it). */
  trim(segment: number): void {
    const end = (segment + 1) * 0x1_0000_0000;
    while (this.#head < this.#places.length && (this.#places[this.#head] ?? 0) < end) this.#head += 1;
    if (this.#head > 1024 && this.#head > this.#places.length / 2) {
      this.#firsts.splice(0, this.#head);
      this.#places.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Runs that hold messages after `after`, within the bounds but at least one. */
  read(after: number, messagesMax: number, bytesMax: number, runAt: RunAt): Run[] {
    const runs: Run[] = [];
    let messages = 0;
    let bytes = 0;
    for (let i = this.#find(after + 1); i < this.#firsts.length; i++) {
      const place = this.#places[i] ?? 0;
      const segment = Math.floor(place / 0x1_0000_0000);
      let run = runAt(this.#firsts[i] ?? 0, segment, place - segment * 0x1_0000_0000);
      if (run.first <= after) run = runAfter(run, after);
      messages += run.count;
      bytes += run.bytes.length;
      if (runs.length > 0 && (messages > messagesMax || bytes > bytesMax)) break;
      runs.push(run);
    }
    return runs;
  }

  /** The index of the run that holds message `number`, or of the oldest kept one after it. */
  #find(number: number): number {
    if (number > this.last) return this.#firsts.length;
    let low = this.#head;
    let high = this.#firsts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#firsts[middle] ?? 0) <= number) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
