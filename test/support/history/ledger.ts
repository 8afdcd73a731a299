import { GrowingUint32 } from './growing.ts';

const acknowledged = 1;
const refused = 2;
const seen = 4;
const read = 8;

/**
 * Every message that was sent, by its serial: 0, 1, 2, … in the order of sending, over all
 * connections. A message is a few numbers; its text carries the serial.
 */
export class Ledger {
  readonly #conversations = new GrowingUint32();
  readonly #connections = new GrowingUint32();
  readonly #numbers = new GrowingUint32();
  readonly #flags = new GrowingUint32();
  /** Connections from this one on must not get the message again: it was read. 0: none. */
  readonly #settledBefore = new GrowingUint32();
  readonly #messagesMax: number;

  constructor(messagesMax: number) {
    this.#messagesMax = messagesMax;
  }

  /** How many were sent: the next serial. */
  get length(): number {
    return this.#conversations.length;
  }

  begin(connection: number, conversation: number): number {
    const serial = this.length;
    if (serial >= this.#messagesMax) throw new Error(`a history of over ${this.#messagesMax} messages`);
    this.#conversations.push(conversation);
    this.#connections.push(connection);
    return serial;
  }

  conversationOf(serial: number): number {
    return this.#conversations.at(serial);
  }

  /** The connection that sent it. */
  connectionOf(serial: number): number {
    return this.#connections.at(serial);
  }

  /** Its number in its conversation; 0 while nobody told it. */
  numberOf(serial: number): number {
    return this.#numbers.at(serial);
  }

  setNumber(serial: number, number: number): void {
    this.#numbers.set(serial, number);
  }

  /** The server promised that it is stored. */
  acknowledge(serial: number): void {
    this.#mark(serial, acknowledged);
  }

  isAcknowledged(serial: number): boolean {
    return serial >= 0 && this.#has(serial, acknowledged);
  }

  /** The server said that it is not stored. */
  refuse(serial: number): void {
    this.#mark(serial, refused);
  }

  isRefused(serial: number): boolean {
    return this.#has(serial, refused);
  }

  /** Somebody got it, which is as good as an acknowledgement: stored, then told. */
  see(serial: number): void {
    this.#mark(serial, seen);
  }

  isSeen(serial: number): boolean {
    return this.#has(serial, seen);
  }

  isStored(serial: number): boolean {
    return this.#has(serial, acknowledged | seen);
  }

  /** Its receiver asked to have it deleted. */
  read(serial: number): void {
    this.#mark(serial, read);
  }

  isRead(serial: number): boolean {
    return this.#has(serial, read);
  }

  /** False: it was before. */
  settleRead(serial: number, nextConnection: number): boolean {
    if (this.#settledBefore.at(serial) !== 0) return false;
    this.#settledBefore.set(serial, nextConnection);
    return true;
  }

  mayComeAgain(serial: number, connection: number): boolean {
    const from = this.#settledBefore.at(serial);
    return from === 0 || connection < from;
  }

  #mark(serial: number, flag: number): void {
    this.#flags.set(serial, this.#flags.at(serial) | flag);
  }

  #has(serial: number, flag: number): boolean {
    return (this.#flags.at(serial) & flag) !== 0;
  }
}
