import { closes } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Session } from '../user/session.ts';
import { Op } from '../wire/op.ts';

/**
 * Ends connections that have been silent for too long, and those whose requests the server has
 * lost. Messaging is kept alive by the gateway's pings instead.
 */
export class Sweep {
  readonly #timer: NodeJS.Timeout;
  /** The oldest open request of a session at the last sweep, and since when it is that one. */
  readonly #waiting = new Map<Session, { readonly ticket: number; readonly since: number }>();

  constructor(sessions: () => Iterable<Session>, idleTimeoutMs: number, now: () => number) {
    const everyMs = Math.min(1_000, Math.max(10, idleTimeoutMs / 4));
    this.#timer = setInterval(() => {
      const time = now();
      for (const session of sessions()) this.#check(session, time, idleTimeoutMs);
      for (const session of this.#waiting.keys()) if (session.closed) this.#waiting.delete(session);
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(session: Session, now: number, idleTimeoutMs: number): void {
    if (session.encoding !== 'messaging' && now - session.heardAt >= idleTimeoutMs)
      session.close(closes.idle);
    const { requests } = session;
    // A page of history waits for a client that does not read: that is no fault of the server.
    const waitsForClient = session.congested && requests.opAt(requests.head) === Op.historyReply;
    if (requests.size === 0 || requests.isReady || waitsForClient) {
      this.#waiting.delete(session);
      return;
    }
    const waiting = this.#waiting.get(session);
    if (waiting?.ticket !== requests.head) this.#waiting.set(session, { ticket: requests.head, since: now });
    else if (now - waiting.since >= limits.requestTimeoutMs) session.close(closes.internal);
  }
}
