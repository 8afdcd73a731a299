import type { Duplex } from 'node:stream';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { limits } from '../limits.ts';
import type { Logger } from '../log.ts';
import { AdminError, toAdminError } from './errors.ts';
import type { GroupsApi } from './groups-api.ts';
import { addGroupRoutes } from './groups.ts';
import { bearerGuard, localGuard } from './guard.ts';

export type Status = 'starting' | 'ready' | 'draining' | 'degraded';

export interface AdminSettings {
  readonly groups: GroupsApi;
  readonly status: () => Status;
  /** When it is set, everything under /v1 needs it. */
  readonly token?: string;
  readonly logger: Logger;
}

const requestTimeoutMs = 30_000;
/** A request that does not come gets 408; how often that is looked at. */
const headersTimeoutMs = 5_000;
const checkingMs = 1_000;

/** The admin HTTP server (docs/protocol.md, "Admin HTTP"); the caller listens and closes. */
export function createAdmin({ groups, status, token, logger }: AdminSettings): FastifyInstance {
  const admin = fastify({
    // Its own log would hold requests; changes and failures are logged here, without bodies.
    logger: false,
    bodyLimit: limits.adminBodyBytesMax,
    requestTimeout: requestTimeoutMs,
    http: {
      maxHeaderSize: limits.httpHeaderBytesMax,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: checkingMs,
    },
    forceCloseConnections: true,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    frameworkErrors: (error, _request, reply) => {
      tell(reply, toAdminError(error));
    },
    clientErrorHandler: answerBroken,
  });
  admin.server.maxConnections = limits.adminConnectionsMax;
  admin.setErrorHandler((error: Error, request, reply) => {
    const told = toAdminError(error);
    if (told.code === 'internal_error')
      logger.error({ err: error, method: request.method }, 'admin request failed');
    return tell(reply, told);
  });
  admin.setNotFoundHandler(() => {
    throw new AdminError('not_found');
  });
  admin.get('/healthz', () => ({ status: 'ok' }));
  admin.get('/readyz', (_request, reply) => {
    const now = status();
    return reply.code(now === 'ready' ? 200 : 503).send({ status: now });
  });
  admin.register((scope, _options, done) => {
    scope.addHook('onRequest', token === undefined ? localGuard : bearerGuard(token));
    addGroupRoutes(scope, groups, logger);
    done();
  });
  return admin;
}

const tell = (reply: FastifyReply, error: AdminError): FastifyReply =>
  reply.code(error.status).send(error.body);

/** What is not HTTP, too large or too slow never becomes a request. */
function answerBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify(new AdminError('bad_request').body);
  const status = brokenStatus[error.code ?? ''] ?? '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

const brokenStatus: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};
