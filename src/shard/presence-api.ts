import type { ActorSystem } from '../actor/index.ts';
import type {
  GroupOnline,
  Kick,
  OnlineConnection,
  OnlinePage,
  OnlineTotals,
  PageQuery,
  PresenceApi,
} from '../admin/presence-api.ts';
import { Group } from '../group/group.ts';
import { limits } from '../limits.ts';
import { shardOf } from '../wire/shard-of.ts';
import type { UserId } from '../wire/user-id.ts';
import { answer, everyShard } from './every-shard.ts';
import { Presence, type ShardTotals } from './presence.ts';

const patience = { timeoutMs: limits.presenceTimeoutMs } as const;

/** Who is connected, asked of the shards' presence actors. */
export class PresenceOnActors implements PresenceApi {
  readonly #system: ActorSystem;
  readonly #shards: number;

  constructor(system: ActorSystem, shards: number) {
    this.#system = system;
    this.#shards = shards;
  }

  user(user: UserId): Promise<readonly OnlineConnection[]> {
    return answer(this.#system.ask(Presence, shardOf(user, this.#shards), 'user', user, patience));
  }

  async connections(page: PageQuery): Promise<OnlinePage> {
    const { answers, missingShards } = await everyShard(this.#shards, (shard) =>
      this.#system.ask(Presence, shard, 'page', oneMore(page), patience),
    );
    return { ...merge(answers, page.limit), missingShards };
  }

  async group(gid: number, page: PageQuery): Promise<GroupOnline | undefined> {
    const info = await answer(this.#system.ask(Group, gid, 'count', undefined, patience));
    if (info === null) return undefined;
    const { answers, missingShards } = await everyShard(this.#shards, (shard) =>
      this.#system.ask(Presence, shard, 'group', { ...oneMore(page), group: gid }, patience),
    );
    const merged = merge(
      answers.map(({ page: part }) => part),
      page.limit,
    );
    const online = { users: sum(answers, 'users'), connections: sum(answers, 'connections') };
    return { ...merged, members: info, online, missingShards };
  }

  async totals(): Promise<OnlineTotals> {
    const { answers, missingShards } = await everyShard(this.#shards, (shard) =>
      this.#system.ask(Presence, shard, 'totals', undefined, patience),
    );
    return { ...addUp(answers), missingShards };
  }

  kick(kick: Kick): Promise<number> {
    return answer(this.#system.ask(Presence, shardOf(kick.user, this.#shards), 'kick', kick, patience));
  }
}

/** Whether there are more is seen by one that is over the limit. */
const oneMore = (page: PageQuery): PageQuery => ({ ...page, limit: page.limit + 1 });

function merge(
  parts: readonly (readonly OnlineConnection[])[],
  limit: number,
): Pick<OnlinePage, 'connections' | 'more'> {
  const all = parts.flat().sort((a, b) => a.connection - b.connection);
  return { connections: all.slice(0, limit), more: all.length > limit };
}

function addUp(shards: readonly ShardTotals[]): ShardTotals {
  const names = ['users', 'connections', 'tcp', 'webSocket', 'comet', 'messaging', 'slow'] as const;
  return Object.fromEntries(names.map((name) => [name, sum(shards, name)])) as unknown as ShardTotals;
}

const sum = <K extends string>(parts: readonly Readonly<Record<K, number>>[], name: K): number =>
  parts.reduce((total, part) => total + part[name], 0);
