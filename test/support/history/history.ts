import { Connection, type Protocol } from './connection.ts';
import { Conversation } from './conversation.ts';
import { Facts } from './facts.ts';
import { Ledger } from './ledger.ts';
import { Membership } from './membership.ts';
import { Order } from './order.ts';
import { Scope, type ScopeKind } from './scope.ts';

/** Bounds of a history: far above what a run of an hour at full rate needs. */
export const historyLimits = {
  /** Messages of one run: some 20 bytes each, and one bit for each scope. Over it: an error. */
  messagesMax: 33_554_432,
  /** Numbers that connections jumped over, not explained yet. Over it: lost at once. */
  missedMax: 1_000_000,
  /** Messages that came in messaging, 4 bytes each: their order is judged at the end. Over it: an error. */
  sequencesMax: 67_108_864,
  /** Facts of each kind that are told in words. */
  factsMax: 10,
};

/**
 * The history of a run, told event by event while it happens, and held against what docs/protocol.md
 * promises ("Conversations", "Order", "Delivery", "Mailbox"). What can be decided at once is; the
 * rest is left to `judge` (verdict.ts).
 *
 * Users, conversations and connections are numbers that this class gives out. So are messages: the
 * serial that `send` returns has to be in the text, and comes back with `receive`.
 */
export class History {
  readonly ledger: Ledger;
  readonly facts: Facts;
  readonly users: string[] = [];
  readonly conversations: Conversation[] = [];
  readonly connections: Connection[] = [];
  /** Messages that came, on all connections. */
  delivered = 0;
  /** Messages that the server said are stored. */
  acknowledged = 0;
  /** Messages that were read and must not come again. */
  settledReads = 0;
  /** Acknowledgements that were answered. */
  acks = 0;
  readonly #order: Order;

  constructor(limits: Partial<typeof historyLimits> = {}) {
    const all = { ...historyLimits, ...limits };
    this.ledger = new Ledger(all.messagesMax);
    this.facts = new Facts(all.factsMax);
    this.#order = new Order(this.ledger, this.facts, all);
  }

  addUser(name: string): number {
    return this.users.push(name) - 1;
  }

  /** `others` are no members, but will be or were. */
  addConversation(
    name: string,
    isGroup: boolean,
    members: readonly number[],
    others: readonly number[] = [],
  ): number {
    const conversation = new Conversation(this.conversations.length, name, isGroup);
    for (const user of members) conversation.members.set(user, new Membership(true));
    for (const user of others) conversation.members.set(user, new Membership(false));
    return this.conversations.push(conversation) - 1;
  }

  /** Who has to get what is sent from now on. To be added after all conversations. */
  addScope(kind: ScopeKind, user: number, name: string): Scope {
    const scope = new Scope(kind, user, name, this.ledger.length);
    for (const { members, scopes } of this.conversations) if (members.has(user)) scopes.push(scope);
    return scope;
  }

  /** A connection is about to be opened; what it gets counts for these scopes. */
  open(user: number, protocol: Protocol, name: string, scopes: readonly Scope[]): number {
    const before = new Map(scopes.map((scope) => [scope, scope.standing()]));
    const index = this.connections.length;
    this.connections.push(new Connection(index, user, name, protocol, scopes, before));
    return index;
  }

  /** The last connection of its scopes: it has to bring all that is unread, or not acknowledged. */
  openedLast(index: number): void {
    for (const scope of this.#connection(index).scopes) scope.openedLast(index);
  }

  /** Clean: this side has read everything that the server's side wrote. */
  close(index: number, clean: boolean): void {
    const connection = this.#connection(index);
    if (!clean) {
      for (const scope of connection.scopes) {
        for (const { index: at, scopes } of this.conversations) {
          if (!scopes.includes(scope)) continue;
          const last = connection.lasts.get(at) ?? 0;
          const before = connection.before.get(scope)?.get(at) ?? 0;
          scope.breakAt(at, Math.max(last, before), this.ledger.length);
        }
      }
    }
    connection.close();
  }

  /** A message is about to be sent; returns its serial. */
  send(connection: number, conversation: number): number {
    return this.ledger.begin(connection, conversation);
  }

  /** The server said that it is stored. `number` 0: it did not say where. */
  acknowledge(serial: number, number: number): void {
    const { ledger, facts } = this;
    const connection = this.#outcome(serial);
    const conversation = this.#conversation(ledger.conversationOf(serial));
    const { index, name } = conversation;
    this.acknowledged += 1;
    ledger.acknowledge(serial);
    if (number !== 0 && this.#place(conversation, serial, number)) {
      this.#order.explain(connection, index, number);
      const before = connection.ownNumbers.get(index) ?? 0;
      if (number <= before)
        facts.add('reordered', () => `${connection.name} sent ${name} ${number} after ${before}`);
      connection.ownNumbers.set(index, number);
    }
    // The reply went through the reader's own actor, in order: what was asked for before is done.
    while ((connection.reads[0]?.before ?? Infinity) <= serial) {
      const read = connection.reads.shift();
      if (read !== undefined && ledger.settleRead(read.message, this.connections.length))
        this.settledReads += 1;
    }
  }

  /** A device is about to acknowledge everything of a conversation up to a number. */
  acked(index: number, at: number, number: number): void {
    const { acked } = this.#acks(index);
    if (number > (acked.get(at) ?? 0)) acked.set(at, number);
  }

  /** The server said that all up to `stands` is acknowledged; the device had asked for `number`. */
  ackAnswered(index: number, at: number, number: number, stands: number): void {
    const { acked, settled } = this.#acks(index);
    const { name, members } = this.#conversation(at);
    const connection = this.#connection(index);
    this.acks += 1;
    const highest = acked.get(at) ?? 0;
    // Who joins again stands at the head, whatever it has acknowledged.
    const tooHigh = stands > highest && members.get(connection.user)?.isDue(0) === true;
    if (stands < number || tooHigh)
      this.facts.add('wrong', () => {
        const what = `acknowledged ${name} ${number}, ${highest} at most`;
        return `${connection.name} ${what}, and is told that it stands at ${stands}`;
      });
    if (stands > (settled.get(at) ?? 0)) settled.set(at, stands);
  }

  /** The server said that it is not stored, and will not be. */
  refuse(serial: number): void {
    this.#outcome(serial);
    this.ledger.refuse(serial);
  }

  /** The server answered, but not whether it is stored. */
  leaveOpen(serial: number): void {
    this.#outcome(serial);
  }

  /** A message came. `number` 0: it was not told. */
  receive(index: number, at: number, serial: number, number: number): void {
    const { ledger, facts } = this;
    const connection = this.#connection(index);
    const conversation = this.conversations[at];
    const membership = conversation?.members.get(connection.user);
    const where = (): string =>
      `${connection.name} got ${conversation?.name ?? 'something'} ${number}, message ${serial}`;
    this.delivered += 1;
    if (conversation === undefined || membership === undefined || !this.#isSent(serial, at)) {
      facts.add('wrong', () => `${where()}: it was not sent there`);
      return;
    }
    ledger.see(serial);
    if (ledger.isRefused(serial)) facts.add('wrong', () => `${where()}: it was refused`);
    // While nobody has told its number, only that it has not joined again counts.
    if (membership.isOut(serial, number || ledger.numberOf(serial) || Infinity))
      facts.add('wrong', () => `${where()}: it is no member`);
    if (!ledger.mayComeAgain(serial, index) && connection.protocol === 'messaging')
      facts.add('duplicated', () => `${where()}: it was read`);
    if (number !== 0 && !this.#place(conversation, serial, number)) return;
    if (number !== 0 && number <= (connection.settledBefore.get(at) ?? 0))
      facts.add('duplicated', () => `${where()}: it was acknowledged`);
    if (connection.protocol === 'comet') this.#order.follow(connection, conversation, number);
    else this.#order.file(connection, conversation, serial);
    for (const scope of connection.scopes) scope.receive(index, at, serial, ledger.numberOf(serial));
  }

  /** The log has this message at this number; false: then that is a fact. */
  log(reader: string, at: number, serial: number, number: number): boolean {
    const { ledger, facts } = this;
    const conversation = this.#conversation(at);
    const what = `${reader}: the log has ${conversation.name} ${number}, message ${serial}`;
    if (!this.#isSent(serial, at)) facts.add('wrong', () => `${what}: it was not sent there`);
    else if (ledger.isRefused(serial)) facts.add('wrong', () => `${what}: it was refused`);
    else {
      ledger.see(serial);
      return this.#place(conversation, serial, number);
    }
    return false;
  }

  /** A messaging connection asks to delete a message from its mailbox. */
  read(index: number, serial: number): void {
    this.ledger.read(serial);
    this.#connection(index).reads.push({ message: serial, before: this.ledger.length });
  }

  /** Membership of a group: `leaving` and `joining` when it is asked for, the others when it is done. */
  member(change: 'leaving' | 'left' | 'joining' | 'joined', user: number, conversation: number): void {
    const { last, members } = this.#conversation(conversation);
    members.get(user)?.[change](this.ledger.length, last);
  }

  #isSent(serial: number, conversation: number): boolean {
    return serial >= 0 && serial < this.ledger.length && this.ledger.conversationOf(serial) === conversation;
  }

  #connection(index: number): Connection {
    const connection = this.connections[index];
    if (connection === undefined) throw new Error(`there is no connection ${index}`);
    return connection;
  }

  #acks(index: number): Scope {
    const { acks, name } = this.#connection(index);
    if (acks === undefined) throw new Error(`${name} does not acknowledge`);
    return acks;
  }

  #conversation(index: number): Conversation {
    const conversation = this.conversations[index];
    if (conversation === undefined) throw new Error(`there is no conversation ${index}`);
    return conversation;
  }

  /** In comet, replies come in the order of the requests. */
  #outcome(serial: number): Connection {
    const connection = this.#connection(this.ledger.connectionOf(serial));
    const { name, lastOutcome } = connection;
    if (serial <= lastOutcome && connection.protocol === 'comet')
      this.facts.add('reordered', () => `${name}: message ${serial} was answered after ${lastOutcome}`);
    connection.lastOutcome = serial;
    return connection;
  }

  /** A message has one number, and no other has it. False: that is none. */
  #place(conversation: Conversation, serial: number, number: number): boolean {
    const { ledger, facts } = this;
    const { name } = conversation;
    if (!Number.isInteger(number) || number < 1 || number > ledger.length) {
      facts.add('wrong', () => `${name} ${number}, when ${ledger.length} messages were sent in all`);
      return false;
    }
    const other = conversation.serialAt(number);
    if (other === undefined) conversation.place(number, serial);
    else if (other !== serial)
      facts.add('duplicated', () => `${name} ${number} is two messages: ${other} and ${serial}`);
    const before = ledger.numberOf(serial);
    if (before === 0) ledger.setNumber(serial, number);
    else if (before !== number)
      facts.add('duplicated', () => `${name}: message ${serial} is both ${before} and ${number}`);
    return true;
  }
}
