import { limits } from '../limits.ts';
import type { UserId } from '../wire/user-id.ts';

/**
 * The messaging messages of one pair that are unread, by sender and id: one of them that is sent
 * again is a retry (docs/protocol.md "Retries"). Bounded: the oldest is forgotten.
 */
export class RetryIndex {
  readonly #numbers = new Map<string, number>();
  readonly #keys = new Map<number, string>();

  add(sender: UserId, id: string, number: number): void {
    const key = keyOf(sender, id);
    this.#numbers.set(key, number);
    this.#keys.set(number, key);
    if (this.#numbers.size <= limits.retryIdsMax) return;
    for (const oldest of this.#keys.keys()) {
      this.forget(oldest);
      break;
    }
  }

  /** The number under which it is stored. */
  find(sender: UserId, id: string): number | undefined {
    return this.#numbers.get(keyOf(sender, id));
  }

  forget(number: number): void {
    const key = this.#keys.get(number);
    if (key === undefined) return;
    this.#keys.delete(number);
    if (this.#numbers.get(key) === number) this.#numbers.delete(key);
  }
}

/**
 * A mid and a string client never share a name: "21" as a client id is the mid. The length keeps
 * senders and ids apart that hold any characters.
 */
const keyOf = (sender: UserId, id: string): string => `${String(sender).length} ${sender}${id}`;
