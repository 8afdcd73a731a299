import type { Session } from '../user/session.ts';

/**
 * Of all sessions that are offered, those with the lowest connection numbers: a heap with the highest
 * on top, so that one pass over any number of sessions keeps no more than `max`.
 */
export class LowestConnections {
  readonly #max: number;
  readonly #heap: Session[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  offer(session: Session): void {
    const heap = this.#heap;
    if (heap.length < this.#max) {
      heap.push(session);
      this.#rise(heap.length - 1);
    } else if (session.connection < (heap[0]?.connection ?? 0)) {
      heap[0] = session;
      this.#sink();
    }
  }

  /** In rising order. */
  take(): Session[] {
    return this.#heap.sort((a, b) => a.connection - b.connection);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    for (let i = from; i > 0;) {
      const parent = (i - 1) >> 1;
      if (this.#number(parent) >= this.#number(i)) return;
      [heap[parent], heap[i]] = [heap[i] as Session, heap[parent] as Session];
      i = parent;
    }
  }

  #sink(): void {
    const heap = this.#heap;
    for (let i = 0; ;) {
      const left = 2 * i + 1;
      const child = this.#number(left + 1) > this.#number(left) ? left + 1 : left;
      if (this.#number(child) <= this.#number(i)) return;
      [heap[child], heap[i]] = [heap[i] as Session, heap[child] as Session];
      i = child;
    }
  }

  #number(i: number): number {
    return this.#heap[i]?.connection ?? 0;
  }
}
