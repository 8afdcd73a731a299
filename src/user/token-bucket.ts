export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Full at first; holds `burst` requests, and gains `perSecond` of them. Numbers only. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor({ perSecond, burst }: Rate, now: number) {
    this.#perMs = perSecond / 1_000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** `now`: milliseconds, the same throughout a tick. All or nothing. */
  take(count: number, now: number): boolean {
    if (now !== this.#at) this.#refill(now);
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** Whether it is as good as a new one. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens === this.#burst;
  }

  #refill(now: number): void {
    // A clock that was set back gives nothing, and takes nothing.
    const gained = Math.max(0, now - this.#at) * this.#perMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#at = now;
  }
}

/** What a connection may ask, by itself and together with the others of its user. */
export class SessionRate {
  readonly connection: TokenBucket | undefined;
  readonly user: TokenBucket | undefined;

  constructor(connection: TokenBucket | undefined, user: TokenBucket | undefined) {
    this.connection = connection;
    this.user = user;
  }

  take(count: number, now: number): boolean {
    return this.connection?.take(count, now) !== false && this.user?.take(count, now) !== false;
  }
}
