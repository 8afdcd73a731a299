import { AskTable } from './asks.ts';
import { spawn, spawnIds } from './children.ts';
import { type DeadLetterReason, DeadLetters } from './dead-letters.ts';
import { AskRefused } from './errors.ts';
import { Host } from './host.ts';
import type { Kind } from './kind.ts';
import { stop } from './leave.ts';
import { actorLimits } from './limits.ts';
import { register } from './internals.ts';
import type { Link, LinkPort } from './link.ts';
import { Links } from './links.ts';
import { MailboxPool } from './mailbox.ts';
import { settle, type SystemOptions } from './options.ts';
import { ActorRef } from './ref.ts';
import { Router } from './router.ts';
import type { Runtime } from './runtime.ts';
import { Scheduler } from './scheduler.ts';
import { Status } from './status.ts';
import { Turn } from './turn-state.ts';
import type * as t from './types.ts';
import { localWatches } from './watch.ts';

/** What `stats` tells. */
export interface SystemStats {
  /** Actors in memory, by kind. */
  readonly residents: Readonly<Record<string, number>>;
  /** Actors that wait for their turn. */
  readonly ready: number;
  /** Messages that wait for other nodes; bytes, as estimated, also of those on their way. */
  readonly linkFrames: number;
  readonly linkBytes: number;
}

/**
 * The actors of one thread: a node. Nodes of one process are linked pair by pair with `connect`.
 *
 * Payloads pass by reference between actors of one node, so a payload is the receiver's once it is
 * told; between nodes they are copied as msgpack does it: plain objects, arrays, strings, numbers,
 * bigints, Maps, Dates, and Uint8Arrays, which arrive as Buffers.
 */
export class ActorSystem<E = any> {
  /** This node's number. */
  readonly node: number;
  readonly #runtime: Runtime;
  readonly #hosts = new Map<string, Host>();
  readonly #links: Links;
  readonly #asks: AskTable;
  readonly #router: Router;
  #stopping: Promise<boolean> | undefined = undefined;
  #onEmpty: (() => void) | undefined = undefined;

  /** @throws RangeError when an option is out of range, or two kinds share a name. */
  constructor(options: SystemOptions<E>) {
    const settings = settle(options);
    const { node, clock, random, hooks, afterDrain, sliceMs, onFailure } = settings;
    this.node = node;
    const { schedule } = options;
    const scheduler = new Scheduler({
      clock,
      sliceMs,
      schedule,
      afterDrain,
      flushLinks: () => this.#endDrain(),
    });
    this.#asks = new AskTable(clock, settings.asksMax, () => scheduler.wake());
    const runtime: Runtime = {
      node,
      env: options.env,
      clock,
      random,
      hooks,
      system: this,
      hosts: this.#hosts,
      refTo: (host, id) => new ActorRef(this.#router, host.kind.name, id, host),
      refOf: (kind, id) => new ActorRef(this.#router, kind, id, this.#hosts.get(kind)),
      watchRoute: (host, id) => {
        const to = this.#router.nodeOf(host, id);
        return to === node ? localWatches : this.#links.to(to).watches;
      },
      nextSpawnId: spawnIds(node, random),
      scheduler,
      turn: new Turn(),
      mailboxes: new MailboxPool(),
      deadLetters: new DeadLetters(options.onDeadLetter),
      onFailure,
      onGone: () => this.#checkEmpty(),
      phase: 'running',
    };
    const { place } = options;
    this.#links = new Links(runtime, this.#hosts, settings, options.onPeer);
    const linkTo = (to: number): Link => this.#links.to(to);
    this.#router = new Router({ runtime, place, hosts: this.#hosts, asks: this.#asks, linkTo });
    this.#runtime = runtime;
    register(this, { runtime, links: this.#links });
    settings.kinds.forEach((kind, index) => this.#hosts.set(kind.name, new Host(kind, index, runtime)));
  }

  /** What `options.env` was. */
  get env(): E {
    return this.#runtime.env as E;
  }

  /** Dead letters so far, by reason. */
  get deadLetters(): Readonly<Record<DeadLetterReason, number>> {
    return this.#runtime.deadLetters.counts;
  }

  /** How much there is now on this node: cheap enough to be asked every second. */
  stats(): SystemStats {
    const { frames: linkFrames, bytes: linkBytes } = this.#links.queued();
    const residents = Object.fromEntries([...this.#hosts].map(([kind, host]) => [kind, host.residents.size]));
    return { residents, ready: this.#runtime.scheduler.waiting, linkFrames, linkBytes };
  }

  /** Actors of a kind in memory on this node, those being loaded or saved included. */
  residents(kind: Kind): number {
    return this.#hosts.get(kind.name)?.residents.size ?? 0;
  }

  /**
   * An actor's address. Activates nothing.
   *
   * @throws TypeError when the kind is not one of this system's.
   */
  ref<M extends t.Messages>(kind: Kind<M>, id: t.ActorId): t.Ref<M> {
    const host = this.#hosts.get(kind.name);
    if (host === undefined) throw new TypeError(`this system has no kind '${kind.name}'`);
    return new ActorRef(this.#router, kind.name, id, host);
  }

  /** The ref that a plain `{ kind, id }` was, as JSON or a structured clone leaves it. */
  refTo<M extends t.Messages = any>({ kind, id }: t.Address): t.Ref<M> {
    return this.#runtime.refOf(kind, id);
  }

  /**
   * Makes an actor of a kind with `args`, on this node, without a parent: it ends when it stops itself,
   * fails for good, or leaves memory. In an actor, `ctx.spawn` makes a child.
   *
   * @throws TypeError when the kind takes no `args`, or is not one of this system's.
   */
  spawn<M extends t.Messages, A>(kind: Kind<M, any, any, A>, ...args: t.SpawnArgs<A>): t.Ref<M>;
  spawn(kind: Kind, args?: unknown): t.Ref<any> {
    return spawn(this.#runtime, undefined, kind, args);
  }

  /**
   * Resolves when a tell would find room: in the actor's mailbox, half of which is free then if it was
   * full, or, if the actor is on another node, in the queue for that. Others may wait for the same
   * room, so tell in a loop: `while (!ref.tell(…)) await ref.room()`. Rejects with AskTimeout, with
   * AskRefused when the system stops or `roomWaitersMax` wait already, or with the signal's reason.
   */
  room(kind: Kind, id: t.ActorId, options?: t.RoomOptions): Promise<void> {
    const host = this.#hosts.get(kind.name);
    if (host === undefined) return Promise.reject(new AskRefused(kind.name, id, 'room', 'unknown_kind'));
    return this.#router.room(host, id, this.#router.nodeOf(host, id), options);
  }

  /**
   * Tells an actor, activating it if need be. Synchronous, and runs nothing of the actor's. Returns
   * whether the message was taken: its mailbox, or the queue for its node, had room. One that was
   * not taken is a dead letter as well. Messages from one node to one actor are handled in order.
   */
  tell<M extends t.Messages, K extends t.TellNames<M>>(
    kind: Kind<M>,
    id: t.ActorId,
    name: K,
    ...payload: t.PayloadArgs<M[K]>
  ): boolean;
  tell(kind: Kind, id: t.ActorId, name: string, payload?: unknown): boolean {
    return this.#tell(kind, id, name, payload, false);
  }

  /**
   * As tell, for an actor that is in memory or being loaded on its node. One that is not, or is being
   * saved before it leaves, misses the message: no activation, no dead letter, and true all the same.
   */
  tellIfActive<M extends t.Messages, K extends t.TellNames<M>>(
    kind: Kind<M>,
    id: t.ActorId,
    name: K,
    ...payload: t.PayloadArgs<M[K]>
  ): boolean;
  tellIfActive(kind: Kind, id: t.ActorId, name: string, payload?: unknown): boolean {
    return this.#tell(kind, id, name, payload, true);
  }

  /**
   * Asks an actor, activating it if need be. Rejects with AskTimeout, AskRefused, AskFailed, or the
   * signal's reason.
   */
  ask<M extends t.Messages, K extends t.AskNames<M>>(
    kind: Kind<M>,
    id: t.ActorId,
    name: K,
    ...args: t.AskArgs<M[K]>
  ): Promise<t.AnswerOf<M[K]>>;
  ask(kind: Kind, id: t.ActorId, name: string, payload?: unknown, options?: t.AskOptions): Promise<unknown> {
    const host = this.#hosts.get(kind.name);
    if (host !== undefined) {
      return this.#router.ask(host, id, this.#router.nodeOf(host, id), name, payload, options);
    }
    this.#router.refuseUnknown('unknown_kind', kind.name, id, name, payload);
    return Promise.reject(new AskRefused(kind.name, id, name, 'unknown_kind'));
  }

  /**
   * Links another node: the other end of the port's channel is given to its `connect`. What was
   * told to the node so far leaves with the next flush. A connection that there was is lost first.
   */
  connect(node: number, port: LinkPort): void {
    if (this.#runtime.phase !== 'running') {
      port.close();
      return;
    }
    this.#links.connect(node, port);
  }

  /**
   * The node is lost: asks to it reject with `unreachable`, what waits for it becomes dead letters.
   * From then on what is told to it waits, within the link's bound, for the next `connect`. A port
   * that closes (its thread ended) does the same by itself.
   */
  disconnect(node: number): void {
    this.#links.disconnect(node);
  }

  /** Sends what waits for other nodes now, as the end of each drain does. */
  flush(): void {
    this.#links.flush();
  }

  /**
   * Takes no more messages, lets actors handle what they have, saves all of them, closes the links.
   * Returns false when `timeoutMs` (default 10,000) was not enough: what was left is dead letters
   * then, and not saved. Nothing runs afterwards, but for the rest of a handler that did not return.
   * A handler must not await it.
   */
  stop(options: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    this.#stopping ??= this.#stop(options.timeoutMs ?? actorLimits.stopTimeoutMs);
    return this.#stopping;
  }

  async #stop(timeoutMs: number): Promise<boolean> {
    const runtime = this.#runtime;
    runtime.phase = 'stopping';
    let timer: unknown;
    const emptied = new Promise<boolean>((resolve) => {
      this.#onEmpty = () => resolve(true);
      timer = runtime.clock.setTimeout(() => resolve(false), timeoutMs);
    });
    for (const host of this.#hosts.values()) {
      host.idle.stop();
      host.unsaved.stop();
      host.rooms.stop('stopped');
      for (const activation of host.residents.values()) {
        activation.timers?.cancelAll();
        if (activation.status === Status.backoff) stop(activation);
        else if (activation.status === Status.idle) host.makeReady(activation);
      }
    }
    this.#checkEmpty();
    const complete = await emptied;
    runtime.clock.clearTimeout(timer);
    for (const host of this.#hosts.values()) for (const left of host.residents.values()) stop(left);
    runtime.scheduler.finish();
    runtime.phase = 'stopped';
    this.#links.disconnectAll('stopped');
    this.#asks.refuseAll('stopped');
    return complete;
  }

  #endDrain(): void {
    this.#asks.deadlines.tidy();
    this.#links.flush();
  }

  #checkEmpty(): void {
    if (this.#onEmpty === undefined) return;
    for (const host of this.#hosts.values()) if (host.residents.size > 0) return;
    this.#onEmpty();
  }

  #tell(kind: Kind, id: t.ActorId, name: string, payload: unknown, ifActive: boolean): boolean {
    const host = this.#hosts.get(kind.name);
    if (host !== undefined) {
      return this.#router.tell(host, id, this.#router.nodeOf(host, id), name, payload, ifActive);
    }
    this.#router.refuseUnknown('unknown_kind', kind.name, id, name, payload);
    return false;
  }
}
