import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AdminError, toAdminError } from '../admin/errors.ts';
import { EnckeError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Logger } from '../log.ts';
import { roomOf } from '../wire/goim.ts';
import type { GoimApi } from './api.ts';
import { instances, weighted, type GoimNode } from './nodes.ts';
import { BadParameter, Parameters } from './parameters.ts';

export interface GoimSettings {
  readonly api: GoimApi;
  readonly node: GoimNode;
}

/** goim's codes (docs/goim.md "Push API"). */
const Code = { ok: 0, request: -400, server: -500 } as const;

/** They are goim's, and no part of the document that describes Encke's own. */
const schema = { hide: true };

const BYTES = 'application/octet-stream';

type Handler = (parameters: Parameters, request: FastifyRequest) => Promise<unknown>;

/** goim's push API, under /goim of the admin port. The scope has the admin port's guard. */
export function addGoimRoutes(scope: FastifyInstance, { api, node }: GoimSettings, logger: Logger): void {
  // A message is whatever bytes the body has, of whatever type the request says it is.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(BYTES, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  scope.addHook('onRequest', async ({ raw }) => void (raw.headers['content-type'] = BYTES));
  scope.setErrorHandler((error: Error, request, reply) => {
    const told = toAdminError(error);
    if (told.status >= 500)
      logger.error({ err: error, path: request.routeOptions.url }, 'goim request failed');
    tell(reply.code(told.status), told.status < 500 ? Code.request : Code.server, told.message);
  });
  const post = (path: string, handler: Handler): void => {
    scope.post(
      path,
      { bodyLimit: limits.goimPushBytesMax, onRequest: refuseBrowsers, schema },
      answering(handler),
    );
  };
  const get = (path: string, handler: Handler): void => {
    scope.get(path, { schema }, answering(handler));
  };

  post('/goim/push/keys', async (query, request) => {
    const operation = query.int32('operation');
    const keys = query.list('keys');
    if (keys.length === 0) throw new BadParameter('');
    await api.pushToKeys(operation, keys, messageOf(request));
  });
  post('/goim/push/mids', async (query, request) => {
    const operation = query.int32('operation');
    await api.pushToUsers(operation, query.users('mids'), messageOf(request));
  });
  post('/goim/push/room', async (query, request) => {
    const operation = query.requiredInt32('operation');
    const room = roomOf(query.required('type'), query.required('room'));
    await api.pushToRoom(operation, room, messageOf(request));
  });
  post('/goim/push/all', async (query, request) => {
    const operation = query.requiredInt32('operation');
    await api.pushToEveryone(operation, query.int32('speed'), messageOf(request));
  });
  get('/goim/online/top', (query) => {
    const type = query.required('type');
    return api.top(type, Math.min(query.requiredInt32('limit'), limits.goimTopMax));
  });
  get('/goim/online/room', async (query) => {
    const type = query.required('type');
    const rooms = [...new Set(query.requiredList('rooms'))];
    const counts = await api.countsOf(rooms.map((room) => roomOf(type, room)));
    return Object.fromEntries(rooms.map((room, i) => [room, counts[i]]));
  });
  get('/goim/online/total', async () => ({ conn_count: node.connections(), ip_count: node.addresses() }));
  get('/goim/nodes/weighted', async (_query, request) => weighted(node, request.hostname));
  get('/goim/nodes/instances', async (_query, request) => instances(node, request.hostname));
}

/** A failure is a code in the body; of a bad parameter the status is 400 as well, as goim's is. */
const answering =
  (handler: Handler) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    try {
      const data = await handler(new Parameters(request.url), request);
      return tell(reply, Code.ok, '', data);
    } catch (error) {
      if (error instanceof BadParameter) {
        return tell(reply.code(error.message === '' ? 200 : 400), Code.request, error.message);
      }
      if (error instanceof EnckeError) return tell(reply, Code.server, error.message);
      throw error;
    }
  };

function tell(reply: FastifyReply, code: number, message: string, data?: unknown): FastifyReply {
  return reply.send({ code, message, ...(data !== undefined && { data }) });
}

const messageOf = ({ body }: FastifyRequest): Buffer => (body instanceof Buffer ? body : empty);

const empty = Buffer.alloc(0);

/** A page of any site could post here without asking: its browser says where it is from. */
async function refuseBrowsers({ headers }: FastifyRequest): Promise<void> {
  if (headers.origin === undefined) return;
  throw new AdminError('bad_request', 'requests of web pages are refused');
}
