import { errorNumber, type ErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { countRefusals, counters, countReplies } from '../metrics/counters.ts';
import type { ReplyTo, SendRequest, UserPort } from '../user/messages.ts';
import type { Session } from '../user/session.ts';
import type { AckBody } from '../wire/ack-body.ts';
import type { HistoryQuery } from '../wire/history-body.ts';
import { Op } from '../wire/op.ts';
import { Origin, PayloadKind } from '../wire/run.ts';
import { RunBuilder } from '../wire/run-builder.ts';
import { shardOf } from '../wire/shard-of.ts';
import { compareUsers, type UserId } from '../wire/user-id.ts';

/** What carries requests to the owners of conversations. */
export interface RequestHost {
  readonly shard: number;
  readonly shards: number;
  now(): number;
  /** What is asked of the session's own user. */
  readonly tellUser: UserPort['tell'];
  sendToUser(owner: UserId, request: SendRequest): void;
  sendToGroup(group: number, request: SendRequest): void;
  /** Has the last word on messages, and forwards them (src/webhook/before-send.ts). Absent: nobody has. */
  readonly beforeSend?: { ask(session: Session, request: SendRequest, isGroup: boolean): void } | undefined;
}

/**
 * Turns what clients ask for into tickets and runs. Consecutive messages of one connection to one
 * conversation become one run, so that a full window of small messages is one message to the owner.
 */
export class Requests {
  readonly #host: RequestHost;
  readonly #builder = new RunBuilder();
  #session: Session | undefined;
  #op = 0;
  #to: UserId = 0;
  #kind: PayloadKind = PayloadKind.bytes;
  #firstTicket = 0;
  /** The shard of the conversation's owner. */
  #owner = 0;

  constructor(host: RequestHost) {
    this.#host = host;
  }

  /** A request that is answered here and now. `result`: above 0 done, below 0 an error number. */
  settled(session: Session, op: number, seq: number, version: number, result: number): void {
    this.end();
    session.requests.settle(session.requests.add(op, seq, version, -1), result);
    if (result > 0) countReplies(op, 1);
    else countRefusals(op, -result, 1);
  }

  refuse(session: Session, op: number, seq: number, version: number, error: ErrorCode): void {
    this.settled(session, op, seq, version, -errorNumber(error));
  }

  /** A comet message that was found good: op is 18 or 20. */
  send(
    session: Session,
    op: number,
    seq: number,
    version: number,
    to: number,
    kind: PayloadKind,
    buf: Buffer,
    start: number,
    end: number,
  ): void {
    const follows =
      this.#session === session &&
      this.#op === op &&
      this.#to === to &&
      this.#kind === kind &&
      this.#builder.byteLength + end - start <= limits.runBytesMax;
    if (!follows) this.#begin(session, op, to, kind);
    const ticket = session.requests.add(replyOp(op), seq, version, this.#owner);
    if (this.#builder.count === 0) this.#firstTicket = ticket;
    this.#builder.add(op, Number(session.user), to, buf, start, end);
  }

  /** Op 22. */
  acknowledge(session: Session, seq: number, version: number, body: AckBody): void {
    this.end();
    const ticket = session.requests.add(Op.ackReply, seq, version, -1);
    this.#host.tellUser(session.user, 'acknowledge', { session, ticket, ...body });
  }

  /** Op 24. */
  history(session: Session, seq: number, version: number, query: HistoryQuery): void {
    this.end();
    const ticket = session.requests.add(Op.historyReply, seq, version, -1);
    this.#host.tellUser(session.user, 'history', { session, ticket, query });
  }

  /** A messaging message: stored whole, as JSON, under its own id. */
  sendMessaging(session: Session, op: number, to: UserId, id: string, idText: string, raw: string): void {
    this.#begin(session, op, to, PayloadKind.json);
    this.#firstTicket = session.requests.add(replyOp(op), 0, 1, this.#owner);
    (session.ids ??= new Map()).set(this.#firstTicket, idText);
    const bytes = Buffer.from(raw);
    this.#builder.add(op, numberOf(session.user), numberOf(to), bytes, 0, bytes.length);
    this.#finish(Origin.messaging, op === Op.send ? id : null);
  }

  /** Everything that was asked so far is on its way. */
  end(): void {
    if (this.#builder.count > 0) this.#finish(Origin.comet, null);
  }

  #begin(session: Session, op: number, to: UserId, kind: PayloadKind): void {
    this.end();
    this.#session = session;
    this.#op = op;
    this.#to = to;
    this.#kind = kind;
    this.#owner = shardOf(op === Op.send ? lower(session.user, to) : to, this.#host.shards);
  }

  #finish(origin: Origin, id: string | null): void {
    const session = this.#session as Session;
    this.#session = undefined;
    const run = this.#builder.finish(this.#kind, origin, this.#host.now());
    const { user, connection } = session;
    const { shard } = this.#host;
    counters.received[origin * 2 + (this.#op === Op.send ? 0 : 1)]! += run.count;
    const replyTo: ReplyTo = { user, shard, connection, ticket: this.#firstTicket, count: run.count };
    const request: SendRequest = { replyTo, from: user, to: this.#to, run, echo: session.hasSiblings, id };
    const isGroup = this.#op !== Op.send;
    if (this.#host.beforeSend !== undefined) this.#host.beforeSend.ask(session, request, isGroup);
    else forward(this.#host, request, isGroup);
  }
}

/** To the owner of the conversation. */
export function forward(
  host: Pick<RequestHost, 'sendToUser' | 'sendToGroup'>,
  request: SendRequest,
  isGroup: boolean,
): void {
  if (isGroup) host.sendToGroup(Number(request.to), request);
  else host.sendToUser(lower(request.from, request.to), request);
}

/** The owner of a pair. */
export const lower = (a: UserId, b: UserId): UserId => (compareUsers(a, b) <= 0 ? a : b);

const replyOp = (op: number): number => (op === Op.send ? Op.sendReply : Op.groupSendReply);

/** Frames have room for mids only: a string client is 0 there, and named in the message itself. */
export const numberOf = (user: UserId): number => (typeof user === 'number' ? user : 0);
