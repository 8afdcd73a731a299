import { closes } from '../errors.ts';
import type { Lane } from '../net/lane.ts';
import type { Session } from '../user/session.ts';
import type { GoimEnv, Push, RoomCounts, TopRoom } from './messages.ts';
import { Pushes } from './pushes.ts';
import { Registry } from './registry.ts';
import { RoomTotals } from './room-totals.ts';

export interface GoimPartHost {
  readonly shard: number;
  readonly shards: number;
  scheduleTick(): void;
  /** False: it was not taken. */
  tellCounts(shard: number, counts: RoomCounts): boolean;
}

/** What a shard does for its goim clients (docs/goim.md): who they are, and what is pushed to them. */
export class GoimPart {
  readonly registry = new Registry();
  readonly #totals: RoomTotals;
  readonly #pushes: Pushes;

  constructor(host: GoimPartHost, lane: Lane) {
    const { shard, shards } = host;
    const tell = (to: number, counts: RoomCounts): boolean => host.tellCounts(to, counts);
    this.#totals = new RoomTotals({ shard, shards, tell }, this.registry);
    this.#pushes = new Pushes(host, lane, this.registry);
  }

  /** The connection is open: from now on pushes are for it. */
  opened(session: Session): void {
    const { goim, user } = session;
    if (goim === undefined) return;
    if (goim.key !== '') {
      for (const other of this.registry.byKey(goim.key))
        if (other.user === user) other.close(closes.replaced);
    }
    this.registry.add(session);
  }

  closed(session: Session): void {
    this.registry.remove(session);
  }

  /** How many are in a room, on all shards. */
  total(room: string): number {
    return this.#totals.total(room);
  }

  get isEmpty(): boolean {
    return this.#pushes.isEmpty;
  }

  /** To be called when what the sessions asked for is written: op 8 goes before any push. */
  flush(): void {
    this.#pushes.flush();
  }

  /** Another shard is gone, or back. */
  lost(shard: number): void {
    this.#totals.forget(shard);
  }

  back(shard: number): void {
    this.#totals.tellAll(shard);
  }

  stop(): void {
    this.#totals.stop();
    this.#pushes.stop();
  }

  /** What its actor is asked. */
  readonly env: GoimEnv['goim'] = {
    push: (push: Push): boolean => this.#pushes.push(push),
    noteCounts: (counts: RoomCounts): void => this.#totals.note(counts),
    countsOf: (rooms: readonly string[]): number[] => rooms.map((room) => this.registry.roomCount(room)),
    top: (type: string, limit: number): TopRoom[] => this.#totals.top(type, limit),
  };
}
