import { createServer, STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import { WebSocketServer, type RawData } from 'ws';
import type { Admission } from '../auth/auth.ts';
import { closes } from '../errors.ts';
import { limits } from '../limits.ts';
import { decodeMessage } from '../wire/frame-decoder.ts';
import { isDevice, parseClientId, type UserId } from '../wire/user-id.ts';
import { addressOf, WebSocketConnection } from './connection.ts';
import type { Gateway, Wish } from './gateway.ts';
import { CometHandshake } from './handshake.ts';
import { KeepAlive } from './keep-alive.ts';
import { ToShard } from './lane.ts';

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

/** The HTTP port: `/sub` for comet, `/messaging` for messaging (docs/protocol.md "Transports"). */
export function createWebServer(gateway: Gateway): Server {
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: Math.max(limits.webSocketMessageBytesMax, gateway.options.packageBytesMax),
  });
  const keepAlive = new KeepAlive(gateway.options.idleTimeoutMs);
  const server = createServer({ highWaterMark: 1, keepAlive: false }, (request, response) => {
    const { pathname } = target(request);
    const status = pathname === '/sub' || pathname === '/messaging' ? 426 : 404;
    const refused = pathname === '/messaging' && clientOf(request) === undefined ? 401 : status;
    response.writeHead(refused, {
      connection: 'close',
      ...(refused === 426 ? { upgrade: 'websocket' } : {}),
    });
    response.end(`${STATUS_CODES[refused]}\n`);
  });
  server.on('upgrade', (request, duplex, head) => {
    if (!(duplex instanceof Socket)) return refuse(duplex, 400);
    duplex.on('error', ignoreError);
    const { pathname } = target(request);
    if (gateway.isDraining) refuse(duplex, 503);
    else if (pathname === '/sub') upgradeComet(request, duplex, head);
    else if (pathname === '/messaging') void upgradeMessaging(request, duplex, head);
    else refuse(duplex, 404);
  });
  server.on('close', () => {
    keepAlive.stop();
  });

  function upgradeComet(request: IncomingMessage, socket: Socket, head: Buffer): void {
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new WebSocketConnection(gateway.nextId(), socket, webSocket, gateway);
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
    const user = clientOf(request);
    if (user === undefined) return refuse(socket, 401);
    const { searchParams } = target(request);
    const device = searchParams.get('device_id') ?? '';
    if (device !== '' && !isDevice(device)) return refuse(socket, 400);
    const ack = searchParams.get('ack');
    if (ack !== null && ack !== '1') return refuse(socket, 400);
    const token = searchParams.get('token');
    const result = await gateway.authenticate({
      protocol: 'messaging',
      clientId: String(user),
      device,
      remoteAddress: addressOf(socket),
      ...(token === null ? {} : { token }),
    });
    if (socket.destroyed) return;
    if (!result.ok) return refuse(socket, 401);
    if (gateway.isDraining) return refuse(socket, 503);
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      openMessaging(new WebSocketConnection(gateway.nextId(), socket, webSocket, gateway), result, {
        device,
        ack: ack === '1',
      });
    });
  }

  function openMessaging(
    connection: WebSocketConnection,
    admission: Admission,
    wish: Pick<Wish, 'device' | 'ack'>,
  ): void {
    watch(connection, (bytes, isBinary) => {
      if (isBinary) connection.end(closes.unsupported);
      else gateway.input(connection, ToShard.text, bytes);
    });
    gateway.add(connection);
    if (connection.ending) return;
    keepAlive.add(connection);
    const { device, ack } = wish;
    gateway.open(connection, admission, {
      device,
      ack,
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
    webSocket.on('error', ignoreError); // ws has closed with the right code by then; 'close' follows
    webSocket.on('close', () => {
      keepAlive.delete(connection);
      gateway.remove(connection);
    });
  }

  return server;
}

function target(request: IncomingMessage): URL {
  // The host is the client's word and plays no part; a target that is no path matches nothing.
  return URL.canParse(request.url ?? '', 'http://encke')
    ? new URL(request.url ?? '', 'http://encke')
    : nowhere;
}

const nowhere = new URL('http://encke/.');

function clientOf(request: IncomingMessage): UserId | undefined {
  return parseClientId(target(request).searchParams.get('client_id') ?? '');
}

function refuse(socket: Duplex, status: number): void {
  const text = `${STATUS_CODES[status]}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${text.length}\r\n\r\n${text}`,
  );
  socket.once('finish', () => socket.destroy());
}

function ignoreError(): void {}
