import type { FastifyInstance } from 'fastify';
import { closes, type CloseReason } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../log.ts';
import type { UserId } from '../wire/user-id.ts';
import type { Ban, Bans } from './bans.ts';
import { AdminError } from './errors.ts';
import * as schemas from './schemas.ts';
import { checkReason, readUser, type UserPath } from './users.ts';

/** Closes what a user has; how many that were, null if nobody can say. */
export type ShutOut = (user: UserId, close: Pick<CloseReason, 'code' | 'reason'>) => Promise<number | null>;

const secondsMax = 3_153_600_000; // a hundred years

interface BanBody {
  readonly seconds?: number;
  readonly reason?: string;
}

/** Who may not connect (docs/admin.md, "Bans"). */
export function addBanRoutes(
  scope: FastifyInstance,
  { bans, shutOut }: { readonly bans: Bans; readonly shutOut: ShutOut },
  logger: Logger,
): void {
  scope.put<UserPath & { Body: BanBody }>(
    '/v1/users/:user/ban',
    { schema: banSchema },
    async ({ params, body: { seconds, reason = closes.forbidden.reason } }) => {
      const user = readUser(params.user);
      checkReason(reason);
      const ban = await bans.add(user, seconds === undefined ? null : seconds * 1_000, reason);
      const closed = await shutOut(user, { code: closes.forbidden.code, reason });
      logger.info({ user, seconds, closed }, 'a user was banned');
      return { ...toldBan(ban), closed };
    },
  );

  scope.delete<UserPath>('/v1/users/:user/ban', { schema: unbanSchema }, async ({ params }, reply) => {
    const user = readUser(params.user);
    if (!(await bans.remove(user))) throw new AdminError('not_banned');
    logger.info({ user }, 'a ban was lifted');
    return reply.code(204).send();
  });

  scope.get<{ Querystring: schemas.PageParameters }>(
    '/v1/bans',
    { schema: listSchema },
    ({ query: { after = 0, limit = limits.adminPage } }) => {
      const found = bans.list(after, limit + 1);
      const page = found.slice(0, limit);
      return { bans: page.map(toldBan), next: found.length > limit ? (page.at(-1)?.number ?? null) : null };
    },
  );
}

/** Times as texts. */
export const toldBan = ({ user, since, until, reason }: Ban) => ({
  user,
  since: new Date(since).toISOString(),
  until: until === null ? null : new Date(until).toISOString(),
  reason,
});

const common = { tags: ['bans'], querystring: schemas.noQuery, params: schemas.userPath } as const;

const banSchema = {
  ...common,
  summary: 'Ban a user: close its connections, and let it connect no more',
  description: 'It is kept over restarts. A ban that there is already is replaced.',
  body: {
    type: 'object',
    properties: {
      seconds: { type: 'integer', minimum: 1, maximum: secondsMax, description: 'absent: for good' },
      reason: { type: 'string', default: closes.forbidden.reason, description: 'at most 123 bytes' },
    },
    additionalProperties: false,
  },
  response: schemas.answers({
    200: {
      description: 'the ban, which is stored',
      type: 'object',
      properties: {
        ...schemas.ban.properties,
        closed: {
          type: ['integer', 'null'],
          description: 'how many connections were closed; null: they are, but it is not known how many',
        },
      },
      required: [...schemas.ban.required, 'closed'],
    },
  }),
};

const unbanSchema = {
  ...common,
  summary: 'Lift a ban',
  response: schemas.answers({ 204: { description: 'it may connect again', type: 'null' } }),
};

const listSchema = {
  summary: 'All bans, a page at a time',
  tags: ['bans'],
  querystring: schemas.pageQuery,
  response: schemas.answers({
    200: {
      description: 'in the order in which they were made; those that are over are left out',
      type: 'object',
      properties: {
        bans: { type: 'array', items: { $ref: 'Ban#' } },
        next: { type: ['integer', 'null'], description: '`after` of the next page; null: this is the last' },
      },
      required: ['bans', 'next'],
    },
  }),
};
