import { limits } from '../limits.ts';

const CAPACITY_MIN = 8;

/**
 * The requests of one connection that are not answered yet, in the order they came: replies leave
 * in that order, whichever is done first (docs/protocol.md "Order"). Parallel rings of numbers, so
 * that a request costs no object; nothing is allocated until there is one.
 *
 * A request is known by its ticket, which counts up from 0.
 */
export class RequestQueue {
  /** Tickets of the oldest unanswered request, and of the next one to come. */
  head = 0;
  tail = 0;
  /** Of the request that was taken last. */
  ticket = 0;
  op = 0;
  seq = 0;
  version = 0;
  result = 0;
  #op: Int32Array = none;
  #seq: Int32Array = none;
  #version: Int32Array = none;
  /** Above 0: done, with this chatId (1 where there is none). Below 0: failed, with this error number. */
  #result: Float64Array = noneLong;
  /** The shard that has to answer; -1 if none. */
  #shard: Int16Array = noneShort;

  get size(): number {
    return this.tail - this.head;
  }

  get isFull(): boolean {
    return this.size >= limits.sessionRequestsMax;
  }

  /** Files a request whose reply will bear `op`; returns its ticket. */
  add(op: number, seq: number, version: number, shard: number): number {
    if (this.size === this.#op.length) this.#grow();
    const i = this.tail & (this.#op.length - 1);
    this.#op[i] = op;
    this.#seq[i] = seq;
    this.#version[i] = version;
    this.#result[i] = 0;
    this.#shard[i] = shard;
    return this.tail++;
  }

  /** The outcome of a request: a chatId (or 1), or an error number below 0. The first one counts. */
  settle(ticket: number, result: number): void {
    if (ticket < this.head || ticket >= this.tail) return;
    const i = ticket & (this.#op.length - 1);
    if (this.#result[i] === 0) this.#result[i] = result;
  }

  /** Settles what waits for a shard that is gone. */
  settleShard(shard: number, result: number, onSettled?: (op: number) => void): boolean {
    let some = false;
    for (let ticket = this.head; ticket < this.tail; ticket++) {
      const i = ticket & (this.#op.length - 1);
      if (this.#shard[i] !== shard || this.#result[i] !== 0) continue;
      this.#result[i] = result;
      onSettled?.(this.#op[i] ?? 0);
      some = true;
    }
    return some;
  }

  /** Whether the oldest request can be answered now. */
  get isReady(): boolean {
    return this.tail > this.head && this.#result[this.head & (this.#op.length - 1)] !== 0;
  }

  /** How many of the oldest can be answered now. */
  get readyCount(): number {
    let ticket = this.head;
    while (ticket < this.tail && this.#result[ticket & (this.#op.length - 1)] !== 0) ticket += 1;
    return ticket - this.head;
  }

  opAt(ticket: number): number {
    return this.#op[ticket & (this.#op.length - 1)] ?? 0;
  }

  resultAt(ticket: number): number {
    return this.#result[ticket & (this.#op.length - 1)] ?? 0;
  }

  /**
   * Takes the oldest request, if it can be answered now: `ticket`, `op`, `seq`, `version` and
   * `result` are then its own, until the next call.
   */
  take(): boolean {
    if (!this.isReady) return false;
    const i = this.head & (this.#op.length - 1);
    this.ticket = this.head;
    this.op = this.#op[i] ?? 0;
    this.seq = this.#seq[i] ?? 0;
    this.version = this.#version[i] ?? 0;
    this.result = this.#result[i] ?? 0;
    this.head += 1;
    return true;
  }

  #grow(): void {
    const from = this.#op.length;
    const to = Math.max(CAPACITY_MIN, from * 2);
    const op = new Int32Array(to);
    const seq = new Int32Array(to);
    const version = new Int32Array(to);
    const result = new Float64Array(to);
    const shard = new Int16Array(to);
    for (let ticket = this.head; ticket < this.tail; ticket++) {
      const i = ticket & (to - 1);
      const old = ticket & (from - 1);
      op[i] = this.#op[old] ?? 0;
      seq[i] = this.#seq[old] ?? 0;
      version[i] = this.#version[old] ?? 0;
      result[i] = this.#result[old] ?? 0;
      shard[i] = this.#shard[old] ?? -1;
    }
    this.#op = op;
    this.#seq = seq;
    this.#version = version;
    this.#result = result;
    this.#shard = shard;
  }
}

const none = new Int32Array(0);
const noneShort = new Int16Array(0);
const noneLong = new Float64Array(0);
