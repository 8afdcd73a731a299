import type { AskToken } from './asks.ts';
import { ActorContext } from './context.ts';
import type { Extras } from './extras.ts';
import type { Host } from './host.ts';
import type { Mailbox } from './mailbox.ts';
import { Status, Wish } from './status.ts';
import type { Restarts } from './supervise.ts';
import type { ActorTimers } from './timers.ts';
import type { ActorId } from './types.ts';

/**
 * One actor in memory. Small, since there may be 200,000: what only some need (a ring for more than
 * one message, timers, restarts, extras) is made when needed. The logic is in turn.ts and lifecycle.ts.
 */
export class Activation {
  readonly host: Host;
  readonly id: ActorId;
  status: Status = Status.fresh;
  wish: Wish = Wish.none;
  state: unknown = undefined;
  /** Messages waiting: the first one's parts, and the others, if there are any. */
  waiting = 0;
  head = 0;
  payload: unknown = undefined;
  ask: AskToken | undefined = undefined;
  more: Mailbox | undefined = undefined;
  timers: ActorTimers | undefined = undefined;
  restarts: Restarts | undefined = undefined;
  extras: Extras | undefined = undefined;
  /** Counts how often it began anew: a promise of an earlier life means nothing any more. */
  life = 0;
  readonly context: ActorContext;
  /** Neighbours in the host's list of idle activations, and since when it stands there. */
  older: Activation | undefined = undefined;
  newer: Activation | undefined = undefined;
  idleSinceMs = 0;

  constructor(host: Host, id: ActorId) {
    this.host = host;
    this.id = id;
    this.context = new ActorContext(this);
  }

  /** Puts a message at the end. Knows no bound: the host checks `waiting` against the capacity. */
  enqueue(head: number, payload: unknown, ask: AskToken | undefined): void {
    if (this.waiting++ === 0) {
      this.head = head;
      this.payload = payload;
      this.ask = ask;
    } else {
      (this.more ??= this.host.runtime.mailboxes.take()).push(head, payload, ask);
    }
  }

  /** Removes the first message. There is one. */
  shift(): void {
    const { more } = this;
    if (--this.waiting === 0 || more === undefined) {
      this.payload = undefined;
      this.ask = undefined;
      return;
    }
    this.head = more.head;
    this.payload = more.payload;
    this.ask = more.ask;
    more.shift();
  }

  /** Puts all messages of a ring in front, in their order, and leaves it empty. */
  prepend(ring: Mailbox): void {
    const all = this.#drain();
    for (; ring.count > 0; ring.shift()) this.enqueue(ring.head, ring.payload, ring.ask);
    for (const [head, payload, ask] of all) this.enqueue(head, payload, ask);
  }

  /** Puts the first message that passes in front. False if none does. */
  bringForward(passes: (ask: AskToken | undefined) => boolean): boolean {
    if (passes(this.ask)) return true;
    const all = this.#drain();
    const found = all.findIndex(([, , ask]) => passes(ask));
    const first = found < 0 ? [] : all.splice(found, 1);
    for (const [head, payload, ask] of [...first, ...all]) this.enqueue(head, payload, ask);
    return found >= 0;
  }

  #drain(): (readonly [number, unknown, AskToken | undefined])[] {
    const all: (readonly [number, unknown, AskToken | undefined])[] = [];
    for (; this.waiting > 0; this.shift()) all.push([this.head, this.payload, this.ask]);
    return all;
  }
}
