import type { ActorSystem } from '../actor/index.ts';
import type { GroupsApi } from '../admin/groups-api.ts';
import type { HistoryApi } from '../admin/history-api.ts';
import type { PresenceApi } from '../admin/presence-api.ts';
import type { SendingApi } from '../admin/sending-api.ts';
import { GroupsOnActors } from './groups-api.ts';
import { HistoryOnActors } from './history-api.ts';
import { PresenceOnActors } from './presence-api.ts';
import { SendingOnActors } from './sending-api.ts';

/** What the admin port does, asked of the shards' actors. */
export interface AdminApis {
  readonly groups: GroupsApi;
  readonly presence: PresenceApi;
  readonly sending: SendingApi;
  readonly history: HistoryApi;
}

export const adminApis = (system: ActorSystem, shards: number): AdminApis => ({
  groups: new GroupsOnActors(system),
  presence: new PresenceOnActors(system, shards),
  sending: new SendingOnActors(system, shards),
  history: new HistoryOnActors(system, shards),
});
