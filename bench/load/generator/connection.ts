import { connect, type Socket } from 'node:net';
import type { Codec, Frame, Link } from '../codecs/codec.ts';

/** What a connection tells the load that it is a part of. */
export interface ConnectionEvents {
  ready(connection: Connection): void;
  /** `micros`: when the bytes were read, on the generator's clock. */
  message(connection: Connection, buf: Buffer, at: number, micros: number): void;
  reply(connection: Connection, taken: boolean): void;
  failed(connection: Connection, why: string): void;
}

/**
 * All sockets read into one buffer. In front of what is read there is room for what the same socket
 * had left over before, so that the two can be scanned as one without a copy of the former.
 */
const LEFT_OVER_BYTES_MAX = 4 << 20;
const READ_BYTES = 256 << 10;
/** Of one socket, waiting to be written. */
const WAITING_BYTES_MAX = 1 << 20;
const shared = Buffer.alloc(LEFT_OVER_BYTES_MAX + READ_BYTES);
const readInto = shared.subarray(LEFT_OVER_BYTES_MAX);

/** Microseconds of the generator's clock, as payloads carry them: 32 bits. */
export const nowMicros = (): number => (performance.now() * 1_000) >>> 0;

/** One client: reads as cheaply as Node can, and writes many messages at once from one buffer. */
export class Connection implements Link {
  phase = 0;
  /** Messages sent, which is also the number of the last one. */
  sent = 0;
  /** Of them, not delivered yet. */
  inFlight = 0;
  readonly id: number;
  readonly receives: boolean;
  readonly #codec: Codec;
  readonly #events: ConnectionEvents;
  readonly #socket: Socket;
  #leftOver: Buffer | undefined;
  #leftOverBytes = 0;
  #readMicros = 0;
  #frame: Frame | undefined;
  /** So many frames side by side as are sent at once. */
  #out: Buffer | undefined;

  constructor(port: number, id: number, receives: boolean, codec: Codec, events: ConnectionEvents) {
    this.id = id;
    this.receives = receives;
    this.#codec = codec;
    this.#events = events;
    const onread = { buffer: readInto, callback: (bytes: number) => this.#read(bytes) };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
    this.#socket.once('error', ({ message }) => events.failed(this, message));
    this.#socket.once('close', () => events.failed(this, 'the server closed it'));
    this.#socket.write(codec.hello(id, receives));
  }

  /** Makes room for `count` messages in one write, to `to`. */
  prepare(to: number, size: number, count: number): void {
    this.#frame = this.#codec.frame(this.id, to, size);
    this.#out = Buffer.concat(Array.from({ length: count }, () => this.#frame!.bytes));
  }

  /** So much was sent that the socket does not take that there is no use in sending more. */
  get isCongested(): boolean {
    return this.#socket.writableLength > WAITING_BYTES_MAX;
  }

  /** Sends `count` messages in one write. */
  publish(count: number): void {
    const { bytes, payloadAt } = this.#frame!;
    // What the kernel did not take yet is still read from the buffer.
    const out = this.#socket.writableLength === 0 ? this.#out! : Buffer.from(this.#out!);
    const micros = nowMicros();
    for (let i = 0, at = payloadAt; i < count; i++, at += bytes.length) {
      this.sent += 1;
      this.#codec.head.write(out, at, this.id, this.sent, micros);
    }
    this.inFlight += count;
    this.#socket.write(out.subarray(0, count * bytes.length));
  }

  say(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  ready(): void {
    this.#events.ready(this);
  }

  message(buf: Buffer, at: number): void {
    this.#events.message(this, buf, at, this.#readMicros);
  }

  reply(taken: boolean): void {
    this.#events.reply(this, taken);
  }

  #read(bytes: number): boolean {
    this.#readMicros = nowMicros();
    const start = LEFT_OVER_BYTES_MAX - this.#leftOverBytes;
    const end = LEFT_OVER_BYTES_MAX + bytes;
    this.#leftOver?.copy(shared, start, 0, this.#leftOverBytes);
    try {
      this.#keep(this.#codec.scan(this, shared, start, end), end);
    } catch (error) {
      this.#events.failed(this, (error as Error).message);
    }
    return true;
  }

  /** Keeps what was not whole, in a buffer that grows when it has to. */
  #keep(start: number, end: number): void {
    const length = end - start;
    this.#leftOverBytes = length;
    if (length === 0) return;
    if (length > LEFT_OVER_BYTES_MAX) throw new Error(`a message of over ${LEFT_OVER_BYTES_MAX} bytes`);
    if (this.#leftOver === undefined || this.#leftOver.length < length)
      this.#leftOver = Buffer.allocUnsafeSlow(Math.max(256, length * 2));
    shared.copy(this.#leftOver, 0, start, end);
  }
}
