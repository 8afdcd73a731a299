import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { eachWsMessage } from '../wire/ws-frame.ts';
import { TcpConnection, WebSocketConnection, type ConnectionListener } from './connection.ts';

/*
 * Connections whose bytes never go to the kernel within the call: TLS finishes each write later,
 * compression begins it later. A write is reported as not taken at once, and taken when its callback
 * says so and nothing else waits; `drain` of the socket alone would say less than that.
 */

/** TCP with TLS. */
export class DeferredTcpConnection extends TcpConnection {
  readonly #onWritten = (): void => {
    this.onDrain();
  };

  override onDrain(): void {
    if (this.socket.writableLength === 0) super.onDrain();
  }

  protected override send(bytes: Buffer): void {
    this.socket.write(bytes, this.#onWritten);
  }
}

/** A WebSocket with TLS, with compression, or with both. */
export class DeferredWebSocketConnection extends WebSocketConnection {
  readonly #compress: boolean;
  readonly #onWritten = (): void => {
    this.onDrain();
  };

  constructor(
    id: number,
    socket: Socket,
    webSocket: WebSocket,
    listener: ConnectionListener,
    compress: boolean,
  ) {
    super(id, socket, webSocket, listener);
    this.#compress = compress;
  }

  override onDrain(): void {
    if (this.webSocket.bufferedAmount === 0) super.onDrain();
  }

  protected override send(bytes: Buffer): void {
    if (!this.#compress) this.socket.write(bytes, this.#onWritten);
    else eachWsMessage(bytes, this.#sendCompressed);
  }

  readonly #sendCompressed = (payload: Buffer, isText: boolean): void => {
    // What is compressed later must not change until then, and does not belong to this connection.
    const own = Buffer.from(payload);
    this.webSocket.send(own, { binary: !isText, compress: true }, this.#onWritten);
  };

  protected override wrote(): boolean {
    return this.settle(this.webSocket.bufferedAmount === 0);
  }
}
