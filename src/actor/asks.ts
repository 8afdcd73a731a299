import type { Activation } from './activation.ts';
import type { Clock } from './clock.ts';
import type { Via } from './cycles.ts';
import { type DeadlineList, Deadlines } from './deadlines.ts';
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
  readonly deadlines: Deadlines;
  readonly waiting = new Set<PendingAsk>();
  #last = 0;

  constructor(clock: Clock, max: number, onEmpty: () => void) {
    this.clock = clock;
    this.max = max;
    this.deadlines = new Deadlines(clock, onEmpty);
  }

  get full(): boolean {
    return this.waiting.size >= this.max;
  }

  nextNumber(): number {
    return ++this.#last;
  }

  refuseAll(reason: RefusedReason): void {
    for (const ask of this.waiting) ask.refuse(reason);
    this.deadlines.tidy();
  }
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
  /** The link that knows it by a token, once it left for another node. */
  link: { forget(token: number): void } | undefined = undefined;
  token = 0;
  /** Where it stands among the deadlines. */
  deadlines: DeadlineList | undefined = undefined;
  earlier: PendingAsk | undefined = undefined;
  later: PendingAsk | undefined = undefined;
  readonly #table: AskTable;
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #asker: Activation | undefined;
  #signal: AbortSignal | undefined = undefined;
  #aborted: (() => void) | undefined = undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  /** `asker`: the actor that waits for it, if one does; `parent`: the ask that this one handles. */
  constructor(
    table: AskTable,
    host: Host,
    id: ActorId,
    name: string,
    timeoutMs: number,
    asker: Activation | undefined,
    parent: AskToken | undefined,
  ) {
    const now = table.clock.now();
    const own = now + timeoutMs;
    const capped = parent !== undefined && parent.deadline < own;
    this.host = host;
    this.id = id;
    this.number = table.nextNumber();
    this.deadline = capped ? parent.deadline : own;
    this.#table = table;
    this.#name = name;
    this.#timeoutMs = capped ? Math.max(0, parent.deadline - now) : timeoutMs;
    this.#asker = asker;
    this.via = asker === undefined ? undefined : this.#waits(asker, parent);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    table.waiting.add(this);
    table.deadlines.add(this, capped ? undefined : timeoutMs);
  }

  /** Ends it when the signal is aborted, or at once if it is already. */
  abortBy(signal: AbortSignal): void {
    this.#signal = signal;
    this.#aborted = () => {
      if (this.#settle()) this.#reject(signal.reason);
    };
    signal.addEventListener('abort', this.#aborted, { once: true });
    if (signal.aborted) this.#aborted();
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

  expire(): void {
    if (!this.#settle()) return;
    this.#reject(new AskTimeout(this.host.kind.name, this.id, this.#name, this.#timeoutMs));
  }

  #waits(asker: Activation, parent: AskToken | undefined): Via {
    (extrasOf(asker).openAsks ??= []).push(this);
    const next = parent?.via;
    const { number } = this;
    return { kind: asker.host.kind.name, id: asker.id, number, depth: (next?.depth ?? 0) + 1, next };
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#table.waiting.delete(this);
    this.#table.deadlines.remove(this);
    this.link?.forget(this.token);
    if (this.#aborted !== undefined) this.#signal?.removeEventListener('abort', this.#aborted);
    const open = this.#asker?.extras?.openAsks;
    if (open !== undefined) open.splice(0, open.length, ...open.filter((ask) => ask !== this));
    return true;
  }
}
