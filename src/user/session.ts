import { assert } from '../assert.ts';
import { defaultPermissions, type Permissions } from '../auth/permissions.ts';
import { errorNumber, type CloseReason, type ErrorCode } from '../errors.ts';
import { GoimClient } from '../goim/client.ts';
import { limits } from '../limits.ts';
import { countRefusals, counters, countReplies, levels } from '../metrics/counters.ts';
import type { Opening } from '../net/lane.ts';
import type { Conversation } from '../store/conversation.ts';
import type { HistoryPage } from '../wire/history-reply.ts';
import { Op } from '../wire/op.ts';
import type { Run } from '../wire/run.ts';
import type { UserId } from '../wire/user-id.ts';
import { Delivery } from './delivery.ts';
import type { Feeder } from './feeder.ts';
import type { History } from './history.ts';
import { RequestQueue } from './request-queue.ts';
import type { SessionRate } from './token-bucket.ts';

/** What a session needs of the shard it lives on. */
export interface SessionHost {
  /** The session has something to write, or to close: it is flushed at the end of the tick. */
  touch(session: Session): void;
  /** The number of the newest slab that the gateway has taken in. */
  readonly acknowledgedSlab: number;
}

/**
 * One authenticated connection as its shard sees it: what it asked, what it is still to be sent,
 * and how far it has come. It belongs to one user; the user's actor and the group fan-out write to
 * it, the outbox turns that into one write a tick.
 */
export class Session {
  readonly connection: number;
  readonly user: UserId;
  /** Null: a comet connection without a device name, a device of its own. */
  readonly device: string | null;
  readonly encoding: Opening['encoding'];
  readonly webSocket: boolean;
  /** Comet: its cursor moves by op 22 alone, not by what the kernel took. */
  readonly acknowledges: boolean;
  /** Messaging: it is told which of its messages are stored. */
  readonly wantsAccepted: boolean;
  /** It is told what is about to happen to it. */
  readonly wantsNotices: boolean;
  readonly permissions: Permissions;
  /** When its credentials run out, in milliseconds since 1970; Infinity: never. */
  readonly expiresAt: number;
  /** The client's address, and when it connected, in milliseconds since 1970. */
  readonly address: string;
  readonly connectedAt: number;
  /** It speaks goim's dialect. */
  readonly goim: GoimClient | undefined;
  /** Its messages are packages of their own instead of an op 9 (goim's dialect over TCP). */
  readonly isBare: boolean;
  /** It gets messages of users, and of groups: a goim client as far as it accepts their operation. */
  readonly takesPairs: boolean;
  readonly takesGroups: boolean;
  readonly requests = new RequestQueue();
  feeder: Feeder | undefined;
  history: History | undefined;
  /** The page that the next op 25 with ret 0 carries. */
  page: HistoryPage | undefined;
  /** Until op 8 is sent: what it answers. */
  openedWith: Opening | undefined;
  /** What it may ask; undefined: it is not limited. */
  rate: SessionRate | undefined;
  /** A request was over its rate. */
  tooFast = false;
  /** Its input broke the protocol: nothing more of it is read. */
  broken = false;
  /** The user's actor has it: op 8 may be sent and input handled. */
  attached = false;
  /** Why it is to be closed, once everything before is written. */
  closing: Pick<CloseReason, 'code' | 'reason'> | undefined;
  /** The close was handed to the gateway; nothing more is written. */
  closed = false;
  /** What goes before everything else: op 8, or a reply that is no plain one. */
  prefix: (string | Buffer)[] | undefined;
  /** Messaging: the ids of unanswered sends, as JSON, by ticket. */
  ids: Map<number, string> | undefined;
  /** Messaging: why sends were refused, by ticket, where the code alone does not say it. */
  reasons: Map<number, string> | undefined;
  /** Another connection of this user is to get what this one sends. */
  hasSiblings = false;
  /** How it is to be closed once all that was read is answered: the client left, or a drain. */
  leaving: Pick<CloseReason, 'code' | 'reason'> | undefined;
  /** Messages for the next write, and their bytes. */
  runs: Run[] = [];
  runBytes = 0;
  /** Tick bookkeeping of the outbox. */
  touched = false;
  fanouts = 0;
  /** When the last whole frame came. */
  heardAt: number;
  cursorsDirty = false;
  /** The session of the same user that was opened before: see src/shard/user-index.ts. */
  olderOfUser: Session | undefined;
  /** Writes handed to the gateway so far. */
  writes = 0;
  lastSlab = 0;
  congested = false;
  #writesTaken = 0;
  /** By conversation key. Most connections idle: made when there is one. */
  #deliveries: Map<string, Delivery> | undefined;
  readonly #host: SessionHost;

  constructor(connection: number, opening: Opening, host: SessionHost, now: number) {
    this.connection = connection;
    this.user = opening.user;
    this.device = opening.device;
    this.encoding = opening.encoding;
    this.webSocket = opening.webSocket;
    this.acknowledges = opening.ack && opening.encoding !== 'messaging';
    this.wantsAccepted = opening.ack && opening.encoding === 'messaging';
    this.wantsNotices = opening.notices;
    this.permissions = opening.permissions ?? defaultPermissions;
    this.expiresAt = opening.expiresAt ?? Number.POSITIVE_INFINITY;
    this.address = opening.address;
    this.connectedAt = opening.connectedAt;
    const { goim } = opening;
    this.goim = goim && new GoimClient(goim);
    this.isBare = goim !== undefined && !opening.webSocket;
    this.takesPairs = goim === undefined || goim.accepts.includes(Op.send);
    this.takesGroups = goim === undefined || goim.accepts.includes(Op.groupSend);
    this.heardAt = now;
    this.#host = host;
  }

  /** Writes of this session that the kernel took, as far as is known. */
  get writesTaken(): number {
    // A write that the kernel did not take at once is reported before its slab is acknowledged.
    if (!this.congested && this.#host.acknowledgedSlab >= this.lastSlab) this.#writesTaken = this.writes;
    return this.#writesTaken;
  }

  /** Whether its credentials allow it to send to a user, or to a group. */
  maySend(isGroup: boolean, to: UserId): boolean {
    const { publish, groups } = this.permissions;
    if (!publish) return false;
    return !isGroup || groups === undefined || groups.includes(to as number);
  }

  /** Whether it may be given more messages now; if not, it is fed from the log later. */
  canTake(bytes: number): boolean {
    return (
      !this.congested && this.closing === undefined && this.runBytes + bytes <= limits.sessionOutBytesMax
    );
  }

  /** The client does not read fast enough: it took so many writes (low 32 bits). */
  congest(taken: number): void {
    if (!this.congested) {
      counters.congestions += 1;
      levels.slowSessions += 1;
    }
    this.congested = true;
    this.#take(taken);
  }

  drain(): void {
    if (this.congested) levels.slowSessions -= 1;
    this.congested = false;
  }

  /** The connection is gone: what it did not take counts as not delivered. */
  end(taken: number): void {
    this.closed = true;
    if (this.congested) levels.slowSessions -= 1;
    this.congested = true;
    this.#take(taken);
  }

  /** Gives it a run that follows what it has of the conversation. */
  push(run: Run, delivery: Delivery, last: number): void {
    this.runs.push(run);
    this.runBytes += run.bytes.length;
    this.advance(delivery, last);
    this.#host.touch(this);
  }

  /** The next write carries a conversation up to `last`. */
  advance(delivery: Delivery, last: number): void {
    // What was taken so far is noted first: if this write is not, nothing before it is sent again.
    delivery.confirm(this.writesTaken);
    delivery.advance(last, this.writes + 1);
  }

  /** Its own message was stored: the reply stands for it. */
  settleSent(ticket: number, count: number, first: number): void {
    for (let i = 0; i < count; i++) this.requests.settle(ticket + i, first + i);
    // Messaging that did not ask for it hears nothing of what went well.
    if (this.encoding !== 'messaging' || this.wantsAccepted) countReplies(this.requests.opAt(ticket), count);
    this.#settled();
  }

  /** In messaging the client is told the reason, if there is one, in place of that of the code. */
  refuse(ticket: number, count: number, error: ErrorCode, reason?: string): void {
    if (reason !== undefined && this.encoding === 'messaging')
      (this.reasons ??= new Map()).set(ticket, reason);
    const number = errorNumber(error);
    for (let i = 0; i < count; i++) this.requests.settle(ticket + i, -number);
    countRefusals(this.requests.opAt(ticket), number, count);
    this.#settled();
  }

  /** A request that is no send is done. */
  answer(ticket: number, chatId: number): void {
    this.requests.settle(ticket, chatId);
    countReplies(this.requests.opAt(ticket), 1);
    this.#settled();
  }

  /** An op 24 is done. There is one page at a time, see History. */
  answerPage(ticket: number, page: HistoryPage): void {
    this.page = page;
    this.answer(ticket, 1);
  }

  takePage(): HistoryPage {
    const { page } = this;
    assert(page !== undefined, 'an op 24 that is done has its page');
    this.page = undefined;
    return page;
  }

  /** A shard is gone, and the requests that it had not answered with it. */
  refuseShard(shard: number): void {
    const number = errorNumber('unavailable');
    const count = (op: number): void => countRefusals(op, number, 1);
    if (this.requests.settleShard(shard, -number, count)) this.#settled();
  }

  /** Output that is not a reply to a filed request, in order before the replies of this tick. */
  say(output: string | Buffer): void {
    (this.prefix ??= []).push(output);
    this.#host.touch(this);
  }

  close(reason: Pick<CloseReason, 'code' | 'reason'>): void {
    if (this.closing !== undefined) return;
    this.closing = reason;
    this.#host.touch(this);
  }

  /** How far it has come in a conversation; one that is new to it starts at `sent`. */
  delivery(conversation: Conversation, sent: number): Delivery {
    const deliveries = (this.#deliveries ??= new Map());
    let delivery = deliveries.get(conversation.key);
    if (delivery === undefined) {
      delivery = new Delivery(conversation, sent);
      deliveries.set(conversation.key, delivery);
    }
    return delivery;
  }

  findDelivery(key: string): Delivery | undefined {
    return this.#deliveries?.get(key);
  }

  deliveries(): Iterable<Delivery> {
    return this.#deliveries?.values() ?? [];
  }

  /** The user left the group. */
  dropDelivery(conversation: Conversation): void {
    this.#deliveries?.delete(conversation.key);
  }

  #settled(): void {
    if (this.requests.isReady) this.#host.touch(this);
  }

  #take(low32: number): void {
    this.#writesTaken += (low32 - this.#writesTaken) | 0;
  }
}
