import type { Activation } from './activation.ts';
import type { AskToken } from './asks.ts';
import { extrasOf } from './extras.ts';
import type { Host } from './host.ts';
import { actorLimits } from './limits.ts';
import type { ActorId, Address, EndReason } from './types.ts';

/** Who wants to know of the end of an actor of this node: a watch here, or one of another node. */
export interface Watcher {
  ended(reason: EndReason): void;
}

/** Those who watch actors of one kind, by the actor's id. Bounded by what each of them may watch. */
export class Watchers {
  readonly #byId = new Map<ActorId, Set<Watcher>>();

  add(id: ActorId, watcher: Watcher): void {
    const watchers = this.#byId.get(id);
    if (watchers === undefined) this.#byId.set(id, new Set([watcher]));
    else watchers.add(watcher);
  }

  remove(id: ActorId, watcher: Watcher): void {
    const watchers = this.#byId.get(id);
    if (watchers?.delete(watcher) === true && watchers.size === 0) this.#byId.delete(id);
  }

  ended(id: ActorId, reason: EndReason): void {
    const watchers = this.#byId.get(id);
    if (watchers === undefined) return;
    this.#byId.delete(id);
    for (const watcher of watchers) watcher.ended(reason);
  }
}

/** How a watch reaches the actor's node. */
export interface WatchRoute {
  /** Begins: `ended` follows, at once if need be, unless `unwatch` comes first. */
  watch(begun: Watch): void;
  unwatch(over: Watch): void;
}

/** A watch of one actor by an activation of this node. Tells it once, and then only. */
export class Watch implements Watcher {
  readonly host: Host;
  readonly id: ActorId;
  readonly #watcher: Activation;
  readonly #message: number;
  readonly #route: WatchRoute;
  #over = false;

  constructor(watcher: Activation, message: number, host: Host, id: ActorId, route: WatchRoute) {
    this.host = host;
    this.id = id;
    this.#watcher = watcher;
    this.#message = message;
    this.#route = route;
  }

  begin(): void {
    this.#route.watch(this);
  }

  ended(reason: EndReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#watcher.extras?.watches?.delete(keyOf(this.host, this.id));
    const { host } = this.#watcher;
    host.notify(this.#watcher, this.#message, { kind: this.host.kind.name, id: this.id, reason });
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#route.unwatch(this);
  }
}

/** The watches of this node's own actors. */
export const localWatches: WatchRoute = {
  watch(begun) {
    if (begun.host.kind.spawned && !begun.host.residents.has(begun.id)) begun.ended('gone');
    else begun.host.watchers.add(begun.id, begun);
  },
  unwatch: (over) => over.host.watchers.remove(over.id, over),
};

/**
 * Stands in a notice's mailbox slot for an ask: it is how a notice is told from a message. Notices
 * have room of their own, as many as there are watches, and no overflow rule gives one up.
 */
export const noticeMark: AskToken = {
  deadline: Infinity,
  settled: false,
  via: undefined,
  answer() {},
  fail() {},
  refuse() {},
};

export const isMessage = (ask: AskToken | undefined): boolean => ask !== noticeMark;

/** `ctx.watch()`. */
export function watch(watcher: Activation, actor: Address, name: string): void {
  const { host } = watcher;
  const target = host.runtime.hosts.get(actor.kind);
  if (target === undefined) throw new TypeError(`this system has no kind '${actor.kind}'`);
  const message = host.messages.get(name);
  if (message === undefined) throw new TypeError(`${host.kind.name} has no message '${name}'`);
  unwatch(watcher, actor);
  const watches = (extrasOf(watcher).watches ??= new Map());
  if (watches.size >= actorLimits.watchesMax) {
    throw new RangeError(`an actor watches at most ${actorLimits.watchesMax} others`);
  }
  const route = host.runtime.watchRoute(target, actor.id);
  const begun = new Watch(watcher, message, target, actor.id, route);
  watches.set(keyOf(target, actor.id), begun);
  begun.begin();
}

/** `ctx.unwatch()`. */
export function unwatch(watcher: Activation, actor: Address): void {
  const target = watcher.host.runtime.hosts.get(actor.kind);
  const watches = watcher.extras?.watches;
  if (target === undefined || watches === undefined) return;
  const key = keyOf(target, actor.id);
  watches.get(key)?.cancel();
  watches.delete(key);
}

const keyOf = (host: Host, id: ActorId): string => `${host.index}${typeof id === 'number' ? '#' : '/'}${id}`;
