import type { Activation } from './activation.ts';
import type { Clock } from './clock.ts';
import type { Via } from './cycles.ts';
import { AskFailed, AskRefused, AskTimeout, describeError, type RefusedReason } from './errors.ts';
import { extrasOf } from './extras.ts';
import type { Host } from './host.ts';
import type { ActorId } from './types.ts';

/** What travels with an asked message in a mailbox: where its answer goes. */
export interface AskToken {
  /** On the clock of the asking system. */
  readonly deadline: number;
  /** The asker does not wait any more. */
  readonly settled: boolean;
  /** The actors that wait for it. Undefined when it was asked from outside. */
  readonly via: Via | undefined;
  answer(value: unknown): void;
  fail(error: unknown): void;
  refuse(reason: RefusedReason): void;
}

/** The asks of a system that wait for an answer, from wherever. Bounded by `max`. */
export class AskTable {
  readonly clock: Clock;
  readonly max: number;
  readonly waiting = new Set<PendingAsk>();
  #last = 0;

  constructor(clock: Clock, max: number) {
    this.clock = clock;
    this.max = max;
  }

  get full(): boolean {
    return this.waiting.size >= this.max;
  }

  nextNumber(): number {
    return ++this.#last;
  }

  refuseAll(reason: RefusedReason): void {
    for (const ask of this.waiting) ask.refuse(reason);
  }
}

/** What an ask is: to whom, what, for how long, and which actor waits for it. */
export interface AskParts {
  readonly host: Host;
  readonly id: ActorId;
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Undefined: it comes from outside. */
  readonly asker: Activation | undefined;
  /** The ask that the asker handles. */
  readonly parent: AskToken | undefined;
}

/** An ask of this system, whichever node answers it. Settles its promise once, and then only. */
export class PendingAsk implements AskToken {
  readonly host: Host;
  readonly id: ActorId;
  readonly number: number;
  readonly deadline: number;
  readonly via: Via | undefined;
  readonly promise: Promise<unknown>;
  settled = false;
  /** Called once when it settles: a link forgets its token. */
  onSettled: (() => void) | undefined = undefined;
  readonly #table: AskTable;
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #asker: Activation | undefined;
  readonly #timer: unknown;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(table: AskTable, { host, id, name, timeoutMs, signal, asker, parent }: AskParts) {
    const now = table.clock.now();
    this.#table = table;
    this.host = host;
    this.id = id;
    this.#name = name;
    this.#signal = signal;
    this.#asker = asker;
    this.number = table.nextNumber();
    this.deadline = Math.min(now + timeoutMs, parent?.deadline ?? Infinity);
    this.#timeoutMs = parent === undefined ? timeoutMs : Math.max(0, this.deadline - now);
    this.via = asker === undefined ? undefined : this.#waits(asker, parent);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    table.waiting.add(this);
    this.#timer = table.clock.setTimeout(this.#expire, this.#timeoutMs);
    if (signal === undefined) return;
    signal.addEventListener('abort', this.#abort, { once: true });
    if (signal.aborted) this.#abort();
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
    if (this.#settle()) this.#reject(new AskRefused(this.host.kind.name, this.id, this.#name, reason));
  }

  #waits(asker: Activation, parent: AskToken | undefined): Via {
    (extrasOf(asker).openAsks ??= []).push(this);
    const next = parent?.via;
    const { number } = this;
    return { kind: asker.host.kind.name, id: asker.id, number, depth: (next?.depth ?? 0) + 1, next };
  }

  readonly #expire = (): void => {
    if (!this.#settle()) return;
    this.#reject(new AskTimeout(this.host.kind.name, this.id, this.#name, this.#timeoutMs));
  };

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
    const open = this.#asker?.extras?.openAsks;
    if (open !== undefined) open.splice(0, open.length, ...open.filter((ask) => ask !== this));
    return true;
  }
}
