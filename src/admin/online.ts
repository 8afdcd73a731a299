import type { FastifyInstance } from 'fastify';
import { closes } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../log.ts';
import { toldBan } from './ban-routes.ts';
import type { Bans } from './bans.ts';
import { AdminError } from './errors.ts';
import type { OnlineConnection, OnlinePage, PresenceApi } from './presence-api.ts';
import * as schemas from './schemas.ts';
import { checkReason, readUser, type UserPath } from './users.ts';

const tags = ['online'];
const banOrNull = { anyOf: [{ $ref: 'Ban#' }, { type: 'null' }] } as const;
const { count, missingShards } = schemas;
const connections = { type: 'array', items: { $ref: 'Connection#' } } as const;
const next = {
  type: ['integer', 'null'],
  description: '`after` of the next page; null if this is the last',
} as const;

const page = { connections, next, missingShards };
const onlineCount = {
  type: 'object',
  properties: { users: count, connections: count },
  required: ['users', 'connections'],
} as const;

/** Codes that a program may close with, in its own name. */
const closeCode = { type: 'integer', minimum: 3_000, maximum: 4_999 } as const;

const kickBody = {
  type: 'object',
  properties: {
    device: { type: 'string', maxLength: limits.deviceCharsMax, description: 'only this device' },
    connection: { type: 'integer', minimum: 1, description: 'only this connection' },
    code: { ...closeCode, default: closes.kicked.code },
    reason: { type: 'string', default: closes.kicked.reason, description: 'at most 123 bytes' },
  },
  additionalProperties: false,
} as const;

interface KickBody {
  readonly device?: string;
  readonly connection?: number;
  readonly code?: number;
  readonly reason?: string;
}

type Query = { Querystring: schemas.PageParameters };

/** Who is connected (docs/admin.md, "Who is online"). */
export function addOnlineRoutes(
  scope: FastifyInstance,
  { presence, bans }: { readonly presence: PresenceApi; readonly bans: Bans },
  logger: Logger,
): void {
  scope.get('/v1/online', { schema: totalsSchema }, () => presence.totals());

  scope.get<Query>('/v1/connections', { schema: connectionsSchema }, async ({ query }) =>
    pageOf(await presence.connections(limited(query))),
  );

  scope.get<Query & { Params: { gid: number } }>(
    '/v1/groups/:gid/online',
    { schema: groupSchema },
    async ({ params: { gid }, query }) => {
      const found = await presence.group(gid, limited(query));
      if (found === undefined) throw new AdminError('no_such_group');
      return { gid, members: found.members, online: found.online, ...pageOf(found) };
    },
  );

  scope.get<UserPath>('/v1/users/:user', { schema: userSchema }, async ({ params }) => {
    const user = readUser(params.user);
    const found = await presence.user(user);
    const ban = bans.find(user);
    return {
      user,
      online: found.length > 0,
      ban: ban === undefined ? null : toldBan(ban),
      connections: found.map(told),
    };
  });

  scope.post<UserPath & { Body: KickBody }>(
    '/v1/users/:user/kick',
    { schema: kickSchema },
    async ({ params, body }) => {
      const user = readUser(params.user);
      const { code = closes.kicked.code, reason = closes.kicked.reason, ...which } = body;
      checkReason(reason);
      const closed = await presence.kick({ user, code, reason, ...which });
      logger.info({ user, ...which, code, closed }, 'connections were closed');
      return { user, closed };
    },
  );
}

const limited = ({ after = 0, limit = limits.adminPage }: schemas.PageParameters) => ({ after, limit });

const told = (connection: OnlineConnection) => ({
  ...connection,
  connectedAt: new Date(connection.connectedAt).toISOString(),
});

function pageOf({ connections: found, more, missingShards: missing }: OnlinePage) {
  const last = found.at(-1)?.connection ?? null;
  return { connections: found.map(told), next: more ? last : null, missingShards: missing };
}

const totalsSchema = {
  summary: 'How many are connected',
  tags,
  querystring: schemas.noQuery,
  response: schemas.answers({
    200: {
      description: 'of all shards that answered',
      type: 'object',
      properties: {
        users: count,
        connections: count,
        tcp: count,
        webSocket: count,
        comet: count,
        messaging: count,
        slow: count,
        missingShards,
      },
      required: ['users', 'connections', 'tcp', 'webSocket', 'comet', 'messaging', 'slow', 'missingShards'],
    },
  }),
};

const connectionsSchema = {
  summary: 'All connections, a page at a time',
  tags,
  querystring: schemas.pageQuery,
  response: schemas.answers({
    200: {
      description: 'by their numbers',
      type: 'object',
      properties: page,
      required: ['connections', 'next', 'missingShards'],
    },
  }),
};

const groupSchema = {
  summary: 'Members of a group that are connected',
  tags,
  params: schemas.gidPath,
  querystring: schemas.pageQuery,
  response: schemas.answers({
    200: {
      description: 'their connections, by number',
      type: 'object',
      properties: { gid: schemas.mid, members: count, online: onlineCount, ...page },
      required: ['gid', 'members', 'online', 'connections', 'next', 'missingShards'],
    },
  }),
};

const userSchema = {
  summary: 'The connections of a user',
  tags,
  params: schemas.userPath,
  querystring: schemas.noQuery,
  response: schemas.answers({
    200: {
      description: 'none if the user is offline, or was never there',
      type: 'object',
      properties: { user: { $ref: 'User#' }, online: { type: 'boolean' }, ban: banOrNull, connections },
      required: ['user', 'online', 'ban', 'connections'],
    },
  }),
};

const kickSchema = {
  summary: 'Close connections of a user',
  description: 'Nothing keeps the client from connecting again: see the ban.',
  tags,
  params: schemas.userPath,
  querystring: schemas.noQuery,
  body: kickBody,
  response: schemas.answers({
    200: {
      description: 'how many were closed',
      type: 'object',
      properties: { user: { $ref: 'User#' }, closed: count },
      required: ['user', 'closed'],
    },
  }),
};
