import * as frames from './frames.ts';
import { Op } from './frames.ts';
import type { Host } from './host.ts';
import type { Outbox } from './outbox.ts';
import type { Runtime } from './runtime.ts';
import type { ActorId, EndReason } from './types.ts';
import type { Watch, Watcher, WatchRoute } from './watch.ts';

/** An actor of the other node that watches one here. */
class RemoteWatcher implements Watcher {
  readonly host: Host;
  readonly id: ActorId;
  readonly #ended: (reason: EndReason) => void;

  constructor(host: Host, id: ActorId, ended: (reason: EndReason) => void) {
    this.host = host;
    this.id = id;
    this.#ended = ended;
  }

  ended(reason: EndReason): void {
    this.#ended(reason);
  }
}

/** The watches that go over one link, both ways, by the watcher's token. */
export class LinkWatches implements WatchRoute {
  readonly #runtime: Runtime;
  readonly #outbox: Outbox;
  readonly #mine = new Map<number, Watch>();
  readonly #tokens = new Map<Watch, number>();
  readonly #theirs = new Map<number, RemoteWatcher>();
  #nextToken = 1;

  constructor(runtime: Runtime, outbox: Outbox) {
    this.#runtime = runtime;
    this.#outbox = outbox;
  }

  watch(watch: Watch): void {
    if (this.#outbox.full || this.#runtime.phase === 'stopped') {
      watch.ended('unreachable');
      return;
    }
    const token = this.#nextToken++;
    this.#mine.set(token, watch);
    this.#tokens.set(watch, token);
    this.#send(frames.packFrameHead(Op.watch, watch.host.index, 0), watch.id, null, token);
  }

  unwatch(watch: Watch): void {
    const token = this.#tokens.get(watch);
    if (token === undefined) return;
    this.#mine.delete(token);
    this.#tokens.delete(watch);
    this.#send(Op.unwatch, 0, null, token);
  }

  /** The other node's actor watches one here; `host` is undefined if its kind is not known here. */
  begin(host: Host | undefined, id: ActorId, token: number): void {
    const ended = (reason: EndReason): void => {
      this.#theirs.delete(token);
      this.#send(Op.ended, 0, reason, token);
    };
    if (host === undefined || (host.kind.spawned && !host.residents.has(id))) {
      ended('gone');
      return;
    }
    const watcher = new RemoteWatcher(host, id, ended);
    this.#theirs.set(token, watcher);
    host.watchers.add(id, watcher);
  }

  end(token: number): void {
    const watcher = this.#theirs.get(token);
    this.#theirs.delete(token);
    if (watcher !== undefined) watcher.host.watchers.remove(watcher.id, watcher);
  }

  ended(token: number, reason: EndReason): void {
    const watch = this.#mine.get(token);
    if (watch === undefined) return;
    this.#mine.delete(token);
    this.#tokens.delete(watch);
    watch.ended(reason);
  }

  /** The connection is lost: so are, to each side, the actors of the other. */
  lost(): void {
    for (const token of this.#theirs.keys()) this.end(token);
    const mine = [...this.#mine.values()];
    this.#mine.clear();
    this.#tokens.clear();
    for (const watch of mine) watch.ended('unreachable');
  }

  /** Not bounded here, but by how many actors an actor may watch. */
  #send(head: number, id: ActorId, body: unknown, token: number): void {
    this.#outbox.push(head, id, body, token, 0);
    this.#runtime.scheduler.wake();
  }
}
