import type { Place } from '../actor/index.ts';
import { Fanout } from '../group/fanout.ts';
import { Group } from '../group/group.ts';
import { StorePeer } from '../store/peer.ts';
import { User } from '../user/user.ts';
import { shardOf } from '../wire/shard-of.ts';
import { Presence } from './presence.ts';

/** Everything that is an actor in the server. */
export const kinds = [User, Group, Fanout, StorePeer, Presence];

/** One owner: a user and a group live on the shard of their id; the others are a shard's own. */
export const placeOn =
  (shards: number): Place =>
  (kind, id) =>
    kind === User.name || kind === Group.name ? shardOf(id, shards) : Number(id);
