import * as schemas from './schemas.ts';

/** Figures of one shard. */
export interface ShardFigures {
  /** Authenticated connections, and their users. */
  readonly connections: number;
  readonly users: number;
  /** Users and groups in memory. */
  readonly usersInMemory: number;
  readonly groupsInMemory: number;
  /** Groups that somebody connected here is a member of. */
  readonly groupsFollowed: number;
  /** Bytes on their way to the gateway. */
  readonly outputBytes: number;
}

export interface Figures {
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly workers: number;
  /** Sockets of clients, those that are not authenticated yet included. */
  readonly sockets: number;
  readonly bans: number;
  readonly memoryBytes: number;
  readonly store: { readonly kind: 'disk' | 'memory'; readonly bytes: number };
  readonly shards: readonly ({ readonly shard: number } & ShardFigures)[];
  readonly missingShards: readonly number[];
}

export interface StatsApi {
  read(): Promise<Figures>;
}

const { count } = schemas;
const described = (description: string) => ({ ...count, description });

const shard = {
  shard: count,
  connections: described('authenticated'),
  users: described('with a connection'),
  usersInMemory: count,
  groupsInMemory: count,
  groupsFollowed: described('groups of members that are connected here'),
  outputBytes: described('on their way to the sockets'),
};

const properties = {
  version: { type: 'string' },
  uptimeSeconds: { type: 'number' },
  workers: count,
  sockets: described('of clients, those that are not authenticated yet included'),
  bans: described('those that are over and not forgotten yet included'),
  memoryBytes: described('of the process'),
  store: {
    type: 'object',
    properties: {
      kind: { type: 'string', enum: ['disk', 'memory'] },
      bytes: described('files of the data directory, or memory of the log'),
    },
    required: ['kind', 'bytes'],
  },
  shards: {
    type: 'array',
    items: { type: 'object', properties: shard, required: Object.keys(shard) },
  },
  missingShards: schemas.missingShards,
};

export const statsSchema = {
  description: 'of this moment',
  type: 'object',
  properties,
  required: Object.keys(properties),
};
