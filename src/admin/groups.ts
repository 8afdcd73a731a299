import type { FastifyInstance } from 'fastify';
import { limits } from '../limits.ts';
import type { Logger } from '../log.ts';
import { isMid } from '../wire/user-id.ts';
import { AdminError } from './errors.ts';
import type { GroupsApi } from './groups-api.ts';

/** A group of 100,000 may be named in one call; repeated members are one, so that counts come later. */
const mids = { type: 'array', items: { type: 'integer', minimum: 1, maximum: 2_147_483_647 } } as const;

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

interface Path {
  Params: { gid: string };
}

/** /v1/groups (docs/protocol.md, "Admin HTTP"). */
export function addGroupRoutes(scope: FastifyInstance, groups: GroupsApi, logger: Logger): void {
  const path = '/v1/groups/:gid';

  scope.put<Path & { Body: { members: number[] } }>(
    path,
    { schema: { body: replaceBody } },
    async (request, reply) => {
      const gid = readGid(request.params.gid);
      const replaced = await groups.replace(gid, unique(request.body.members));
      const { created, members, lastChatId } = replaced;
      logger.info({ gid, created, members }, 'group members replaced');
      return reply.code(created ? 201 : 200).send({ gid, members, lastChatId });
    },
  );

  scope.get<Path>(path, async (request) => {
    const gid = readGid(request.params.gid);
    const { members, lastChatId } = found(await groups.get(gid));
    return { gid, members: members.toSorted((a, b) => a - b), lastChatId };
  });

  scope.delete<Path>(path, async (request, reply) => {
    const gid = readGid(request.params.gid);
    if (!(await groups.remove(gid))) throw new AdminError('no_such_group');
    logger.info({ gid }, 'group removed');
    return reply.code(204).send();
  });

  scope.post<Path & { Body: { add?: number[]; remove?: number[] } }>(
    `${path}/members`,
    { schema: { body: changeBody } },
    async (request) => {
      const gid = readGid(request.params.gid);
      const add = unique(request.body.add ?? []);
      const remove = unique(request.body.remove ?? []);
      refuseBoth(add, remove);
      const { members, added, removed } = found(await groups.change(gid, add, remove));
      logger.info({ gid, members, added, removed }, 'group members changed');
      return { gid, members, added, removed };
    },
  );
}

function readGid(text: string): number {
  const gid = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  if (!isMid(gid)) throw new AdminError('bad_request', 'a gid is a whole number from 1 to 2147483647');
  return gid;
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
