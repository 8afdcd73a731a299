import { createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { limits } from '../limits.ts';
import { addressOf, setAddress } from './address.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import type { Certificate } from './certificate.ts';
import type { NetCounters, RefusalName } from './counters.ts';
import type { TrustedProxies } from './proxies.ts';
import { parseProxyHeader } from './proxy-header.ts';

export interface DoorOptions {
  readonly limit: ConnectionLimit;
  readonly counters: NetCounters;
  readonly proxies: TrustedProxies;
  /** Time for what comes before the protocol: a proxy's header, the TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** With it the port speaks TLS. */
  readonly certificate?: Certificate | undefined;
  /** What a client that is turned away is told; it cannot be told anything before a handshake. */
  readonly goodbye: (why: RefusalName) => Buffer | string;
  /** A client that may speak the protocol. */
  readonly onSocket: (socket: Socket) => void;
}

/**
 * A client port: accepts, counts, learns the client's address from a trusted proxy, does TLS, and
 * hands the socket on. Everything that is not the protocol happens here.
 */
export function createDoor(options: DoorOptions): Server {
  const { limit, counters, proxies, certificate, handshakeTimeoutMs } = options;
  const secure = certificate?.server(handshakeTimeoutMs);
  /** Addresses told by proxies, by the proxy's end of the connection, while the handshake lasts. */
  const told = new Map<string, string>();
  let refusing = 0;

  const onClose = function (this: Socket): void {
    limit.leave(this);
  };

  /** It is told why for as long as few are: refusing must not cost more than serving. */
  const refuse = (socket: Socket, why: RefusalName): void => {
    counters.refuse(why);
    if (secure !== undefined || refusing >= limits.refusalsMax) return void socket.destroy();
    refusing += 1;
    const timer = setTimeout(() => socket.destroy(), limits.refusalMs);
    socket.once('close', () => {
      clearTimeout(timer);
      refusing -= 1;
    });
    socket.resume().end(options.goodbye(why)); // what it says is read: a reset would lose the answer
  };

  const pass = (socket: Socket): void => {
    if (secure === undefined) return options.onSocket(socket);
    const end = endOf(socket);
    const address = addressOf(socket);
    if (address !== socket.remoteAddress) {
      told.set(end, address);
      socket.once('close', () => told.delete(end));
    }
    secure.emit('connection', socket);
  };

  secure?.on('secureConnection', (socket: TLSSocket) => {
    const address = told.get(endOf(socket));
    if (address !== undefined) setAddress(socket, address);
    socket.on('error', ignoreError);
    options.onSocket(socket);
  });
  secure?.on('tlsClientError', (_error, socket: TLSSocket) => {
    counters.refuse('tls_handshake');
    socket.destroy();
  });

  const onProxied = (socket: Socket): void => {
    readProxyHeader(socket, handshakeTimeoutMs, (address) => {
      if (address === 'bad') {
        counters.refuse('proxy_header');
        return void socket.destroy();
      }
      // Without a header it may still be one that says X-Forwarded-For.
      if (address !== undefined) {
        setAddress(socket, address);
        const refused = limit.name(socket, address);
        if (refused !== undefined) return refuse(socket, refused);
      }
      pass(socket);
    });
  };

  return createServer(
    // A mark of 1 makes `drain` mean that the kernel took everything. Half-open, so that a client
    // that ends its side still gets its replies.
    { noDelay: true, allowHalfOpen: true, highWaterMark: 1 },
    (socket) => {
      counters.accepted += 1;
      socket.on('error', ignoreError); // 'close' follows; a reset by the peer is no event to log
      const full = limit.enter(socket);
      if (full !== undefined) return refuse(socket, full);
      socket.on('close', onClose);
      const address = addressOf(socket);
      if (proxies.has(address)) return onProxied(socket);
      const refused = limit.name(socket, address);
      if (refused === undefined) pass(socket);
      else refuse(socket, refused);
    },
  );
}

/** Calls back once: with the address in the header, undefined without a header, or 'bad'. */
function readProxyHeader(
  socket: Socket,
  timeoutMs: number,
  done: (address: string | undefined) => void,
): void {
  let bytes = Buffer.alloc(0);
  const finish = (address: string | undefined, used: number): void => {
    clearTimeout(timer);
    socket.off('readable', read).off('end', giveUp).off('close', giveUp);
    if (bytes.length > used) socket.unshift(bytes.subarray(used));
    done(address);
  };
  const read = (): void => {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null)
      bytes = Buffer.concat([bytes, chunk]);
    const header = bytes.length === 0 ? 'more' : parseProxyHeader(bytes);
    if (header === 'bad') finish('bad', 0);
    else if (header === 'none') finish(undefined, 0);
    else if (header !== 'more') finish(header.address, header.bytes);
  };
  const giveUp = (): void => {
    finish('bad', 0);
  };
  // A proxy that says nothing yet may have a client that says nothing yet: the protocol's to judge.
  const timer = setTimeout(() => finish(bytes.length === 0 ? undefined : 'bad', 0), timeoutMs);
  socket.on('readable', read).on('end', giveUp).on('close', giveUp);
}

const endOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;

function ignoreError(): void {}
