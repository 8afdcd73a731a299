import { closes } from '../errors.ts';
import { limits } from '../limits.ts';
import type { WebSocketConnection } from './connection.ts';

const SECOND_MS = 1_000;

/**
 * Answers the pings of WebSocket clients. The library would queue a pong for each, also for a client
 * that never reads: here there is a rate, and no pong behind too much that was not read.
 */
export class Pings {
  /** Pings of each connection in this second. */
  readonly #counts = new Map<WebSocketConnection, number>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => {
      this.#counts.clear();
    }, SECOND_MS);
    this.#timer.unref();
  }

  answer(connection: WebSocketConnection, data: Buffer): void {
    if (connection.ending) return;
    const count = (this.#counts.get(connection) ?? 0) + 1;
    this.#counts.set(connection, count);
    if (count > limits.webSocketPingsMax) connection.end({ ...closes.tooFast, reason: 'too many pings' });
    else if (connection.webSocket.bufferedAmount < limits.pongBacklogBytesMax) connection.pong(data);
  }

  delete(connection: WebSocketConnection): void {
    this.#counts.delete(connection);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
