import { limits } from '../limits.ts';
import { splitRoom } from '../wire/goim.ts';
import type { RoomCounts, TopRoom } from './messages.ts';
import type { Registry } from './registry.ts';

export interface RoomTotalsHost {
  readonly shard: number;
  readonly shards: number;
  /** False: it was not taken. */
  tell(shard: number, counts: RoomCounts): boolean;
}

/**
 * How many clients are in a room on all shards together: what is here now, and what the others told
 * within limits.goimOnlineMs. Rooms whose count changed are told once in that time.
 */
export class RoomTotals {
  readonly #host: RoomTotalsHost;
  readonly #registry: Registry;
  /** By shard and room, and all of them together by room. */
  readonly #told = new Map<number, Map<string, number>>();
  readonly #elsewhere = new Map<string, number>();
  #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(host: RoomTotalsHost, registry: Registry) {
    this.#host = host;
    this.#registry = registry;
    registry.onRoom = (room) => this.#mark(room);
  }

  total(room: string): number {
    return this.#registry.roomCount(room) + (this.#elsewhere.get(room) ?? 0);
  }

  /** The fullest rooms of a type, at most `limit`, the fullest first. */
  top(type: string, limit: number): TopRoom[] {
    const top: TopRoom[] = [];
    const consider = (key: string): void => {
      const room = splitRoom(key);
      if (room?.type !== type) return;
      const count = this.total(key);
      const last = top.at(-1);
      if (top.length >= limit && (last === undefined || last.count >= count)) return;
      let at = top.length;
      while (at > 0 && (top[at - 1]?.count ?? 0) < count) at -= 1;
      top.splice(at, 0, { room_id: room.name, count });
      if (top.length > limit) top.pop();
    };
    for (const room of this.#registry.rooms) consider(room);
    for (const room of this.#elsewhere.keys()) if (this.#registry.roomCount(room) === 0) consider(room);
    return top;
  }

  /** Another shard says how many it has. */
  note({ shard, whole, rooms, counts }: RoomCounts): void {
    if (whole) this.forget(shard);
    let told = this.#told.get(shard);
    if (told === undefined) this.#told.set(shard, (told = new Map()));
    for (const [i, room] of rooms.entries()) {
      const count = counts[i] ?? 0;
      this.#add(room, count - (told.get(room) ?? 0));
      if (count === 0) told.delete(room);
      else told.set(room, count);
    }
  }

  /** A shard is gone, and its clients with it. */
  forget(shard: number): void {
    for (const [room, count] of this.#told.get(shard) ?? []) this.#add(room, -count);
    this.#told.delete(shard);
  }

  /** A shard was started again: it is told everything. */
  tellAll(shard: number): void {
    this.#tell(shard, [...this.#registry.rooms], true);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#changed.clear();
  }

  #add(room: string, count: number): void {
    const sum = (this.#elsewhere.get(room) ?? 0) + count;
    if (sum === 0) this.#elsewhere.delete(room);
    else this.#elsewhere.set(room, sum);
  }

  #mark(room: string): void {
    if (this.#host.shards === 1) return;
    this.#changed.add(room);
    this.#timer ??= setTimeout(this.#tellChanged, limits.goimOnlineMs);
  }

  readonly #tellChanged = (): void => {
    this.#timer = undefined;
    const rooms = [...this.#changed];
    this.#changed = new Set();
    for (let shard = 0; shard < this.#host.shards; shard++) {
      if (shard !== this.#host.shard) this.#tell(shard, rooms, false);
    }
  };

  #tell(to: number, rooms: readonly string[], whole: boolean): void {
    const step = limits.goimRoomsToldMax;
    for (let i = 0; i < rooms.length; i += step) {
      const some = rooms.slice(i, i + step);
      const counts = some.map((room) => this.#registry.roomCount(room));
      const taken = this.#host.tell(to, {
        shard: this.#host.shard,
        whole: whole && i === 0,
        rooms: some,
        counts,
      });
      // The link is full: counts are told as they are then, so telling everybody again is no harm.
      if (!taken) for (const room of some) this.#mark(room);
    }
  }
}
