import type { Connection } from './connection.ts';
import type { Conversation } from './conversation.ts';
import type { Facts } from './facts.ts';
import { GrowingUint32 } from './growing.ts';
import type { Ledger } from './ledger.ts';

export interface OrderLimits {
  readonly missedMax: number;
  readonly sequencesMax: number;
}

/** What one connection gets of one conversation: in order, none twice, none left out. */
export class Order {
  readonly #ledger: Ledger;
  readonly #facts: Facts;
  readonly #limits: OrderLimits;
  /** Numbers that were jumped over and are not explained, on all connections. */
  #missed = 0;
  #filed = 0;

  constructor(ledger: Ledger, facts: Facts, limits: OrderLimits) {
    this.#ledger = ledger;
    this.#facts = facts;
    this.#limits = limits;
  }

  /** A comet connection got a number. What it jumps over can only be its own messages. */
  follow(connection: Connection, conversation: Conversation, number: number): void {
    const { index, name } = conversation;
    const last = connection.lasts.get(index);
    if (last !== undefined && number <= last) {
      const late = this.explain(connection, index, number);
      this.#facts.add(
        late ? 'reordered' : 'duplicated',
        () => `${connection.name} got ${name} ${number} ${late ? 'after' : 'again, behind'} ${last}`,
      );
      return;
    }
    // What the device has not acknowledged comes again; without that, it may begin anywhere.
    const floor = connection.acks === undefined ? number : (connection.acks.acked.get(index) ?? 0);
    for (let between = (last ?? floor) + 1; between < number; between++)
      this.#miss(connection, conversation, between, number);
    connection.lasts.set(index, number);
  }

  /** The connection is told that it sent this number itself; whether it was missed. */
  explain(connection: Connection, conversation: number, number: number): boolean {
    if (connection.missed.get(conversation)?.delete(number) !== true) return false;
    this.#missed -= 1;
    return true;
  }

  /** A messaging connection got a message: numbers come later, so it is judged at the end. */
  file(connection: Connection, conversation: Conversation, serial: number): void {
    if ((this.#filed += 1) > this.#limits.sequencesMax)
      throw new Error(`over ${this.#limits.sequencesMax} messages came in messaging`);
    const { index } = conversation;
    let sequence = connection.sequences.get(index);
    if (sequence === undefined) connection.sequences.set(index, (sequence = new GrowingUint32()));
    const number = this.#ledger.numberOf(serial);
    connection.lasts.set(index, Math.max(connection.lasts.get(index) ?? 0, number));
    sequence.push(serial);
  }

  #miss(connection: Connection, conversation: Conversation, number: number, next: number): void {
    const serial = conversation.serialAt(number);
    if (serial !== undefined && isOwnOrAbsent(this.#ledger, connection, conversation, serial, next)) return;
    const { index, name } = conversation;
    if (this.#missed >= this.#limits.missedMax) {
      this.#facts.add('lost', () => `${connection.name} jumped over ${name} ${number}`);
      return;
    }
    this.#missed += 1;
    const missed = connection.missed.get(index);
    if (missed === undefined) connection.missed.set(index, new Map([[number, next]]));
    else missed.set(number, next);
  }
}

/** The connection sent it itself, or its device was not there yet, or its user was no member, before number `next` came. */
export function isOwnOrAbsent(
  ledger: Ledger,
  connection: Connection,
  conversation: Conversation,
  serial: number,
  next: number,
): boolean {
  if (ledger.connectionOf(serial) === connection.index) return true;
  if (serial < (connection.acks?.since ?? 0)) return true; // from before its time
  return conversation.isGroup && conversation.member(connection.user).explains(serial, next);
}
