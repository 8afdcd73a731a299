import { limits } from '../limits.ts';
import { SessionRate, TokenBucket, type Rate } from '../user/token-bucket.ts';
import type { UserId } from '../wire/user-id.ts';

/** docs/protocol.md "Rates". What is absent is not limited. */
export interface RateOptions {
  /** Of each connection. */
  readonly connection?: Rate | undefined;
  /** Of all connections of a user together. */
  readonly user?: Rate | undefined;
  /** Of all connections of a user together, instead of both, by the name in its permissions. */
  readonly classes: Readonly<Record<string, Rate>>;
}

interface UserBucket {
  readonly bucket: TokenBucket;
  readonly rateClass: string | undefined;
  connections: number;
}

/**
 * The buckets of the users of a shard. One that was drawn from outlives the user's connections
 * until it is full again: who connects anew does not begin anew.
 */
export class Rates {
  readonly #options: RateOptions;
  readonly #users = new Map<UserId, UserBucket>();
  /** Users without a connection whose bucket was not full when the last one left, oldest first. */
  readonly #left = new Set<UserId>();

  constructor(options: RateOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#users.size;
  }

  /** A connection of the user is opened: undefined when it is not limited. */
  open(user: UserId, rateClass: string | undefined, now: number): SessionRate | undefined {
    const { classes } = this.#options;
    const named = rateClass !== undefined && Object.hasOwn(classes, rateClass) ? rateClass : undefined;
    const ofUser = named === undefined ? this.#options.user : classes[named];
    const ofConnection = named === undefined ? this.#options.connection : undefined;
    if (ofUser === undefined && ofConnection === undefined) return undefined;
    return new SessionRate(
      ofConnection && new TokenBucket(ofConnection, now),
      ofUser && this.#join(user, named, ofUser, now),
    );
  }

  /** A connection for which `open` gave a rate is gone. */
  close(user: UserId, { user: bucket }: SessionRate, now: number): void {
    const entry = this.#users.get(user);
    if (entry === undefined || entry.bucket !== bucket) return;
    entry.connections -= 1;
    if (entry.connections > 0) return;
    if (bucket.isFull(now)) this.#users.delete(user);
    else this.#left.add(user);
    this.#sweep(now);
  }

  #join(user: UserId, rateClass: string | undefined, rate: Rate, now: number): TokenBucket {
    let entry = this.#users.get(user);
    if (entry === undefined || entry.rateClass !== rateClass) {
      entry = { bucket: new TokenBucket(rate, now), rateClass, connections: 0 };
      this.#users.set(user, entry);
    }
    this.#left.delete(user);
    entry.connections += 1;
    return entry.bucket;
  }

  /** Forgets what is full again, the oldest first, and the oldest anyway when there are too many. */
  #sweep(now: number): void {
    for (const user of this.#left) {
      const tooMany = this.#left.size > limits.rateUsersLeftMax;
      if (!tooMany && this.#users.get(user)?.bucket.isFull(now) === false) return;
      this.#left.delete(user);
      this.#users.delete(user);
    }
  }
}
