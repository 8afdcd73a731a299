import type { Place } from '../actor/index.ts';
import { Goim } from '../goim/messages.ts';
import { Fanout } from '../group/fanout.ts';
import { Group } from '../group/group.ts';
import { StorePeer } from '../store/peer.ts';
import { User } from '../user/user.ts';
import { WebhookPeer } from '../webhook/peer.ts';
import { shardOf } from '../wire/shard-of.ts';
import { Presence } from './presence.ts';
import { Publisher } from './publisher.ts';

/** Everything that is an actor in the server. */
export const kinds = [User, Group, Fanout, StorePeer, Presence, Publisher, Goim, WebhookPeer];

/**
 * One owner: a user and a group live on the shard of their id; the others are a shard's own, one each
 * or, of publishers, several.
 */
export const placeOn =
  (shards: number): Place =>
  (kind, id) => {
    if (kind === User.name || kind === Group.name) return shardOf(id, shards);
    return kind === Publisher.name ? Number(id) % shards : Number(id);
  };
