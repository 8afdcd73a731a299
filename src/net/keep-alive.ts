import { closes } from '../errors.ts';
import type { WebSocketConnection } from './connection.ts';

/**
 * Messaging has no heartbeat of its own, so the server pings: a client whose WebSocket answers is
 * alive, however long it says nothing (docs/protocol.md "Idle connections").
 */
export class KeepAlive {
  /** Connection -> whether anything was heard of it since the last ping. */
  readonly #heard = new Map<WebSocketConnection, boolean>();
  readonly #timer: NodeJS.Timeout;

  constructor(idleTimeoutMs: number) {
    this.#timer = setInterval(() => {
      this.#sweep();
    }, idleTimeoutMs / 2);
    this.#timer.unref();
  }

  add(connection: WebSocketConnection): void {
    this.#heard.set(connection, true);
    const hear = (): void => {
      if (this.#heard.has(connection)) this.#heard.set(connection, true);
    };
    connection.webSocket.on('pong', hear).on('message', hear);
  }

  delete(connection: WebSocketConnection): void {
    this.#heard.delete(connection);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    for (const [connection, heard] of this.#heard) {
      if (heard) {
        this.#heard.set(connection, false);
        connection.ping();
      } else {
        this.#heard.delete(connection);
        connection.end(closes.idle);
      }
    }
  }
}
