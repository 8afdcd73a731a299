import type { FastifyInstance } from 'fastify';
import { limits } from '../limits.ts';
import type { Logger } from '../log.ts';
import { AdminError } from './errors.ts';
import type { GroupsApi } from './groups-api.ts';
import * as schemas from './schemas.ts';

const { count } = schemas;

/** A group of 100,000 may be named in one call; repeated members are one, so that counts come later. */
const mids = { type: 'array', items: schemas.mid } as const;

const replaceBody = {
  type: 'object',
  properties: { members: mids },
  required: ['members'],
  additionalProperties: false,
} as const;

const changeBody = {
  type: 'object',
  properties: { add: mids, remove: mids },
  minProperties: 1,
  additionalProperties: false,
} as const;

type Path = { Params: { gid: number } };

/** /v1/groups (docs/admin.md, "Groups"). */
export function addGroupRoutes(scope: FastifyInstance, groups: GroupsApi, logger: Logger): void {
  const path = '/v1/groups/:gid';

  scope.put<Path & { Body: { members: number[] } }>(
    path,
    { schema: replaceSchema },
    async ({ params: { gid }, body }, reply) => {
      const replaced = await groups.replace(gid, unique(body.members));
      const { created, members, lastChatId } = replaced;
      logger.info({ gid, created, members }, 'group members replaced');
      return reply.code(created ? 201 : 200).send({ gid, members, lastChatId });
    },
  );

  scope.get<Path>(path, { schema: getSchema }, async ({ params: { gid } }) => {
    const { members, lastChatId } = found(await groups.get(gid));
    return { gid, members: members.toSorted((a, b) => a - b), lastChatId };
  });

  scope.delete<Path>(path, { schema: deleteSchema }, async ({ params: { gid } }, reply) => {
    if (!(await groups.remove(gid))) throw new AdminError('no_such_group');
    logger.info({ gid }, 'group removed');
    return reply.code(204).send();
  });

  scope.post<Path & { Body: { add?: number[]; remove?: number[] } }>(
    `${path}/members`,
    { schema: changeSchema },
    async ({ params: { gid }, body }) => {
      const add = unique(body.add ?? []);
      const remove = unique(body.remove ?? []);
      refuseBoth(add, remove);
      const { members, added, removed } = found(await groups.change(gid, add, remove));
      logger.info({ gid, members, added, removed }, 'group members changed');
      return { gid, members, added, removed };
    },
  );
}

function found<T>(group: T | undefined): T {
  if (group === undefined) throw new AdminError('no_such_group');
  return group;
}

function unique(members: readonly number[]): number[] {
  const set = new Set(members);
  if (set.size > limits.groupMembersMax) {
    throw new AdminError('group_too_large', `a group has at most ${limits.groupMembersMax} members`);
  }
  return [...set];
}

/** Which of the two would win is anybody's guess. */
function refuseBoth(add: readonly number[], remove: readonly number[]): void {
  const removed = new Set(remove);
  const both = add.find((mid) => removed.has(mid));
  if (both !== undefined) throw new AdminError('bad_request', `member ${both} is in both add and remove`);
}

const tags = ['groups'];
const common = { tags, params: schemas.gidPath, querystring: schemas.noQuery } as const;

const counted = (description: string) => ({
  description,
  type: 'object',
  properties: { gid: schemas.mid, members: count, lastChatId: count },
  required: ['gid', 'members', 'lastChatId'],
});

const replaceSchema = {
  ...common,
  summary: 'Create a group, or replace its members',
  body: replaceBody,
  response: schemas.answers({ 200: counted('its members were replaced'), 201: counted('it was made') }),
};

const getSchema = {
  ...common,
  summary: 'The members of a group',
  response: schemas.answers({
    200: {
      description: 'in rising order',
      type: 'object',
      properties: { gid: schemas.mid, members: mids, lastChatId: count },
      required: ['gid', 'members', 'lastChatId'],
    },
  }),
};

const deleteSchema = {
  ...common,
  summary: 'Remove a group; its numbers stay taken',
  response: schemas.answers({ 204: { description: 'it is gone', type: 'null' } }),
};

const changeSchema = {
  ...common,
  summary: 'Add and remove members',
  body: changeBody,
  response: schemas.answers({
    200: {
      description: 'how many there are now, and how many of these changed',
      type: 'object',
      properties: { gid: schemas.mid, members: count, added: count, removed: count },
      required: ['gid', 'members', 'added', 'removed'],
    },
  }),
};
