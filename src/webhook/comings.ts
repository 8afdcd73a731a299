import type { UserId } from '../wire/user-id.ts';
import { userText } from './event-json.ts';
import type { WebhookBounds } from './options.ts';

export interface ComingsOptions {
  readonly shard: number;
  readonly bounds: Pick<WebhookBounds, 'presenceGraceMs' | 'presenceLeavingMax'>;
  readonly now: () => number;
  /** Tells an event, its members but for `id`. */
  readonly add: (members: string) => void;
}

/**
 * Which users of a shard are told online: from the first connection until the last one has been gone
 * for a grace, so that a reconnect tells nothing (docs/webhooks.md, "Online and offline").
 */
export class Comings {
  readonly #options: ComingsOptions;
  readonly #online = new Set<UserId>();
  /** When each user's last connection went, in order. */
  readonly #leaving = new Map<UserId, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ComingsOptions) {
    this.#options = options;
  }

  /** The user has a connection. */
  came(user: UserId): void {
    if (this.#leaving.delete(user) || this.#online.has(user)) return;
    this.#online.add(user);
    this.#tell('online', user, this.#options.now());
  }

  /** The user has none any more. */
  went(user: UserId): void {
    if (!this.#online.has(user) || this.#leaving.has(user)) return;
    const { bounds, now } = this.#options;
    this.#leaving.set(user, now());
    if (this.#leaving.size > bounds.presenceLeavingMax) this.#leaveFirst();
    this.#timer ??= setTimeout(this.#onTime, bounds.presenceGraceMs);
  }

  /** Nobody is here any more. */
  stop(): void {
    clearTimeout(this.#timer);
    while (this.#leaving.size > 0) this.#leaveFirst();
    for (const user of this.#online) this.#tell('offline', user, this.#options.now());
    this.#online.clear();
  }

  readonly #onTime = (): void => {
    this.#timer = undefined;
    const { bounds, now } = this.#options;
    for (const since of this.#leaving.values()) {
      const dueMs = since + bounds.presenceGraceMs - now();
      if (dueMs > 0) {
        this.#timer = setTimeout(this.#onTime, dueMs);
        return;
      }
      this.#leaveFirst();
    }
  };

  #leaveFirst(): void {
    const [first] = this.#leaving;
    if (first === undefined) return;
    const [user, since] = first;
    this.#leaving.delete(user);
    this.#online.delete(user);
    this.#tell('offline', user, since);
  }

  #tell(type: 'online' | 'offline', user: UserId, time: number): void {
    const { shard, add } = this.#options;
    add(`"type":"${type}","user":${userText(user)},"shard":${shard},"time":${time}`);
  }
}
