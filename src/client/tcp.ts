import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CometClient } from './comet.ts';
import type { CometSettings } from './comet.ts';
import type { Credentials } from './encoding.ts';
import { binaryEncoding } from './encoding-binary.ts';
import type { Closed } from './errors.ts';
import { PackageReader, encodePackage } from './frames.ts';
import type { Frame } from './frames.ts';
import type { TlsChoice } from './open-web-socket.ts';
import { op } from './ops.ts';

export interface TcpAddress extends CometSettings {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 3101. */
  readonly port?: number;
  readonly tls?: TlsChoice;
}

/** Comet over TCP. */
export class CometTcpClient extends CometClient {
  readonly socket: Socket;
  readonly #reader = new PackageReader();
  #closed: Closed = { code: 1006, reason: '' };

  /** A connection that has not said who it is yet. */
  static async open({
    host = '127.0.0.1',
    port = 3101,
    tls = false,
    ...settings
  }: TcpAddress = {}): Promise<CometTcpClient> {
    const socket =
      tls === false
        ? connect({ host, port, noDelay: true })
        : connectTls({ host, port, ...(tls === true ? {} : tls) }).setNoDelay(true);
    await once(socket, tls === false ? 'connect' : 'secureConnect'); // rejects on 'error'
    return new CometTcpClient(socket, settings);
  }

  static async connect(options: TcpAddress & Credentials): Promise<CometTcpClient> {
    const { mid, mkey, device, ack, notices, ...address } = options;
    const client = await CometTcpClient.open(address);
    try {
      await client.authenticate({
        mid,
        ...(mkey !== undefined && { mkey }),
        ...(device !== undefined && { device }),
        ...(ack !== undefined && { ack }),
        ...(notices !== undefined && { notices }),
      });
    } catch (error) {
      client.destroy();
      throw error;
    }
    return client;
  }

  constructor(socket: Socket, settings: CometSettings = {}) {
    super(binaryEncoding, settings);
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', () => {}); // 'close' follows, and tells it
    socket.on('close', () => this.onClosed(this.#closed));
  }

  override sendFrame(frame: Frame): void {
    this.sendRaw(encodePackage(frame as Frame<Uint8Array>));
  }

  override sendRaw(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  override close(): Promise<Closed> {
    if (this.#closed.code === 1006) this.#closed = { code: 1000, reason: 'closed by this side' };
    this.socket.end();
    return this.closed;
  }

  override destroy(): void {
    this.socket.destroy();
  }

  #onData(chunk: Buffer): void {
    let frames: Frame<Buffer>[];
    try {
      frames = this.#reader.read(chunk);
    } catch (error) {
      this.#closed = { code: 1002, reason: (error as Error).message };
      this.destroy();
      return;
    }
    for (const frame of frames) {
      if (frame.op === op.end) this.#closed = JSON.parse(String(frame.body)) as Closed;
      this.onFrame(frame);
    }
  }
}
