import { closes, type CloseReason } from '../errors.ts';
import { limits } from '../limits.ts';
import { countSession } from '../metrics/counters.ts';
import { ToGateway, ToShard, type Lane, type Opening } from '../net/lane.ts';
import { Session, type SessionHost } from '../user/session.ts';
import { decodeMessage, FrameDecoder, type FrameFailure } from '../wire/frame-decoder.ts';
import type { UserId } from '../wire/user-id.ts';
import type { CometInput } from './comet-input.ts';
import type { MessagingInput } from './messaging-input.ts';
import { Parking } from './parking.ts';
import type { Rates } from './rates.ts';
import type { Requests } from './requests.ts';
import { UserIndex } from './user-index.ts';

export interface SessionsOptions {
  readonly host: SessionHost;
  readonly lane: Lane;
  readonly requests: Requests;
  readonly comet: CometInput;
  readonly messaging: MessagingInput;
  readonly rates: Rates;
  readonly packageBytesMax: number;
  now(): number;
}

/** Input that is handled but not credited yet waits for this much more of it. */
const CREDIT_BYTES_MIN = limits.sessionInBytesMax / 4;

/**
 * The sessions of a shard by connection, and the way of their input: decoded at once, or parked
 * while the session cannot take requests (docs/protocol.md "Back-pressure").
 */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<number, Session>();
  readonly #byUser = new UserIndex();
  readonly #decoders = new Map<number, FrameDecoder>();
  readonly #parking = new Parking<Session>();
  /** Handled bytes by connection that the gateway has not been told of. */
  readonly #credits = new Map<Session, number>();
  /** Sessions whose parked input may go on. */
  #resumable = new Set<Session>();
  #draining = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(connection: number): Session | undefined {
    return this.#sessions.get(connection);
  }

  values(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** Users with a connection. */
  get users(): number {
    return this.#byUser.users;
  }

  ofUser(user: UserId): Iterable<Session> {
    return this.#byUser.of(user);
  }

  open(connection: number, opening: Opening): Session {
    const { rates, host } = this.#options;
    const now = this.#options.now();
    const session = new Session(connection, opening, host, now);
    session.rate = rates.open(session.user, session.permissions.rateClass, now);
    this.#sessions.set(connection, session);
    this.#byUser.add(session);
    countSession(session.encoding, 1);
    if (this.#draining) session.leaving = closes.goingAway;
    return session;
  }

  remove(session: Session): void {
    const { rates } = this.#options;
    if (session.rate !== undefined) rates.close(session.user, session.rate, this.#options.now());
    if (this.#sessions.delete(session.connection)) countSession(session.encoding, -1);
    this.#byUser.remove(session);
    this.#decoders.delete(session.connection);
    this.#parking.delete(session);
    this.#credits.delete(session);
    this.#resumable.delete(session);
  }

  /** Bytes, a text or a binary message of a connection: [start, end) of a slab. */
  input(connection: number, type: number, buf: Buffer, start: number, end: number): void {
    const session = this.#sessions.get(connection);
    if (session === undefined || session.closing !== undefined || session.broken) return;
    if (!this.#canHandle(session) || this.#parking.has(session)) {
      this.#parking.park(session, type, buf, start, end);
      return;
    }
    const stopped = this.#handle(session, type, buf, start, end);
    this.#credit(session, stopped - start);
    if (stopped < end) this.#parking.park(session, type, buf, stopped, end);
  }

  /**
   * No more input for now, or something else comes before it: the last run is on its way. Until then
   * what a connection sends in several WebSocket messages is one run, as if it came in one chunk.
   */
  endInput(): void {
    this.#options.requests.end();
  }

  /** Requests were answered, the client reads again, or it was attached: go on with what is parked. */
  resume(session: Session): void {
    if (this.#parking.has(session)) this.#resumable.add(session);
  }

  get hasResumable(): boolean {
    return this.#resumable.size > 0;
  }

  handleResumed(): void {
    if (this.#resumable.size === 0) return;
    const resumable = this.#resumable;
    this.#resumable = new Set();
    for (const session of resumable) this.#unpark(session);
  }

  /** The client has sent its last byte. */
  ended(connection: number): void {
    const session = this.#sessions.get(connection);
    if (session === undefined) return;
    session.leaving ??= { code: 0, reason: '' };
    this.closeIfIdle(session);
  }

  /** The client is gone: what it said before is still carried out (docs/protocol.md "Closing"). */
  finish(session: Session): void {
    for (;;) {
      const parked = this.#parking.first(session);
      if (parked === undefined || session.closing !== undefined || session.broken) break;
      // Bounded by limits.sessionInBytesMax: nobody waits for the answers, so they need no room.
      parked.at = this.#handle(session, parked.type, parked.bytes, parked.at, parked.bytes.length);
      if (parked.at === parked.bytes.length) this.#parking.shift(session);
    }
    this.endInput();
  }

  /** Every session is to finish what was read and then to leave. */
  drain(): void {
    this.#draining = true;
    for (const session of this.#sessions.values()) {
      session.leaving = closes.goingAway;
      if (session.congested) session.history?.abandon();
      this.closeIfIdle(session);
    }
  }

  /** Closes a session that is leaving, once everything it asked for is answered. */
  closeIfIdle(session: Session): void {
    if (session.leaving === undefined || !session.attached || session.closing !== undefined) return;
    if (session.requests.size === 0 && !this.#parking.has(session)) session.close(session.leaving);
  }

  /** Ends a session: nothing more of it is read, and what it asked before is answered first. */
  dismiss(session: Session, close: Pick<CloseReason, 'code' | 'reason'>): void {
    if (session.broken || session.closing !== undefined) return;
    session.broken = true;
    session.leaving = close;
    if (session.congested) session.history?.abandon();
    this.#parking.delete(session);
    this.closeIfIdle(session);
  }

  #canHandle(session: Session): boolean {
    return session.attached && !session.congested && !session.requests.isFull;
  }

  #unpark(session: Session): void {
    for (;;) {
      const parked = this.#parking.first(session);
      if (parked === undefined || session.closing !== undefined || !this.#canHandle(session)) break;
      const { type, bytes, at } = parked;
      parked.at = this.#handle(session, type, bytes, at, bytes.length);
      this.#credit(session, parked.at - at);
      if (parked.at === bytes.length || session.closing !== undefined) this.#parking.shift(session);
    }
    this.endInput();
    this.closeIfIdle(session);
  }

  /** Returns where it stopped: before the end when the session has too many requests open. */
  #handle(session: Session, type: number, buf: Buffer, start: number, end: number): number {
    const { comet, messaging, packageBytesMax } = this.#options;
    comet.session = session;
    comet.now = messaging.now = this.#options.now();
    let at = end;
    if (type === ToShard.bytes) at = this.#decodeStream(session, buf, start, end);
    else if (type === ToShard.binary) at = this.#decodeMessage(session, buf, start, end);
    else if (end - start > packageBytesMax)
      this.#fail(session, { close: closes.tooBig, detail: tooBig(end - start) });
    else this.#onText(session, buf, start, end);
    if (session.tooFast && !session.broken) this.#fail(session, { close: closes.tooFast, detail: TOO_FAST });
    if (session.requests.isReady) this.#options.host.touch(session);
    return session.closing === undefined && !session.broken ? at : end;
  }

  #decodeStream(session: Session, buf: Buffer, start: number, end: number): number {
    let decoder = this.#decoders.get(session.connection);
    if (decoder === undefined) {
      decoder = new FrameDecoder(this.#options.packageBytesMax);
      this.#decoders.set(session.connection, decoder);
    }
    const at = decoder.decode(buf, start, end, this.#options.comet);
    if (decoder.failure !== undefined) this.#fail(session, decoder.failure);
    // An idle connection keeps no decoder: most chunks end with a whole package.
    else if (decoder.pending === 0) this.#decoders.delete(session.connection);
    return at;
  }

  #decodeMessage(session: Session, buf: Buffer, start: number, end: number): number {
    if (session.encoding === 'messaging') {
      this.#fail(session, { close: closes.unsupported, detail: 'messaging has no binary messages' });
      return end;
    }
    const { packageBytesMax, comet } = this.#options;
    const { offset, failure } = decodeMessage(buf, start, end, packageBytesMax, comet);
    if (failure !== undefined) this.#fail(session, failure);
    return offset;
  }

  #onText(session: Session, buf: Buffer, start: number, end: number): void {
    const { comet, messaging } = this.#options;
    if (session.encoding === 'messaging') messaging.onText(session, buf.toString('utf8', start, end));
    else {
      const failure = comet.onText(session, buf, start, end);
      if (failure !== undefined) this.#fail(session, failure);
    }
  }

  #fail(session: Session, { close, detail }: FrameFailure): void {
    // The requests before the bad package are answered first: docs/protocol.md "Closing".
    this.dismiss(session, { code: close.code, reason: detail });
  }

  #credit(session: Session, bytes: number): void {
    const due = (this.#credits.get(session) ?? 0) + bytes;
    if (due < CREDIT_BYTES_MIN) {
      this.#credits.set(session, due);
      return;
    }
    this.#credits.delete(session);
    this.#options.lane.out.begin(ToGateway.credit, session.connection, due, 0);
  }
}

const TOO_FAST = 'more requests than this connection may make';

const tooBig = (bytes: number): string => `a message of ${bytes} bytes is over the limit`;
