import { actorLimits } from './limits.ts';
import type { AskToken } from './asks.ts';

/** Slots of one message: its head, its payload, its ask. No envelope object is made for a message. */
const stride = 3;

const emptySlots: readonly unknown[] = Array.from({ length: actorLimits.mailboxMessagesMin * stride });

/** Packs a message's index within its kind and the node it came from into one small integer. */
export const packHead = (message: number, fromNode: number): number =>
  message + fromNode * actorLimits.messageNamesMax;
export const messageOf = (head: number): number => head % actorLimits.messageNamesMax;
export const nodeOf = (head: number): number => Math.floor(head / actorLimits.messageNamesMax);

/**
 * The messages that wait behind an actor's first one, or its stash: a ring that doubles when it is
 * full. It knows no bound: who pushes checks that.
 */
export class Mailbox {
  count = 0;
  #slots: unknown[] = emptySlots.slice();
  #mask: number = actorLimits.mailboxMessagesMin - 1;
  #first = 0;

  /** Messages that fit without growing. */
  get room(): number {
    return this.#mask + 1;
  }

  push(head: number, payload: unknown, ask: AskToken | undefined): void {
    if (this.count > this.#mask) this.#grow();
    const at = ((this.#first + this.count) & this.#mask) * stride;
    const slots = this.#slots;
    slots[at] = head;
    slots[at + 1] = payload;
    slots[at + 2] = ask;
    this.count++;
  }

  /** The first message's parts. Undefined when there is none: check `count`. */
  get head(): number {
    return this.#slots[this.#first * stride] as number;
  }
  get payload(): unknown {
    return this.#slots[this.#first * stride + 1];
  }
  get ask(): AskToken | undefined {
    return this.#slots[this.#first * stride + 2] as AskToken | undefined;
  }

  /** Removes the first message, and lets go of what it held. */
  shift(): void {
    const at = this.#first * stride;
    this.#slots[at + 1] = undefined;
    this.#slots[at + 2] = undefined;
    this.#first = (this.#first + 1) & this.#mask;
    this.count--;
  }

  #grow(): void {
    const old = this.#slots;
    const split = this.#first * stride;
    this.#slots = [...old.slice(split), ...old.slice(0, split)];
    this.#slots.length = old.length * 2;
    this.#mask = this.#mask * 2 + 1;
    this.#first = 0;
  }
}

/**
 * Rings that nobody uses. An actor has none while it is idle, or has one message only: it gives its
 * own back when it has handled everything, so 200,000 idle actors cost no rings.
 */
export class MailboxPool {
  readonly #free: Mailbox[] = [];
  /** Messages that fit in all of them together. */
  #room = 0;

  take(): Mailbox {
    const mailbox = this.#free.pop();
    if (mailbox === undefined) return new Mailbox();
    this.#room -= mailbox.room;
    return mailbox;
  }

  /** Takes an empty mailbox back, unless a burst made it large or there are enough. */
  give(mailbox: Mailbox): void {
    const { room } = mailbox;
    if (room > actorLimits.pooledMailboxMax || this.#room + room > actorLimits.pooledMessagesMax) return;
    this.#room += room;
    this.#free.push(mailbox);
  }
}
