import type { FastifyInstance, FastifyReply } from 'fastify';
import { limits } from '../limits.ts';
import { groupOf, pairOf, type Conversation } from '../store/conversation.ts';
import { SYSTEM } from '../wire/user-id.ts';
import type { HistoryApi } from './history-api.ts';
import { historyJson } from './history-text.ts';
import * as schemas from './schemas.ts';
import { readUser, type UserPath } from './users.ts';

interface PageParameters {
  readonly after?: number;
  readonly before?: number;
  readonly limit?: number;
  readonly order?: 'oldest' | 'newest';
}

/** What was said (docs/admin.md, "History"). */
export function addHistoryRoutes(scope: FastifyInstance, history: HistoryApi): void {
  const answer = async (
    reply: FastifyReply,
    conversation: Conversation,
    { after = 0, before = Infinity, limit = limits.historyMessages, order = 'oldest' }: PageParameters,
  ): Promise<FastifyReply> => {
    const newestFirst = order === 'newest';
    const page = await history.read({ conversation, after, before, limit, newestFirst });
    // Bytes are sent as they are; a text would be written once more, as a JSON string.
    const bytes = Buffer.from(historyJson(page, conversation));
    return reply.type('application/json; charset=utf-8').send(bytes);
  };

  scope.get<UserPath & { Querystring: PageParameters & { with: string } }>(
    '/v1/users/:user/messages',
    { schema: pairSchema },
    ({ params, query: { with: other, ...page } }, reply) => {
      const conversation = pairOf(readUser(params.user), other === SYSTEM ? SYSTEM : readUser(other));
      return answer(reply, conversation, page);
    },
  );

  scope.get<{ Params: { gid: number }; Querystring: PageParameters }>(
    '/v1/groups/:gid/messages',
    { schema: groupSchema },
    ({ params: { gid }, query }, reply) => answer(reply, groupOf(gid), query),
  );
}

const number = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

const page = {
  after: { ...number, description: 'only messages with a higher chatId' },
  before: { ...number, minimum: 1, description: 'only messages with a lower chatId' },
  limit: { type: 'integer', minimum: 1, maximum: limits.historyMessagesMax },
  order: { type: 'string', enum: ['oldest', 'newest'], description: 'which comes first; default: oldest' },
} as const;

const common = {
  tags: ['messages'],
  response: schemas.answers({
    200: {
      description: 'a page, in that order, with about 64 KiB at most',
      type: 'object',
      properties: {
        last: { ...schemas.count, description: 'the newest chatId; 0: nothing was said' },
        more: { type: 'boolean', description: 'what was asked for goes on behind these' },
        messages: { type: 'array', items: { $ref: 'Message#' } },
      },
      required: ['last', 'more', 'messages'],
    },
  }),
};

const pairSchema = {
  ...common,
  summary: 'Messages between two users',
  params: schemas.userPath,
  querystring: {
    type: 'object',
    properties: { with: { type: 'string', description: 'the other user; 0: the system' }, ...page },
    required: ['with'],
    additionalProperties: false,
  },
};

const groupSchema = {
  ...common,
  summary: 'Messages of a group, those of one that was removed included',
  params: schemas.gidPath,
  querystring: { type: 'object', properties: page, additionalProperties: false },
};
