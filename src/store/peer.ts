import { ask, env, kind } from '../actor/index.ts';
import type { UserId } from '../wire/user-id.ts';
import { conversationOf } from './conversation.ts';
import type { StoreEngine } from './engine.ts';
import type { Participation, ReadResult, UserRecord } from './store.ts';

export interface StorePeerEnv {
  readonly engine: StoreEngine;
}

export interface ReadQuery {
  readonly key: string;
  readonly after: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
}

/** A shard's part of the store as the other shards reach it: one actor, its id is the shard's number. */
export const StorePeer = kind({
  name: 'store',
  env: env<StorePeerEnv>(),
  messages: {
    read: ask<ReadQuery, ReadResult>(),
    last: ask<string, number>(),
    participations: ask<UserId, readonly Participation[]>(),
    user: ask<UserId, UserRecord | null>(),
  },
  mailbox: { capacity: 65_536 },
  // It has no state: a read that fails says nothing about the next one.
  supervise: { strategy: 'resume' },
  load: () => null,
  on: {
    read: (_state, { key, after, messagesMax, bytesMax }, ctx) =>
      ctx.env.engine.read(conversationOf(key), after, messagesMax, bytesMax),
    last: (_state, key, ctx) => ctx.env.engine.last(conversationOf(key)),
    participations: (_state, user, ctx) => ctx.env.engine.participations(user),
    user: (_state, user, ctx) => ctx.env.engine.user(user) ?? null,
  },
});
