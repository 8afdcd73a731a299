import type { Clock } from './clock.ts';
import { AskFailed, AskRefused, AskTimeout, describeError, type RefusedReason } from './errors.ts';
import type { ActorId } from './types.ts';

/** What travels with an asked message in a mailbox: where its answer goes. */
export interface AskToken {
  /** On the clock of the asking system. */
  readonly deadline: number;
  /** The asker does not wait any more. */
  readonly settled: boolean;
  answer(value: unknown): void;
  fail(error: unknown): void;
  refuse(reason: RefusedReason): void;
}

/** The asks of a system that wait for an answer, from wherever. Bounded by `max`. */
export class AskTable {
  readonly clock: Clock;
  readonly max: number;
  readonly waiting = new Set<PendingAsk>();

  constructor(clock: Clock, max: number) {
    this.clock = clock;
    this.max = max;
  }

  get full(): boolean {
    return this.waiting.size >= this.max;
  }

  refuseAll(reason: RefusedReason): void {
    for (const ask of this.waiting) ask.refuse(reason);
  }
}

/** An ask of this system, whichever node answers it. Settles its promise once, and then only. */
export class PendingAsk implements AskToken {
  readonly deadline: number;
  readonly promise: Promise<unknown>;
  settled = false;
  /** Called once when it settles: a link forgets its token. */
  onSettled: (() => void) | undefined;
  readonly #table: AskTable;
  readonly #address: readonly [kind: string, id: ActorId, message: string];
  readonly #signal: AbortSignal | undefined;
  readonly #timer: unknown;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(
    table: AskTable,
    address: readonly [kind: string, id: ActorId, message: string],
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ) {
    this.#table = table;
    this.#address = address;
    this.#signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    table.waiting.add(this);
    this.deadline = table.clock.now() + timeoutMs;
    this.#timer = table.clock.setTimeout(() => {
      if (this.#settle()) this.#reject(new AskTimeout(...this.#address, timeoutMs));
    }, timeoutMs);
    signal?.addEventListener('abort', this.#abort, { once: true });
    if (signal?.aborted === true) this.#abort();
  }

  answer(value: unknown): void {
    if (this.#settle()) this.#resolve(value);
  }

  fail(error: unknown): void {
    const { message, code } = describeError(error);
    this.failWith(new AskFailed(message, code, error));
  }

  failWith(error: AskFailed): void {
    if (this.#settle()) this.#reject(error);
  }

  refuse(reason: RefusedReason): void {
    if (this.#settle()) this.#reject(new AskRefused(...this.#address, reason));
  }

  readonly #abort = (): void => {
    if (this.#settle()) this.#reject(this.#signal?.reason);
  };

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#table.waiting.delete(this);
    this.#table.clock.clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#abort);
    this.onSettled?.();
    return true;
  }
}
