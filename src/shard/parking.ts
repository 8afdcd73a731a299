/** Input of a connection that cannot be handled yet: copies, oldest first. */
export interface Parked {
  readonly type: number;
  readonly bytes: Buffer;
  at: number;
}

/**
 * Bounded without counting: bytes that are parked are not credited to the gateway, which sends no
 * more than limits.sessionInBytesMax uncredited ones for a connection.
 */
export class Parking<K> {
  readonly #parked = new Map<K, Parked[]>();

  has(key: K): boolean {
    return this.#parked.has(key);
  }

  park(key: K, type: number, buf: Buffer, start: number, end: number): void {
    // The slab dies with the tick: what stays is copied.
    const parked = { type, bytes: Buffer.from(buf.subarray(start, end)), at: 0 };
    const queue = this.#parked.get(key);
    if (queue === undefined) this.#parked.set(key, [parked]);
    else queue.push(parked);
  }

  first(key: K): Parked | undefined {
    return this.#parked.get(key)?.[0];
  }

  /** The first one was handled. */
  shift(key: K): void {
    const queue = this.#parked.get(key);
    queue?.shift();
    if (queue?.length === 0) this.#parked.delete(key);
  }

  delete(key: K): void {
    this.#parked.delete(key);
  }
}
