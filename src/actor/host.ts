import { Activation } from './activation.ts';
import type { AskToken } from './asks.ts';
import { type Via, waitsForItself } from './cycles.ts';
import type { DeadLetterReason } from './dead-letters.ts';
import type { RefusedReason } from './errors.ts';
import { IdleActors } from './idle.ts';
import type { Kind } from './kind.ts';
import { actorLimits } from './limits.ts';
import { messageOf, nodeOf, packHead } from './mailbox.ts';
import { Residents } from './residents.ts';
import { Rooms } from './room.ts';
import type { Runtime } from './runtime.ts';
import { Status } from './status.ts';
import type { ActorId, Ended, EndReason } from './types.ts';
import { Unsaved } from './unsaved.ts';
import { isMessage, noticeMark, Watchers } from './watch.ts';

type AnyHandler = (state: unknown, payload: unknown, ctx: unknown) => unknown;

/**
 * One kind within one system: its names resolved once, its actors in memory, its way in.
 *
 * *Invariant:* there is at most one activation of an id in `residents`, and none outside of it runs.
 * *Invariant:* nothing here calls an actor's code. A delivery only queues; the drain runs.
 */
export class Host {
  readonly kind: Kind;
  /** The place of this kind in the system's list: what frames call it. */
  readonly index: number;
  readonly runtime: Runtime;
  /** Message names, and handlers, by index; and the index by name. */
  readonly names: readonly string[];
  readonly handlers: readonly AnyHandler[];
  readonly messages: ReadonlyMap<string, number>;
  /** Whether a message may change the state, by index. */
  readonly writes: readonly boolean[];
  /** Somebody wants to know of each message. */
  readonly hooked: boolean;
  /** A handled message needs no more than its answer: no hook after it, no save. */
  readonly plain: boolean;
  readonly residents = new Residents();
  readonly idle: IdleActors;
  readonly unsaved: Unsaved;
  readonly rooms: Rooms;
  readonly watchers = new Watchers();
  readonly #capacity: number;

  constructor(kind: Kind, index: number, runtime: Runtime) {
    this.kind = kind;
    this.#capacity = kind.mailbox.capacity;
    this.index = index;
    this.runtime = runtime;
    this.names = Object.keys(kind.messages);
    this.handlers = this.names.map((name) => kind.on[name] as AnyHandler);
    this.messages = new Map(this.names.map((name, at) => [name, at]));
    this.writes = this.names.map((name) => !kind.reads.includes(name));
    this.hooked = runtime.hooks.handling !== undefined || runtime.hooks.handled !== undefined;
    this.plain = runtime.hooks.handled === undefined && kind.saves === 'leaving';
    this.idle = new IdleActors(this);
    this.unsaved = new Unsaved(this);
    this.rooms = new Rooms(this);
  }

  /** Queues a message for an actor, activating it if need be. Returns why not, if it was not taken. */
  deliver(
    id: ActorId,
    message: number,
    payload: unknown,
    ask: AskToken | undefined,
    fromNode: number,
  ): RefusedReason | undefined {
    if (this.runtime.phase !== 'running') return this.#refuse('stopped', id, message, payload, ask, fromNode);
    const resident = this.residents.get(id);
    if (ask?.via !== undefined && this.#isCycle(resident, ask.via)) {
      return this.#refuse('cycle', id, message, payload, ask, fromNode);
    }
    if (resident === undefined) {
      // What was spawned and is not here any more has stopped.
      if (this.kind.spawned) return this.#refuse('stopped', id, message, payload, ask, fromNode);
      return this.post(this.create(id), message, payload, ask, fromNode);
    }
    return this.post(resident, message, payload, ask, fromNode);
  }

  /** As {@link deliver}, but an actor that is not in memory, or on its way out, misses the message. */
  deliverIfActive(
    id: ActorId,
    message: number,
    payload: unknown,
    fromNode: number,
  ): RefusedReason | undefined {
    const activation = this.residents.get(id);
    if (activation === undefined || activation.status === Status.saving) return undefined;
    return this.deliver(id, message, payload, undefined, fromNode);
  }

  /** Queues a message for this very activation. */
  post(
    activation: Activation,
    message: number,
    payload: unknown,
    ask: AskToken | undefined,
    fromNode: number,
  ): RefusedReason | undefined {
    if (activation.waiting >= this.#capacity) {
      const { overflow } = this.kind.mailbox;
      if (overflow === 'reject')
        return this.#refuse('mailbox_full', activation.id, message, payload, ask, fromNode);
      if (overflow === 'drop-newest' || !activation.bringForward(isMessage)) {
        this.#drop(activation.id, message, payload, ask, fromNode);
        return undefined;
      }
      const { head, payload: oldest, ask: oldestAsk } = activation;
      activation.shift();
      activation.enqueue(packHead(message, fromNode), payload, ask);
      this.#drop(activation.id, messageOf(head), oldest, oldestAsk, nodeOf(head));
      return undefined;
    }
    activation.enqueue(packHead(message, fromNode), payload, ask);
    if (activation.status === Status.idle) this.makeReady(activation);
    return undefined;
  }

  /** A new activation, whose first turn comes. There is none of this id. */
  create(id: ActorId): Activation {
    const activation = new Activation(this, id);
    this.residents.add(activation);
    this.runtime.scheduler.push(activation);
    return activation;
  }

  /** Queues a notice, which needs no room. */
  notify(activation: Activation, message: number, notice: Ended): void {
    if (activation.status === Status.gone) return;
    activation.enqueue(packHead(message, this.runtime.node), notice, noticeMark);
    this.ready(activation);
  }

  /** Gives an activation that does nothing a turn; any other has one coming. */
  ready(activation: Activation): void {
    if (activation.status === Status.idle) this.makeReady(activation);
  }

  /** Gives an idle activation, or one whose turn is over, its next turn. */
  makeReady(activation: Activation): void {
    if (activation.status === Status.idle) this.idle.remove(activation);
    activation.status = Status.ready;
    this.runtime.scheduler.push(activation);
  }

  /** Tells those who watch an actor that it ended. */
  ended(id: ActorId, reason: EndReason): void {
    this.watchers.ended(id, reason);
  }

  deadLetter(
    reason: DeadLetterReason,
    id: ActorId,
    message: number,
    payload: unknown,
    fromNode: number,
  ): void {
    this.runtime.deadLetters.publish(
      reason,
      this.kind.name,
      id,
      this.names[message] ?? '',
      payload,
      fromNode,
    );
  }

  #isCycle(resident: Activation | undefined, via: Via): boolean {
    return via.depth > actorLimits.askDepthMax || (resident !== undefined && waitsForItself(resident, via));
  }

  #refuse(
    reason: 'stopped' | 'mailbox_full' | 'cycle',
    id: ActorId,
    message: number,
    payload: unknown,
    ask: AskToken | undefined,
    fromNode: number,
  ): RefusedReason {
    this.deadLetter(reason, id, message, payload, fromNode);
    ask?.refuse(reason);
    return reason;
  }

  #drop(id: ActorId, message: number, payload: unknown, ask: AskToken | undefined, fromNode: number): void {
    this.deadLetter('dropped', id, message, payload, fromNode);
    ask?.refuse('mailbox_full');
  }
}
