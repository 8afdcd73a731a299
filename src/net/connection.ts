import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { closes, type CloseReason } from '../errors.ts';
import { limits } from '../limits.ts';
import { addressOf } from './address.ts';
import { cometCloseFrame, reasonText } from './close-frame.ts';
import type { Transport } from './counters.ts';

/** Why reading is paused, as bits: each cause is lifted by itself. */
export const Pause = { credit: 1, lane: 2, authentication: 4, drain: 8 } as const;

/** Told by a connection about its output; the gateway passes it on to the shard. */
export interface ConnectionListener {
  congested(connection: Connection): void;
  drained(connection: Connection): void;
  /** It will be known a moment later whether a write was taken: `expire` is to be called by then. */
  deferred(connection: Connection): void;
  /** The server ends it, with this code. */
  closing(code: number): void;
  /** Milliseconds after which a client that is closed with this code should come back; undefined: any time. */
  retryAfter?(code: number): number | undefined;
}

/**
 * A client's socket as the gateway owns it. Output is counted in writes: `taken` says how many of
 * them the kernel has taken in full, which is what "delivered" means for a client without receipts.
 */
export abstract class Connection {
  readonly id: number;
  readonly socket: Socket;
  /** The peer's address as logs, authenticators and shards get it. */
  readonly address: string;
  /** When it was accepted, in milliseconds since 1970. */
  readonly connectedAt = Date.now();
  /** The shard of its user; -1 until it is authenticated. */
  shard = -1;
  /** Bytes given to the shard that it has not handled: see limits.sessionInBytesMax. */
  inBytes = 0;
  /** Bits of Pause. */
  pauses = 0;
  ending = false;
  /** Why it ends, as this side said it. Undefined: the client left. */
  closing: Pick<CloseReason, 'code' | 'reason'> | undefined;
  /** False: a TCP client that is told by FIN alone that it is over, as goim's are. */
  saysWhy = true;
  protected accepted = 0;
  #taken = 0;
  #congested = false;
  /** The last word was said: what comes behind it is not sent. */
  #dropping = false;
  protected readonly listener: ConnectionListener;

  constructor(id: number, socket: Socket, listener: ConnectionListener) {
    this.id = id;
    this.socket = socket;
    this.address = addressOf(socket);
    this.listener = listener;
  }

  get taken(): number {
    return this.#taken;
  }

  /** There is output that the kernel has not taken. */
  get isCongested(): boolean {
    return this.#congested;
  }

  /** Output is counted from here on: what went before was the gateway's own. */
  startCounting(): void {
    this.accepted = 0;
    this.#taken = 0;
  }

  abstract readonly transport: Transport;
  /**
   * Puts bytes on the socket: WebSocket messages come with their heads. `counts`: 1, or 0 for a write
   * that is not counted. True: the bytes were copied or dropped, and may be overwritten.
   */
  abstract write(bytes: Buffer, counts: number): boolean;
  /** Sends one message of the gateway's own; `text` is for a WebSocket. */
  abstract say(message: Buffer, text: boolean): void;
  /** Tells the client why, then ends. Whatever it still sends is read and dropped. */
  abstract end(close: Pick<CloseReason, 'code' | 'reason'>): void;
  protected abstract stopReading(): void;
  protected abstract startReading(): void;

  pause(why: number): void {
    if (this.pauses === 0 && !this.ending) this.stopReading();
    this.pauses |= why;
  }

  resume(why: number): void {
    if (this.pauses === 0) return;
    this.pauses &= ~why;
    if (this.pauses === 0) this.startReading();
  }

  /** To be called when the socket's buffer has become empty. */
  onDrain(): void {
    this.#taken = this.accepted;
    if (!this.#congested || this.#dropping) return;
    this.#congested = false;
    this.listener.drained(this);
  }

  protected wrote(): boolean {
    // A write that the kernel took at once leaves nothing in the socket's own buffer.
    return this.settle(this.socket.writableLength === 0);
  }

  /** Whether everything that was written so far is with the kernel; returns it. */
  protected settle(isTaken: boolean): boolean {
    if (isTaken) this.#taken = this.accepted;
    else this.#congest();
    return isTaken;
  }

  /** Whoever was told `deferred` cannot wait any longer. */
  expire(): void {}

  /** A write that is not sent any more must not count as taken: nothing was since the last one. */
  protected drop(): boolean {
    this.#dropping = true;
    this.#congest();
    return true;
  }

  #congest(): void {
    if (this.#congested) return;
    this.#congested = true;
    this.listener.congested(this);
  }

  /** docs/protocol.md "Coming back": when a client of a server that stops should try again. */
  protected retryAfter({ code }: Pick<CloseReason, 'code'>): number | undefined {
    return this.listener.retryAfter?.(code);
  }

  /** Notes why it ends, as this side says it. */
  protected closedWith(close: Pick<CloseReason, 'code' | 'reason'>): void {
    this.closing = close;
    this.listener.closing(close.code);
  }

  /** A peer that does not close after the last word is cut off. */
  protected linger(close: Pick<CloseReason, 'code' | 'reason'>): void {
    this.ending = true;
    if (close.code !== 0) this.closedWith(close);
    this.pauses = 0;
    this.startReading();
    const timer = setTimeout(() => this.socket.destroy(), limits.lingerMs);
    this.socket.once('close', () => clearTimeout(timer));
  }
}

export class TcpConnection extends Connection {
  readonly transport = 'tcp';

  write(bytes: Buffer, counts: number): boolean {
    if (this.ending) return this.drop();
    this.accepted += counts;
    this.send(bytes);
    return this.wrote();
  }

  say(message: Buffer): void {
    this.write(message, 0);
  }

  protected send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  end(close: Pick<CloseReason, 'code' | 'reason'>): void {
    if (this.ending) return;
    // docs/protocol.md "Closing": op 6 with the reason, then FIN. Code 0: the client left first.
    if (close.code === 0 || !this.saysWhy) this.socket.end();
    else this.socket.end(cometCloseFrame(close, this.retryAfter(close)));
    this.linger(close);
  }

  protected stopReading(): void {
    this.socket.pause();
  }

  protected startReading(): void {
    this.socket.resume();
  }
}

/** The close code that the WebSocket library gives what it does not read. */
function brokenBy(code: string | undefined): Pick<CloseReason, 'code' | 'reason'> | undefined {
  if (code?.startsWith('WS_ERR_') !== true) return undefined; // the peer's reset is no word of ours
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return closes.tooBig;
  return code === 'WS_ERR_INVALID_UTF8' ? closes.notJson : closes.framing;
}

const BINARY = { binary: true, compress: false };
const TEXT = { binary: false, compress: false };

export class WebSocketConnection extends Connection {
  readonly webSocket: WebSocket;
  readonly transport = 'websocket';

  constructor(id: number, socket: Socket, webSocket: WebSocket, listener: ConnectionListener) {
    super(id, socket, listener);
    this.webSocket = webSocket;
    // ws has closed by then, with the code that says so.
    webSocket.on('error', (error: NodeJS.ErrnoException) => {
      const close = brokenBy(error.code);
      if (close !== undefined && this.closing === undefined) this.closedWith(close);
    });
  }

  write(bytes: Buffer, counts: number): boolean {
    if (this.ending || this.webSocket.readyState !== WebSocket.OPEN) return this.drop();
    this.accepted += counts;
    this.send(bytes);
    return this.wrote();
  }

  say(message: Buffer, text: boolean): void {
    if (!this.ending) this.webSocket.send(message, text ? TEXT : BINARY);
  }

  ping(): void {
    this.webSocket.ping();
  }

  pong(data: Buffer): void {
    this.webSocket.pong(data, false);
  }

  /** The library sends a message at once, as nothing is compressed: there is none to overtake. */
  protected send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  end(close: Pick<CloseReason, 'code' | 'reason'>): void {
    if (this.ending) return;
    const code = close.code === 0 ? closes.goingAway.code : close.code;
    this.webSocket.close(code, reasonText(close, this.retryAfter(close)));
    this.linger(close);
  }

  protected stopReading(): void {
    this.webSocket.pause();
  }

  protected startReading(): void {
    this.webSocket.resume();
  }
}
