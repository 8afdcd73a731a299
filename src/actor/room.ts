import type { Activation } from './activation.ts';
import { AskRefused, AskTimeout, type RefusedReason } from './errors.ts';
import type { Host } from './host.ts';
import { actorLimits } from './limits.ts';
import type { Runtime } from './runtime.ts';
import type { ActorId, RoomOptions } from './types.ts';

/** A caller of `room()`. Settles once. */
class RoomWaiter {
  readonly promise: Promise<void>;
  readonly #runtime: Runtime;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: unknown;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;

  constructor(runtime: Runtime, [kind, id]: readonly [string, ActorId], { timeoutMs, signal }: RoomOptions) {
    this.#runtime = runtime;
    this.#signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (timeoutMs !== undefined) {
      const late = (): void => this.settle(new AskTimeout(kind, id, 'room', timeoutMs));
      this.#timer = runtime.clock.setTimeout(late, timeoutMs);
    }
    signal?.addEventListener('abort', this.#abort, { once: true });
    if (signal?.aborted === true) this.#abort();
  }

  settle(error?: unknown): void {
    this.#runtime.clock.clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#abort);
    if (error === undefined) this.#resolve();
    else this.#reject(error);
  }

  readonly #abort = (): void => this.settle(this.#signal?.reason);
}

/** Those who wait for room in one queue, woken together when it is half empty. */
export class RoomQueue {
  #waiters = new Set<RoomWaiter>();

  get waiting(): number {
    return this.#waiters.size;
  }

  wait(runtime: Runtime, address: readonly [string, ActorId], options: RoomOptions): Promise<void> {
    const waiter = new RoomWaiter(runtime, address, options);
    this.#waiters.add(waiter);
    const leave = (): void => void this.#waiters.delete(waiter);
    waiter.promise.then(leave, leave);
    return waiter.promise;
  }

  wake(error?: unknown): void {
    const woken = this.#waiters;
    this.#waiters = new Set();
    for (const waiter of woken) waiter.settle(error);
  }
}

/** Those who wait for room in mailboxes of one kind. */
export class Rooms {
  readonly #host: Host;
  readonly #queues = new Map<ActorId, RoomQueue>();
  /** Ids that somebody waits for: while there are none, a turn has nothing to do here. */
  waiting = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  wait(id: ActorId, options: RoomOptions): Promise<void> {
    const { runtime, kind } = this.#host;
    const waiting = this.#host.residents.get(id)?.waiting ?? 0;
    if (waiting < kind.mailbox.capacity) return Promise.resolve();
    let queue = this.#queues.get(id);
    if (queue === undefined) {
      queue = new RoomQueue();
      this.#queues.set(id, queue);
      this.waiting++;
    }
    if (queue.waiting >= actorLimits.roomWaitersMax) {
      return Promise.reject(new AskRefused(kind.name, id, 'room', 'mailbox_full'));
    }
    return queue.wait(runtime, [kind.name, id], options);
  }

  /** After a turn: wakes those who wait, if half of the mailbox is free. */
  check({ id, waiting }: Activation): void {
    if (waiting * 2 <= this.#host.kind.mailbox.capacity) this.#wake(id);
  }

  /** The actor left memory: a tell finds a new mailbox, or says why not. */
  gone({ id }: Activation): void {
    if (this.waiting > 0) this.#wake(id);
  }

  stop(reason: RefusedReason): void {
    for (const [id, queue] of this.#queues)
      queue.wake(new AskRefused(this.#host.kind.name, id, 'room', reason));
    this.#queues.clear();
    this.waiting = 0;
  }

  #wake(id: ActorId): void {
    const queue = this.#queues.get(id);
    if (queue === undefined) return;
    this.#queues.delete(id);
    this.waiting--;
    queue.wake();
  }
}
