import { Bits, GrowingUint32 } from './growing.ts';

/**
 * - user: all connections of a user together; a comet message may be lost with a connection that broke;
 * - device: the connections of one named device; the same, and own messages of other connections come too;
 * - ack: a device that acknowledges, named or the only one of its user: nothing may be lost to it, and
 *   what it has not acknowledged comes again;
 * - mailbox: the messaging connections of a user: nothing between two users may be lost to it.
 */
export type ScopeKind = 'user' | 'device' | 'ack' | 'mailbox';

/** Who has to get every message, on whichever of its connections. */
export class Scope {
  readonly kind: ScopeKind;
  readonly user: number;
  readonly name: string;
  /** Messages that were sent before are from before its time. */
  readonly since: number;
  /** Serials that one of its connections got. */
  readonly got = new Bits();
  /** The same for the connection that is the last one of a mailbox, or of a device that acknowledges. */
  gotLast = new Bits();
  lastConnection = -1;
  /** Ack: conversation -> the highest number that the device has acknowledged, answered or not. */
  readonly acked = new Map<number, number>();
  /** Ack: conversation -> the highest number up to which the server said that it is acknowledged. */
  readonly settled = new Map<number, number>();
  /** Conversation -> the highest number that came. */
  readonly #highest = new Map<number, number>();
  /** Conversation -> pairs (number, serial): a broken connection explains losses above and before them. */
  readonly #broken = new Map<number, GrowingUint32>();

  constructor(kind: ScopeKind, user: number, name: string, since: number) {
    this.kind = kind;
    this.user = user;
    this.name = name;
    this.since = since;
  }

  /** A device gets what other connections of its user send. */
  get getsOwn(): boolean {
    return this.kind === 'device' || this.kind === 'ack';
  }

  get isStrict(): boolean {
    return this.kind === 'ack' || this.kind === 'mailbox';
  }

  /** Conversation -> the highest number that came until now. */
  standing(): ReadonlyMap<number, number> {
    return new Map(this.#highest);
  }

  /** This connection is the last one, as things stand. */
  openedLast(connection: number): void {
    this.lastConnection = connection;
    this.gotLast = new Bits();
  }

  receive(connection: number, conversation: number, serial: number, number: number): void {
    this.got.add(serial);
    if (connection === this.lastConnection) this.gotLast.add(serial);
    if (number > (this.#highest.get(conversation) ?? 0)) this.#highest.set(conversation, number);
  }

  /**
   * A connection broke that had got everything up to `number`: what was on its way is lost, which is
   * at most what was sent before `serial`.
   */
  breakAt(conversation: number, number: number, serial: number): void {
    let pairs = this.#broken.get(conversation);
    if (pairs === undefined) this.#broken.set(conversation, (pairs = new GrowingUint32()));
    const { length } = pairs;
    // One that reaches as far down and is later says all that the one before it said.
    const at = length > 0 && pairs.at(length - 2) >= number ? length - 2 : length;
    pairs.set(at, number);
    pairs.set(at + 1, serial);
  }

  /** Whether a broken connection explains that a message never came. `number` 0: not known. */
  explains(conversation: number, serial: number, number: number): boolean {
    if (this.isStrict) return false;
    const pairs = this.#broken.get(conversation);
    if (pairs === undefined) return false;
    for (let i = 0; i < pairs.length; i += 2) {
      if (serial < pairs.at(i + 1) && (number === 0 || number > pairs.at(i))) return true;
    }
    return false;
  }
}
