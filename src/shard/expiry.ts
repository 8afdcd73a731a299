import { limits } from '../limits.ts';
import type { Session } from '../user/session.ts';

export interface ExpiryHost {
  /** Its credentials run out in so many seconds. */
  warn(session: Session, seconds: number): void;
  /** They have run out. */
  expire(session: Session): void;
  now(): number;
}

/**
 * Connections whose credentials run out: warned once, limits.expiryWarningMs before, then ended. One
 * timer for all of them; they stand in sets by the second in which they are due next. What is due at
 * once is handled in steps, so that tokens of one minute do not stop everybody else.
 */
export class Expiry {
  readonly #host: ExpiryHost;
  /** By second; each session is in one of them. */
  readonly #due = new Map<number, Set<Session>>();
  readonly #seconds = new Map<Session, number>();
  #timer: NodeJS.Timeout | undefined;
  /** Everything up to this second was looked at. */
  #handled: number;

  constructor(host: ExpiryHost) {
    this.#host = host;
    this.#handled = secondOf(host.now());
  }

  get size(): number {
    return this.#seconds.size;
  }

  /** A session that was told who it is. */
  add(session: Session): void {
    if (!Number.isFinite(session.expiresAt)) return;
    if (this.#seconds.size === 0) this.#handled = secondOf(this.#host.now()) - 1;
    this.#put(session, Math.max(session.expiresAt - limits.expiryWarningMs, this.#host.now()));
    this.#timer ??= setTimeout(this.#fire, SECOND_MS);
  }

  delete(session: Session): void {
    const second = this.#seconds.get(session);
    if (second === undefined) return;
    this.#seconds.delete(session);
    const due = this.#due.get(second);
    due?.delete(session);
    if (due?.size === 0) this.#due.delete(second);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Rounded up: nobody is ended before the time. */
  #put(session: Session, time: number): void {
    const second = Math.max(Math.ceil(time / SECOND_MS), this.#handled + 1);
    this.#seconds.set(session, second);
    const due = this.#due.get(second);
    if (due === undefined) this.#due.set(second, new Set([session]));
    else due.add(session);
  }

  readonly #fire = (): void => {
    const rest = this.#handle();
    if (this.#seconds.size === 0) this.#timer = undefined;
    else this.#timer = setTimeout(this.#fire, rest ? limits.expiryPauseMs : SECOND_MS);
  };

  /** Whether something that is due is left. */
  #handle(): boolean {
    const now = secondOf(this.#host.now());
    if (now < this.#handled) this.#handled = now; // the clock was set back
    let left: number = limits.expiryStepSessionsMax;
    for (const second of this.#secondsUpTo(now)) {
      this.#handled = second; // who is put back is due later
      for (const session of this.#due.get(second) ?? []) {
        if (left === 0) {
          this.#handled = second - 1;
          return true;
        }
        left -= 1;
        this.#act(session);
      }
    }
    this.#handled = now;
    return false;
  }

  /** Second by second, or, when the clock has leapt, those that somebody is in. */
  #secondsUpTo(now: number): number[] {
    const count = now - this.#handled;
    if (count <= this.#due.size) return Array.from({ length: count }, (_, i) => this.#handled + 1 + i);
    return [...this.#due.keys()].filter((second) => second <= now).toSorted((a, b) => a - b);
  }

  #act(session: Session): void {
    this.delete(session);
    if (session.closed || session.closing !== undefined) return;
    const leftMs = session.expiresAt - this.#host.now();
    if (leftMs <= 0) return this.#host.expire(session);
    this.#host.warn(session, Math.ceil(leftMs / SECOND_MS));
    this.#put(session, session.expiresAt);
  }
}

const SECOND_MS = 1_000;
const secondOf = (time: number): number => Math.floor(time / SECOND_MS);
