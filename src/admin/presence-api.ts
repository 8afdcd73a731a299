import type { CloseReason } from '../errors.ts';
import type { UserId } from '../wire/user-id.ts';

/** Who is connected, asked of all shards. Plain values: they travel between threads. */
export interface PresenceApi {
  /** The connections of a user, by number. EnckeError `unavailable` when its shard does not answer. */
  user(user: UserId): Promise<readonly OnlineConnection[]>;
  /** All connections. */
  connections(page: PageQuery): Promise<OnlinePage>;
  /** Connections of the members of a group; undefined when there is no such group. */
  group(gid: number, page: PageQuery): Promise<GroupOnline | undefined>;
  totals(): Promise<OnlineTotals>;
  /** How many connections were closed. EnckeError `unavailable` when the user's shard does not answer. */
  kick(kick: Kick): Promise<number>;
}

/** One authenticated connection. */
export interface OnlineConnection {
  /** Its number, unique as long as the connection lives. */
  readonly connection: number;
  readonly user: UserId;
  /** Null: a comet connection without a device name. */
  readonly device: string | null;
  readonly protocol: 'comet' | 'messaging';
  readonly encoding: 'binary' | 'json';
  readonly transport: 'tcp' | 'websocket';
  readonly address: string;
  /** In milliseconds since 1970. */
  readonly connectedAt: number;
  /** It does not read fast enough: it is fed from the log. */
  readonly slow: boolean;
}

/** Connections with a higher number than `after`, at most `limit` of them. */
export interface PageQuery {
  readonly after: number;
  readonly limit: number;
  /** Only those that connected up to then, in milliseconds since 1970. */
  readonly connectedUntil?: number;
}

/** The shards that did not answer in time: what they have is not in the answer. */
export interface Missing {
  readonly missingShards: readonly number[];
}

export interface OnlinePage extends Missing {
  /** By number. */
  readonly connections: readonly OnlineConnection[];
  /** There are more: ask with `after` the last number. */
  readonly more: boolean;
}

export interface OnlineCount {
  readonly users: number;
  readonly connections: number;
}

export interface GroupOnline extends OnlinePage {
  /** Members, connected or not. */
  readonly members: number;
  readonly online: OnlineCount;
}

export interface OnlineTotals extends OnlineCount, Missing {
  readonly tcp: number;
  readonly webSocket: number;
  readonly comet: number;
  readonly messaging: number;
  readonly slow: number;
}

/** Which connections of a user are closed, and what they are told. */
export interface Kick extends Pick<CloseReason, 'code' | 'reason'> {
  readonly user: UserId;
  /** Only this device, or this connection. */
  readonly device?: string;
  readonly connection?: number;
}
