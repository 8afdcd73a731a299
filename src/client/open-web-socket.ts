import type { ConnectionOptions } from 'node:tls';
import { WebSocket } from 'ws';
import { UpgradeRefused } from './errors.ts';

const handshakeTimeoutMs = 10_000;

/** TLS, with options of node:tls such as `ca`. */
export type TlsChoice = ConnectionOptions | boolean;

export const webSocketUrl = (path: string, host = '127.0.0.1', port = 3102, tls: TlsChoice = false): string =>
  `${tls === false ? 'ws' : 'wss'}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;

/** The socket comes before it is open: what the server sends first finds its listener there. */
export interface Opening {
  readonly socket: WebSocket;
  /** Rejects with UpgradeRefused when the server answers with a status. */
  readonly opened: Promise<void>;
}

export function openWebSocket(url: string, tls: TlsChoice = false): Opening {
  const socket = new WebSocket(url, {
    ...(typeof tls === 'object' && tls),
    perMessageDeflate: false,
    handshakeTimeout: handshakeTimeoutMs,
  });
  const opened = new Promise<void>((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject); // after 'open' it rejects nothing, and 'close' follows
    socket.on('unexpected-response', (request, response) => {
      reject(new UpgradeRefused(response.statusCode ?? 0));
      request.destroy();
      socket.terminate();
    });
  });
  return { socket, opened };
}
