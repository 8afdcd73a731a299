import { ask, env, kind, tell } from '../actor/index.ts';
import type { UserId } from '../wire/user-id.ts';

/** Who a push is for. Users are all of the shard that is asked. */
export type Recipients =
  | { readonly keys: readonly string[] }
  | { readonly users: readonly UserId[] }
  | { readonly room: string }
  /** Everybody; with a speed above 0, so many connections a second of the shard that is asked. */
  | { readonly speed: number };

/** A message for goim clients: its package bears the operation. */
export interface Push {
  readonly operation: number;
  readonly message: Uint8Array;
  readonly to: Recipients;
}

/** How many of a shard's goim clients are in rooms. */
export interface RoomCounts {
  readonly shard: number;
  /** These are all rooms of the shard: what was told before is void. */
  readonly whole: boolean;
  readonly rooms: readonly string[];
  /** Of each of the rooms; 0: nobody is in it any more. */
  readonly counts: readonly number[];
}

export interface TopRoom {
  readonly room_id: string;
  readonly count: number;
}

export interface GoimEnv {
  readonly goim: {
    push(push: Push): boolean;
    noteCounts(counts: RoomCounts): void;
    countsOf(rooms: readonly string[]): number[];
    top(type: string, limit: number): TopRoom[];
  };
}

/** The goim clients of a shard as pushes reach them: one actor, its id is the shard's number. */
export const Goim = kind({
  name: 'goim',
  env: env<GoimEnv>(),
  messages: {
    /** False: too much waits already, and it was not taken. */
    push: ask<Push, boolean>(),
    counts: tell<RoomCounts>(),
    /** How many of this shard are in each of these rooms. */
    countsOf: ask<readonly string[], readonly number[]>(),
    /** The fullest rooms of a type, on all shards. */
    top: ask<{ readonly type: string; readonly limit: number }, readonly TopRoom[]>(),
  },
  mailbox: { capacity: 65_536 },
  load: () => null,
  on: {
    push: (_state, push, ctx) => ctx.env.goim.push(push),
    counts: (_state, counts, ctx) => ctx.env.goim.noteCounts(counts),
    countsOf: (_state, rooms, ctx) => ctx.env.goim.countsOf(rooms),
    top: (_state, { type, limit }, ctx) => ctx.env.goim.top(type, limit),
  },
});
