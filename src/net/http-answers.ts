import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RefusalName } from './counters.ts';

/** An answer that ends the connection, for a socket that no HTTP server answers for (any more). */
export function httpAnswer(status: number): string {
  const text = `${STATUS_CODES[status]}\n`;
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
    `Content-Length: ${text.length}\r\n\r\n${text}`
  );
}

/** Instead of an upgrade. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  socket.end(httpAnswer(status));
  socket.once('finish', () => socket.destroy());
}

/** What a client of the HTTP ports is told that may not come in: docs/protocol.md "Transports". */
export const httpGoodbye = (why: RefusalName): string =>
  httpAnswer(why === 'address_connections_max' ? 429 : 503);
