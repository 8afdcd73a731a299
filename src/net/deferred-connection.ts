import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { eachWsMessage } from '../wire/ws-frame.ts';
import { TcpConnection, WebSocketConnection, type ConnectionListener } from './connection.ts';

/*
 * Connections whose bytes never go to the kernel within the call: TLS finishes each write a moment
 * later, compression begins it later. A write is taken when its callback says so and nothing else
 * waits; `drain` of the socket alone would say less than that. TLS calls back within the tick, before
 * the shard hears that its slab was taken in: only what is not back by then is reported.
 */

/** TCP with TLS. */
export class DeferredTcpConnection extends TcpConnection {
  #isDeferred = false;
  readonly #onWritten = (): void => {
    this.onDrain();
  };

  override onDrain(): void {
    if (this.socket.writableLength === 0) super.onDrain();
  }

  override expire(): void {
    this.#isDeferred = false;
    this.settle(this.socket.writableLength === 0);
  }

  protected override send(bytes: Buffer): void {
    this.socket.write(bytes, this.#onWritten);
  }

  protected override wrote(): boolean {
    if (!this.#isDeferred) this.listener.deferred(this);
    this.#isDeferred = true;
    return false; // the bytes may still be looked at
  }
}

/** A WebSocket with TLS, with compression, or with both. */
export class DeferredWebSocketConnection extends WebSocketConnection {
  readonly #compress: boolean;
  #isDeferred = false;
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

  override expire(): void {
    this.#isDeferred = false;
    this.settle(this.webSocket.bufferedAmount === 0);
  }

  // These wait as well, and may be the last to be written: without a callback nobody would look again.
  override ping(): void {
    this.webSocket.ping(undefined, false, this.#onWritten);
  }

  override pong(data: Buffer): void {
    this.webSocket.pong(data, false, this.#onWritten);
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
    if (!this.#isDeferred) this.listener.deferred(this);
    this.#isDeferred = true;
    return false;
  }
}
