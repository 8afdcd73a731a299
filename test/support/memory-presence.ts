import type {
  GroupOnline,
  Kick,
  OnlineConnection,
  OnlinePage,
  OnlineTotals,
  PageQuery,
  PresenceApi,
} from '../../src/admin/presence-api.ts';
import type { UserId } from '../../src/wire/user-id.ts';

/** A list of connections, for the admin port to be tested against. */
export class MemoryPresence implements PresenceApi {
  /** Every call fails with this. */
  failure: Error | undefined;
  missingShards: readonly number[] = [];
  readonly kicks: Kick[] = [];
  /** By number. */
  readonly list: OnlineConnection[] = [];

  add(connection: number, user: UserId): void {
    this.list.push({
      connection,
      user,
      device: null,
      protocol: 'comet',
      encoding: 'binary',
      transport: 'tcp',
      address: '127.0.0.1',
      connectedAt: 1_700_000_000_000,
      slow: false,
    });
  }

  async user(user: UserId): Promise<readonly OnlineConnection[]> {
    if (this.failure !== undefined) throw this.failure;
    return this.list.filter((one) => one.user === user);
  }

  async connections({ after, limit }: PageQuery): Promise<OnlinePage> {
    const rest = this.list.filter(({ connection }) => connection > after);
    const { missingShards } = this;
    return { connections: rest.slice(0, limit), more: rest.length > limit, missingShards };
  }

  async group(gid: number, page: PageQuery): Promise<GroupOnline | undefined> {
    if (gid !== 7) return undefined;
    const online = { users: this.list.length, connections: this.list.length };
    return { ...(await this.connections(page)), members: 5, online };
  }

  async totals(): Promise<OnlineTotals> {
    const all = this.list.length;
    const { missingShards } = this;
    return {
      users: all,
      connections: all,
      tcp: all,
      webSocket: 0,
      comet: all,
      messaging: 0,
      slow: 0,
      missingShards,
    };
  }

  async kick(kick: Kick): Promise<number> {
    this.kicks.push(kick);
    return (await this.user(kick.user)).length;
  }
}
