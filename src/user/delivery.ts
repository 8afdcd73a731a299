import type { Conversation } from '../store/conversation.ts';

/**
 * How far one connection has come in one conversation. Whoever writes to the connection moves
 * `sent`; what the kernel took moves `taken`, which is what the user's cursor is made of.
 */
export class Delivery {
  readonly conversation: Conversation;
  /** The connection was given everything up to here, each number once. */
  sent: number;
  /** Everything up to here was taken by the kernel. */
  taken: number;
  /** Catching up from the log: live messages are left to it. */
  behind = false;
  /** Numbers that this very connection sent while it was behind: the log's feed leaves them out. */
  own: Set<number> | undefined;
  /** The write of the connection that carries `sent`. */
  #write = 0;
  /** An earlier point that is still to be confirmed, so that a steady stream is confirmed too. */
  #checkpointSent = 0;
  #checkpointWrite = 0;

  constructor(conversation: Conversation, sent: number) {
    this.conversation = conversation;
    this.sent = sent;
    this.taken = sent;
  }

  /** Everything up to `last` leaves with write number `write`. */
  advance(last: number, write: number): void {
    if (this.#checkpointWrite === 0 && this.#write !== 0) {
      this.#checkpointSent = this.sent;
      this.#checkpointWrite = this.#write;
    }
    this.sent = last;
    this.#write = write;
  }

  /** There is nothing to write up to `last`: it counts with the write before, if one is open. */
  pass(last: number): void {
    this.sent = last;
    if (this.#write === 0) this.taken = last;
  }

  /** The kernel took so many writes of the connection. */
  confirm(writesTaken: number): void {
    if (this.#write !== 0 && this.#write <= writesTaken) {
      this.taken = this.sent;
      this.#write = 0;
      this.#checkpointWrite = 0;
    } else if (this.#checkpointWrite !== 0 && this.#checkpointWrite <= writesTaken) {
      this.taken = this.#checkpointSent;
      this.#checkpointWrite = 0;
    }
  }

  get isConfirmed(): boolean {
    return this.taken === this.sent;
  }
}
