import { GrowingUint32 } from './growing.ts';
import type { Scope } from './scope.ts';

export type Protocol = 'comet' | 'messaging';

/** A message was read on the connection, before any message from serial `before` on was sent there. */
interface Read {
  readonly message: number;
  readonly before: number;
}

/** One connection of a user, as long as it is open; afterwards only what the verdict needs. */
export class Connection {
  readonly index: number;
  readonly user: number;
  readonly name: string;
  readonly protocol: Protocol;
  readonly scopes: readonly Scope[];
  /** Conversation -> the last number that came. */
  lasts = new Map<number, number>();
  /** Comet: conversation -> numbers that were jumped over, not explained yet -> the one that came then. */
  readonly missed = new Map<number, Map<number, number>>();
  /** Messaging: conversation -> serials in the order in which they came. */
  readonly sequences = new Map<number, GrowingUint32>();
  /** Where each scope stood when the connection opened: scope -> conversation -> number. */
  before: ReadonlyMap<Scope, ReadonlyMap<number, number>>;
  /** The scope of a device that acknowledges, and what was settled when the connection opened. */
  readonly acks: Scope | undefined;
  settledBefore: ReadonlyMap<number, number>;
  /** Conversation -> the number of the last own message that was acknowledged. */
  ownNumbers = new Map<number, number>();
  /** The last own message whose outcome came. */
  lastOutcome = -1;
  /** Marks as read that are not settled, in order. */
  reads: Read[] = [];

  constructor(
    index: number,
    user: number,
    name: string,
    protocol: Protocol,
    scopes: readonly Scope[],
    before: ReadonlyMap<Scope, ReadonlyMap<number, number>>,
  ) {
    this.index = index;
    this.user = user;
    this.name = name;
    this.protocol = protocol;
    this.scopes = scopes;
    this.before = before;
    this.acks = scopes.find(({ kind }) => kind === 'ack');
    this.settledBefore = new Map(this.acks?.settled);
  }

  /** Forgets what only an open connection needs. */
  close(): void {
    this.lasts = new Map();
    this.before = new Map();
    this.settledBefore = new Map();
    this.ownNumbers = new Map();
    this.reads = [];
  }
}
