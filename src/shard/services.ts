import type { ActorSystem } from '../actor/index.ts';
import type { GoimEnv } from '../goim/messages.ts';
import type { GroupEnv } from '../group/env.ts';
import { Fanout, type FanoutEnv } from '../group/fanout.ts';
import type { StoreEngine } from '../store/engine.ts';
import { StorePeer, type StorePeerEnv } from '../store/peer.ts';
import { ShardedStore, type StorePeers } from '../store/sharded.ts';
import type { Store } from '../store/store.ts';
import type { UserPort } from '../user/messages.ts';
import { User } from '../user/user.ts';
import type { WebhookPeerEnv } from '../webhook/peer.ts';
import type { Webhooks } from '../webhook/webhooks.ts';
import type { UserId } from '../wire/user-id.ts';
import type { Fanouts } from './fanouts.ts';
import type { PresenceEnv } from './presence.ts';
import type { Publications } from './publications.ts';
import type { PublisherEnv } from './publisher.ts';
import type { Sessions } from './sessions.ts';

/** Users on any shard, told through the actor system. */
export class Users implements UserPort {
  system!: ActorSystem;
  // Without rest parameters, which would make an array for each call; UserPort checks the types.
  readonly tell = ((user: UserId, name: 'feed', payload: never) =>
    this.system.tell(User, user, name, payload)) as UserPort['tell'];
  readonly tellIfActive = ((user: UserId, name: 'feed', payload: never) =>
    this.system.tellIfActive(User, user, name, payload)) as UserPort['tellIfActive'];
}

/** The other shards' parts of the store, asked through the actor system. */
export function peersOf(system: () => ActorSystem): StorePeers {
  return {
    read: (shard, key, after, messagesMax, bytesMax) =>
      system().ask(StorePeer, shard, 'read', { key, after, messagesMax, bytesMax }),
    last: (shard, key) => system().ask(StorePeer, shard, 'last', key),
    participations: (shard, user) => system().ask(StorePeer, shard, 'participations', user),
    user: async (shard, user) => (await system().ask(StorePeer, shard, 'user', user)) ?? undefined,
  };
}

/** What the actors of a shard share (`ctx.env`): everything that any of its kinds needs. */
export interface Services
  extends GroupEnv, FanoutEnv, StorePeerEnv, PresenceEnv, PublisherEnv, GoimEnv, WebhookPeerEnv {
  readonly webhooks: Webhooks | undefined;
  readonly fanouts: Fanouts;
  readonly sessions: Sessions;
  readonly publications: Publications;
}

/** How groups reach the fan-out of any shard. */
export const fanoutPort = (users: Users): Pick<GroupEnv, 'watching' | 'fanOut'> => ({
  watching: (shard, group, head) => users.system.tell(Fanout, shard, 'watching', { group, head }),
  fanOut: (shard, message) => users.system.tell(Fanout, shard, 'deliver', message),
});

export const storeOf = (
  engine: StoreEngine,
  shard: number,
  shards: number,
  system: () => ActorSystem,
): Store => new ShardedStore(engine, shard, shards, peersOf(system));
