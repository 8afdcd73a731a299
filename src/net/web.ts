import { createServer, STATUS_CODES, type IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { WebSocketServer, type PerMessageDeflateOptions, type RawData, type WebSocket } from 'ws';
import type { Admission } from '../auth/auth.ts';
import type { Welcome } from '../auth/guests.ts';
import { closes } from '../errors.ts';
import { limits } from '../limits.ts';
import { decodeMessage } from '../wire/frame-decoder.ts';
import { encodeWelcome } from '../wire/messaging.ts';
import { addressOf, setAddress } from './address.ts';
import { WebSocketConnection } from './connection.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import { DeferredWebSocketConnection } from './deferred-connection.ts';
import type { Gateway } from './gateway.ts';
import { CometHandshake } from './handshake.ts';
import { httpAnswer, refuseUpgrade as refuse } from './http-answers.ts';
import { KeepAlive } from './keep-alive.ts';
import { ToShard } from './lane.ts';
import {
  guestOrCredentials,
  readMessagingRequest,
  target,
  type MessagingRequest,
} from './messaging-request.ts';
import type { Origins } from './origins.ts';
import { Pings } from './pings.ts';
import type { TrustedProxies } from './proxies.ts';

const typeOf = (isBinary: boolean): number => (isBinary ? ToShard.binary : ToShard.text);

class WebSocketHandshake extends CometHandshake {
  feed(bytes: Buffer, isBinary: boolean): void {
    if (this.isDecided) return this.keep(typeOf(isBinary), bytes);
    if (!isBinary) {
      if (bytes.length > this.gateway.options.packageBytesMax) return this.refuse(closes.tooBig);
      return this.onText(bytes.toString('utf8'));
    }
    const { offset, failure } = decodeMessage(
      bytes,
      0,
      bytes.length,
      this.gateway.options.packageBytesMax,
      this,
    );
    if (failure !== undefined) return this.refuse(failure.close);
    if (this.isDecided && offset < bytes.length) this.keep(ToShard.binary, bytes.subarray(offset));
  }

  protected handOver(type: number, rest: Buffer): void {
    this.gateway.input(this.connection, type, rest);
  }
}

export interface WebOptions {
  readonly gateway: Gateway;
  readonly limit: ConnectionLimit;
  readonly proxies: TrustedProxies;
  readonly origins: Origins;
  /** permessage-deflate, for clients that offer it. */
  readonly compression: boolean;
}

export interface Web {
  accept(socket: Socket): void;
  stop(): void;
}

/** What compression may cost (docs/protocol.md "Compression"); what is inflated is held to maxPayload. */
const compression: PerMessageDeflateOptions = {
  threshold: limits.compressionBytesMin,
  concurrencyLimit: limits.compressionsMax,
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  zlibDeflateOptions: { level: 3, memLevel: 7 },
};

/**
 * What the HTTP ports do with a socket: `/sub` for comet, `/messaging` for messaging
 * (docs/protocol.md "Transports").
 */
export function createWeb(options: WebOptions): Web {
  const { gateway, limit, proxies, origins } = options;
  const { counters, authTimeoutMs } = gateway.options;
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    autoPong: false,
    perMessageDeflate: options.compression && compression,
    maxPayload: Math.max(limits.webSocketMessageBytesMax, gateway.options.packageBytesMax),
  });
  const allowsGuests = gateway.options.guests !== undefined;
  const keepAlive = new KeepAlive(gateway.options.idleTimeoutMs);
  const pings = new Pings();
  /** Sockets whose request has not come in full. */
  const waiting = new WeakMap<Socket, NodeJS.Timeout>();
  // It never listens: the doors hand it sockets. So its own timeouts do not work, and `accept` has one.
  const server = createServer({ maxHeaderSize: limits.httpHeaderBytesMax }, (request, response) => {
    clearTimeout(waiting.get(request.socket));
    const { pathname } = target(request);
    const status = pathname === '/sub' || pathname === '/messaging' ? 426 : 404;
    const asked = pathname === '/messaging' ? readMessagingRequest(request, allowsGuests) : undefined;
    const refused = asked === 401 ? asked : status;
    response.writeHead(refused, {
      connection: 'close',
      ...(refused === 426 ? { upgrade: 'websocket' } : {}),
    });
    response.end(`${STATUS_CODES[refused]}\n`);
  });
  server.on('upgrade', (request, duplex, head) => {
    if (!(duplex instanceof Socket)) return refuse(duplex, 400);
    clearTimeout(waiting.get(duplex));
    duplex.on('error', ignoreError);
    const { pathname } = target(request);
    if (gateway.isDraining) refuse(duplex, 503);
    else if (pathname !== '/sub' && pathname !== '/messaging') refuse(duplex, 404);
    else if (!origins.allows(request.headers.origin, request.headers.host)) {
      counters.refuse('http_origin');
      refuse(duplex, 403);
    } else if (!locate(request, duplex)) refuse(duplex, 429);
    else if (pathname === '/sub') upgradeComet(request, duplex, head);
    else void upgradeMessaging(request, duplex, head);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    counters.refuse('http_malformed');
    refuse(socket, error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400);
  });

  /** A client that a trusted proxy speaks for counts where it is; false when there are too many. */
  function locate(request: IncomingMessage, socket: Socket): boolean {
    const peer = addressOf(socket);
    const header = request.headers['x-forwarded-for'];
    const client = proxies.clientOf(peer, Array.isArray(header) ? header.join() : header);
    if (client === peer) return true;
    setAddress(socket, client);
    socket.once('close', () => limit.giveBack(socket));
    const refused = limit.name(socket, client);
    if (refused !== undefined) counters.refuse(refused);
    return refused === undefined;
  }

  function connectionOf(socket: Socket, webSocket: WebSocket): WebSocketConnection {
    const id = gateway.nextId();
    const compresses = webSocket.extensions !== '';
    return compresses || socket instanceof TLSSocket
      ? new DeferredWebSocketConnection(id, socket, webSocket, gateway, compresses)
      : new WebSocketConnection(id, socket, webSocket, gateway);
  }

  function upgradeComet(request: IncomingMessage, socket: Socket, head: Buffer): void {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = connectionOf(socket, webSocket);
      let handshake: WebSocketHandshake | undefined;
      watch(connection, (bytes, isBinary) => {
        if (handshake === undefined) gateway.input(connection, typeOf(isBinary), bytes);
        else handshake.feed(bytes, isBinary);
      });
      webSocket.on('close', () => handshake?.cancel());
      gateway.add(connection);
      if (connection.ending) return;
      handshake = new WebSocketHandshake(gateway, connection, true);
      handshake.onDone = () => {
        handshake = undefined;
      };
    });
  }

  async function upgradeMessaging(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const asked = readMessagingRequest(request, allowsGuests);
    if (typeof asked === 'number') return refuse(socket, asked);
    const who = guestOrCredentials(asked, gateway, addressOf(socket));
    if (who === undefined) return refuse(socket, 401);
    const isGuest = 'welcome' in who;
    const result = isGuest ? gateway.unlessBanned(who.admission) : await gateway.authenticate(who);
    if (socket.destroyed) return;
    if (!result.ok) return refuse(socket, result.error === 'banned' ? 403 : 401);
    if (gateway.isDraining) return refuse(socket, 503);
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = connectionOf(socket, webSocket);
      openMessaging(connection, result, asked.wish, isGuest ? who.welcome : undefined);
    });
  }

  function openMessaging(
    connection: WebSocketConnection,
    admission: Admission,
    wish: MessagingRequest['wish'],
    welcome: Welcome | undefined,
  ): void {
    watch(connection, (bytes, isBinary) => {
      if (isBinary) connection.end(closes.unsupported);
      else gateway.input(connection, ToShard.text, bytes);
    });
    gateway.add(connection);
    if (connection.ending) return;
    keepAlive.add(connection);
    // Before the shard has the connection, so before everything else.
    if (welcome !== undefined) connection.say(Buffer.from(encodeWelcome(welcome)), true);
    gateway.open(connection, admission, {
      ...wish,
      encoding: 'messaging',
      webSocket: true,
      version: 1,
      seq: 0,
    });
  }

  function watch(
    connection: WebSocketConnection,
    onMessage: (bytes: Buffer, isBinary: boolean) => void,
  ): void {
    const { webSocket, socket } = connection;
    webSocket.on('message', (data: RawData, isBinary: boolean) => {
      if (!connection.ending) onMessage(data as Buffer, isBinary); // binaryType nodebuffer: always one
    });
    socket.on('drain', () => {
      connection.onDrain();
    });
    webSocket.on('ping', (data: Buffer) => {
      pings.answer(connection, data);
    });
    webSocket.on('error', ignoreError); // ws has closed with the right code by then; 'close' follows
    webSocket.on('close', () => {
      keepAlive.delete(connection);
      pings.delete(connection);
      gateway.remove(connection);
    });
  }

  function onClose(this: Socket): void {
    clearTimeout(waiting.get(this));
  }

  return {
    accept: (socket) => {
      const timer = setTimeout(() => {
        counters.refuse('http_timeout');
        socket.end(httpAnswer(408));
        socket.destroySoon();
      }, authTimeoutMs);
      waiting.set(socket, timer);
      socket.on('close', onClose);
      server.emit('connection', socket);
    },
    stop: () => {
      keepAlive.stop();
      pings.stop();
    },
  };
}

function ignoreError(): void {}
