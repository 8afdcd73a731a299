import { limits } from '../limits.ts';
import type { ReadItem } from '../wire/messaging.ts';
import type { PairState } from './conversation-state.ts';

export interface Entry {
  readonly pair: PairState;
  readonly number: number;
  readonly sid: string;
}

/**
 * Messaging's unread messages by id. The log and the read marks are the mailbox; this is an index
 * of the part that passed through memory, bounded by limits.mailboxIndexMax. What is not found
 * here while it is not `complete` has to be looked up in the log.
 */
export class Mailbox {
  /** Every unread message is indexed. */
  complete = false;
  /** Ids that are being looked up in the log. */
  lookups: ReadItem[] = [];
  looking = false;
  readonly #entries = new Map<string, Entry[]>();
  #size = 0;
  #overflowed = false;

  /** All unread messages were sent to a connection once. */
  setComplete(): void {
    this.complete = !this.#overflowed;
  }

  add(id: string, sid: string, pair: PairState, number: number): void {
    const entries = this.#entries.get(id);
    if (entries?.some((entry) => entry.number === number && entry.pair === pair) === true) return;
    if (this.#size >= limits.mailboxIndexMax) this.#forgetOldest();
    this.#size += 1;
    if (entries === undefined) this.#entries.set(id, [{ pair, number, sid }]);
    else entries.push({ pair, number, sid });
  }

  /** Takes the messages with this id (of this sender, if given) out of the index. */
  take(id: string, sid: string | undefined): Entry[] {
    const entries = this.#entries.get(id);
    if (entries === undefined) return [];
    const taken = sid === undefined ? entries : entries.filter((entry) => entry.sid === sid);
    this.#size -= taken.length;
    if (taken.length === entries.length) this.#entries.delete(id);
    else
      this.#entries.set(
        id,
        entries.filter((entry) => entry.sid !== sid),
      );
    return taken;
  }

  #forgetOldest(): void {
    this.complete = false;
    this.#overflowed = true;
    for (const [id, entries] of this.#entries) {
      this.#size -= entries.length;
      this.#entries.delete(id);
      break;
    }
  }
}
