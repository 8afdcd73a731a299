import type { Duplex } from 'node:stream';
import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, RouteOptions } from 'fastify';
import { limits } from '../limits.ts';
import type { Logger } from '../log.ts';
import { findTracer } from '../tracing.ts';
import { addBanRoutes, type ShutOut } from './ban-routes.ts';
import type { Bans } from './bans.ts';
import { AdminError, toAdminError } from './errors.ts';
import type { GroupsApi } from './groups-api.ts';
import { addGroupRoutes } from './groups.ts';
import { bearerGuard, localGuard } from './guard.ts';
import type { HistoryApi } from './history-api.ts';
import { addHistoryRoutes } from './history.ts';
import { addMessageRoutes } from './messages.ts';
import { addMetricsRoute, type MetricsText } from './metrics.ts';
import { readNumbers } from './numbers.ts';
import { addOnlineRoutes } from './online.ts';
import { addDocumentRoute, describeRoutes } from './openapi.ts';
import type { PresenceApi } from './presence-api.ts';
import type { SendingApi } from './sending-api.ts';
import type { StatsApi } from './stats-api.ts';
import { addStatsRoute } from './stats.ts';
import { traceRequests } from './tracing.ts';

export type Status = 'starting' | 'ready' | 'draining' | 'degraded';

export interface AdminSettings {
  readonly groups: GroupsApi;
  readonly presence: PresenceApi;
  readonly sending: SendingApi;
  readonly history: HistoryApi;
  readonly stats: StatsApi;
  readonly bans: Bans;
  readonly shutOut: ShutOut;
  /** Bytes of a message that is sent. */
  readonly messageBytesMax: number;
  readonly status: () => Status;
  readonly metrics?: MetricsText;
  /** When it is set, /metrics, everything under /v1, and what `scopes` serve need it. */
  readonly token?: string;
  /** What else is served behind the same guard, each in a scope of its own. */
  readonly scopes?: readonly ((scope: FastifyInstance, logger: Logger) => void)[];
  readonly logger: Logger;
  /** Told of each route. */
  readonly onRoute?: (route: RouteOptions) => void;
}

const requestTimeoutMs = 30_000;
/** A request that does not come gets 408; how often that is looked at. */
const headersTimeoutMs = 5_000;
const checkingMs = 1_000;

/** The admin HTTP server (docs/admin.md); the caller listens and closes. */
export function createAdmin(settings: AdminSettings): FastifyInstance {
  const { token, logger } = settings;
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
  traceRequests(admin, findTracer());
  admin.setErrorHandler((error: Error, request, reply) => {
    const told = toAdminError(error);
    if (told.code === 'internal_error')
      logger.error({ err: error, method: request.method }, 'admin request failed');
    return tell(reply, told);
  });
  admin.setNotFoundHandler(() => {
    throw new AdminError('not_found');
  });
  if (settings.onRoute !== undefined) admin.addHook('onRoute', settings.onRoute);
  describeRoutes(admin);
  admin.register((scope, _options, done) => {
    addHealthRoutes(scope, settings.status);
    done();
  });
  admin.register((scope, _options, done) => {
    scope.addHook('onRequest', token === undefined ? localGuard : bearerGuard(token));
    scope.addHook('preValidation', readNumbers);
    scope.addHook('onRoute', needsToken);
    addDocumentRoute(scope);
    addGroupRoutes(scope, settings.groups, logger);
    addOnlineRoutes(scope, settings, logger);
    addBanRoutes(scope, settings, logger);
    addHistoryRoutes(scope, settings.history);
    addStatsRoute(scope, settings.stats);
    addMessageRoutes(scope, settings.sending, settings.messageBytesMax, logger);
    if (settings.metrics !== undefined) addMetricsRoute(scope, settings.metrics);
    done();
  });
  for (const add of settings.scopes ?? []) {
    admin.register((scope, _options, done) => {
      scope.addHook('onRequest', token === undefined ? localGuard : bearerGuard(token));
      add(scope, logger);
      done();
    });
  }
  return admin;
}

/** Whoever watches the process has no token. */
function addHealthRoutes(scope: FastifyInstance, status: () => Status): void {
  scope.get('/healthz', { schema: healthSchema('The process runs', ['ok']) }, () => ({ status: 'ok' }));
  const ready = healthSchema('It may get traffic', ['starting', 'ready', 'degraded', 'draining']);
  scope.get('/readyz', { schema: ready }, (_request, reply) => {
    const now = status();
    return reply.code(now === 'ready' ? 200 : 503).send({ status: now });
  });
}

function healthSchema(summary: string, statuses: readonly string[]) {
  const properties = { status: { type: 'string', enum: statuses } };
  const answer = { description: summary, type: 'object', properties, required: ['status'] };
  const response = statuses.includes('ready') ? { 200: answer, 503: answer } : { 200: answer };
  return { summary, tags: ['server'], response };
}

/** The document says which routes ask for the token. */
function needsToken(route: RouteOptions): void {
  route.schema = { ...route.schema, security: [{ token: [] }] };
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
