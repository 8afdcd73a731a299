import type { Activation } from './activation.ts';
import { type AskTable, PendingAsk } from './asks.ts';
import { nodeOfSpawned } from './children.ts';
import { AskRefused, type RefusedReason } from './errors.ts';
import type { Host } from './host.ts';
import { actorLimits } from './limits.ts';
import type { Link } from './link.ts';
import type { Runtime } from './runtime.ts';
import { handledBy } from './turn-state.ts';
import type { ActorId, AskOptions, RoomOptions } from './types.ts';

/** Which node hosts an actor. Pure: all nodes have to agree, at any time. */
export type Place = (kind: string, id: ActorId) => number;

/** What the router needs of the system. */
export interface RouterParts {
  readonly runtime: Runtime;
  /** Undefined: every actor is hosted here. */
  readonly place: Place | undefined;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly asks: AskTable;
  readonly linkTo: (node: number) => Link;
}

/** Sends each tell and ask to its mailbox or its link. The hot path of every tell begins here. */
export class Router {
  readonly #runtime: Runtime;
  readonly #place: Place | undefined;
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #asks: AskTable;
  readonly #linkTo: (node: number) => Link;

  constructor(parts: RouterParts) {
    this.#runtime = parts.runtime;
    this.#place = parts.place;
    this.#hosts = parts.hosts;
    this.#asks = parts.asks;
    this.#linkTo = parts.linkTo;
  }

  /** The host of a kind of this system. */
  host(kind: string): Host | undefined {
    return this.#hosts.get(kind);
  }

  /** The node that an actor is on, or would be. */
  nodeOf(host: Host, id: ActorId): number {
    if (host.kind.spawned) return nodeOfSpawned(id);
    return this.#place === undefined ? this.#runtime.node : this.#place(host.kind.name, id);
  }

  /** Returns whether the message was taken: queued in its mailbox or for its node. */
  tell(host: Host, id: ActorId, target: number, name: string, payload: unknown, ifActive: boolean): boolean {
    const { node } = this.#runtime;
    const message = host.messages.get(name);
    if (message === undefined) {
      this.refuseUnknown('unknown_message', host.kind.name, id, name, payload);
      return false;
    }
    let refused: RefusedReason | undefined;
    if (target !== node) refused = this.#tellRemote(target, host, id, message, payload, ifActive);
    else if (ifActive) refused = host.deliverIfActive(id, message, payload, node);
    else refused = host.deliver(id, message, payload, undefined, node);
    return refused === undefined;
  }

  /** `asker`: the actor that waits for the answer; by default the one that runs now, if one does. */
  ask(
    host: Host,
    id: ActorId,
    target: number,
    name: string,
    payload: unknown,
    options: AskOptions | undefined,
    asker: Activation | undefined = this.#runtime.turn.activation,
  ): Promise<unknown> {
    const { node, phase } = this.#runtime;
    const message = host.messages.get(name);
    const full = this.#asks.full;
    const timeoutMs = options?.timeoutMs ?? actorLimits.askTimeoutMs;
    const parent = asker === undefined ? undefined : handledBy(asker)?.ask;
    const ask = new PendingAsk(this.#asks, host, id, name, timeoutMs, asker, parent);
    if (options?.signal !== undefined) ask.abortBy(options.signal);
    if (message === undefined) {
      this.refuseUnknown('unknown_message', host.kind.name, id, name, payload);
      ask.refuse('unknown_message');
    } else if (full || phase !== 'running') {
      const reason = full ? 'mailbox_full' : 'stopped';
      host.deadLetter(reason, id, message, payload, node);
      ask.refuse(reason);
    } else if (ask.settled) {
      host.deadLetter('expired', id, message, payload, node); // Its signal was aborted already.
    } else if (target === node) {
      host.deliver(id, message, payload, ask, node);
      this.#runtime.scheduler.hurry();
    } else {
      this.#linkTo(target).ask(host, id, message, payload, ask);
    }
    return ask.promise;
  }

  /** Resolves when a tell would find room in the actor's mailbox, or in the queue for its node. */
  room(host: Host, id: ActorId, target: number, options: RoomOptions = {}): Promise<void> {
    const { node, phase } = this.#runtime;
    if (phase !== 'running') return Promise.reject(new AskRefused(host.kind.name, id, 'room', 'stopped'));
    if (target === node) return host.rooms.wait(id, options);
    return this.#linkTo(target).room([host.kind.name, id], options);
  }

  /** A name that this node does not know, so that there is nothing to send. */
  refuseUnknown(
    reason: 'unknown_kind' | 'unknown_message',
    kind: string,
    id: ActorId,
    name: string,
    payload: unknown,
  ): void {
    this.#runtime.deadLetters.publish(reason, kind, id, name, payload, this.#runtime.node);
  }

  #tellRemote(
    target: number,
    host: Host,
    id: ActorId,
    message: number,
    payload: unknown,
    ifActive: boolean,
  ): RefusedReason | undefined {
    if (this.#runtime.phase === 'running')
      return this.#linkTo(target).tell(host, id, message, payload, ifActive);
    host.deadLetter('stopped', id, message, payload, this.#runtime.node);
    return 'stopped';
  }
}
