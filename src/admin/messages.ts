import type { FastifyInstance, FastifyRequest } from 'fastify';
import { errorReasons } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../log.ts';
import { isTooDeep } from '../wire/json-depth.ts';
import { memberSlice, skipSpace } from '../wire/json-slice.ts';
import { PayloadKind } from '../wire/run.ts';
import { SYSTEM } from '../wire/user-id.ts';
import { AdminError } from './errors.ts';
import * as schemas from './schemas.ts';
import { noneSent, sentStatuses, type Outgoing, type SendingApi, type Sent } from './sending-api.ts';
import { readUser } from './users.ts';

interface SendBody {
  readonly from?: number | string;
  readonly to: {
    readonly users?: readonly (number | string)[];
    readonly groups?: readonly number[];
    readonly everyone?: true;
  };
  readonly msg: unknown;
  readonly enc?: 'base64';
  readonly id?: string;
}

/** The parser reads over it. */
const BOM = /^\uFEFF/;

/** POST /v1/messages (docs/admin.md, "Sending"). */
export function addMessageRoutes(
  parent: FastifyInstance,
  sending: SendingApi,
  messageBytesMax: number,
  logger: Logger,
): void {
  parent.register((scope, _options, done) => {
    const rawTexts = keepTexts(scope);
    scope.post<{ Body: SendBody }>('/v1/messages', { schema: sendSchema }, async (request) => {
      const { from, to, id = null } = request.body;
      const message: Outgoing = {
        from: from === undefined ? SYSTEM : readUser(from),
        ...contentOf(request.body, rawTexts.get(request) ?? ''),
        id,
      };
      if (message.content.length > messageBytesMax) {
        throw new AdminError('too_large', `a message has at most ${messageBytesMax} bytes`);
      }
      const { counts, ...answer } = await send(sending, message, to);
      logger.info({ from: message.from, ...counts }, 'a message was sent');
      return { ...answer, counts };
    });
    done();
  });
}

async function send(sending: SendingApi, message: Outgoing, { users, groups }: SendBody['to']) {
  if (users === undefined && groups === undefined) return sending.toEveryone(message);
  const sent =
    users === undefined
      ? await sending.toGroups(message, [...new Set(groups)])
      : await sending.toUsers(message, [...new Set(users.map(readUser))]);
  const counts = noneSent();
  for (const { status } of sent) counts[status] += 1;
  return { results: sent.map((one) => told(one, users === undefined)), counts };
}

function told({ to, error, ...rest }: Sent, isGroup: boolean) {
  const why = error === undefined ? {} : { error, reason: errorReasons[error] };
  return { ...(isGroup ? { group: to } : { user: to }), ...rest, ...why };
}

/** The text of each body, so that a JSON value is sent as it was written: JSON.parse loses 1.0. */
function keepTexts(scope: FastifyInstance): WeakMap<FastifyRequest, string> {
  const texts = new WeakMap<FastifyRequest, string>();
  const parse = scope.getDefaultJsonParser('error', 'error');
  scope.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    texts.set(request, text.replace(BOM, ''));
    void parse(request, text, done);
  });
  return texts;
}

/** The kinds of docs/protocol.md, "Kinds of msg". */
function contentOf({ from, msg, enc }: SendBody, text: string): Pick<Outgoing, 'kind' | 'content'> {
  if (enc === 'base64') {
    const bytes = typeof msg === 'string' ? Buffer.from(msg, 'base64') : undefined;
    if (bytes?.toString('base64') !== msg) throw new AdminError('bad_request', 'msg is not base64');
    return { kind: PayloadKind.bytes, content: bytes as Buffer };
  }
  if (typeof msg === 'string') return { kind: PayloadKind.text, content: Buffer.from(msg) };
  if (from === undefined && typeof msg === 'object' && msg !== null && 'sid' in msg) {
    // To comet clients it would look like a message of the string client of that name.
    throw new AdminError('bad_request', 'a message of the system has no sid');
  }
  const { start, end } = memberSlice(text, skipSpace(text, 0), 'msg')!;
  const json = text.slice(start, end);
  if (isTooDeep(json)) {
    throw new AdminError('bad_request', `msg nests deeper than ${limits.jsonDepthMax}`);
  }
  return { kind: PayloadKind.json, content: Buffer.from(json) };
}

const { count } = schemas;
const receivers = <T>(items: T) => ({
  type: 'array',
  items,
  minItems: 1,
  maxItems: limits.adminRecipientsMax,
});

const sendSchema = {
  summary: 'Send a message to users, to groups or to everyone who is online',
  description: 'As a user, or without `from` as the system. It is stored, numbered and delivered.',
  tags: ['messages'],
  querystring: schemas.noQuery,
  body: {
    type: 'object',
    properties: {
      from: { $ref: 'User#' },
      to: {
        description: 'one of the three',
        type: 'object',
        properties: {
          users: receivers({ $ref: 'User#' }),
          groups: receivers(schemas.mid),
          everyone: { const: true, description: 'all users that are online now' },
        },
        minProperties: 1,
        maxProperties: 1,
        additionalProperties: false,
      },
      msg: { description: 'a string, any other JSON value, or with `enc` base64' },
      enc: { type: 'string', enum: ['base64'] },
      id: {
        type: 'string',
        minLength: 1,
        maxLength: limits.clientIdCharsMax,
        description: 'the id where a string client sends or gets it; default: a UUID',
      },
    },
    required: ['to', 'msg'],
    additionalProperties: false,
  },
  response: schemas.answers({
    200: {
      description: 'what became of it; also if it failed for some, or all',
      type: 'object',
      properties: {
        results: {
          type: 'array',
          items: { $ref: 'Sent#' },
          description: 'of users and groups: one for each, in the order of the request',
        },
        users: { ...count, description: 'of everyone: how many that were' },
        counts: {
          type: 'object',
          properties: Object.fromEntries(sentStatuses.map((status) => [status, count])),
          required: sentStatuses,
        },
        missingShards: schemas.missingShards,
      },
      required: ['counts'],
    },
  }),
};
