import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import { CometClient } from './comet.ts';
import type { CometSettings } from './comet.ts';
import type { Credentials } from './encoding.ts';
import { binaryEncoding } from './encoding-binary.ts';
import { jsonEncoding } from './encoding-json.ts';
import { closedWith, type Closed } from './errors.ts';
import { decodePackages, encodePackage } from './frames.ts';
import type { Frame } from './frames.ts';
import { openWebSocket, webSocketUrl } from './open-web-socket.ts';
import type { TlsChoice } from './open-web-socket.ts';

export interface WebSocketAddress extends CometSettings {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 3102. */
  readonly port?: number;
  /** Default: json. */
  readonly encoding?: 'json' | 'binary';
  readonly tls?: TlsChoice;
}

/** Comet over a WebSocket, in either encoding. */
export class CometWebSocketClient extends CometClient {
  readonly socket: WebSocket;
  readonly #isJson: boolean;

  /** A connection that has not said who it is yet. */
  static async open(address: WebSocketAddress = {}): Promise<CometWebSocketClient> {
    const { host, port, encoding = 'json', tls, ...settings } = address;
    const opening = openWebSocket(webSocketUrl('/sub', host, port, tls), tls);
    const client = new CometWebSocketClient(opening.socket, encoding, settings);
    await opening.opened;
    return client;
  }

  static async connect(options: WebSocketAddress & Credentials): Promise<CometWebSocketClient> {
    const { mid, mkey, device, ack, notices, ...address } = options;
    const client = await CometWebSocketClient.open(address);
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

  constructor(socket: WebSocket, encoding: 'json' | 'binary', settings: CometSettings = {}) {
    super(encoding === 'json' ? jsonEncoding : binaryEncoding, settings);
    this.socket = socket;
    this.#isJson = encoding === 'json';
    socket.on('message', (data: RawData, isBinary: boolean) => this.#onMessage(data as Buffer, isBinary));
    socket.on('close', (code: number, reason: Buffer) => this.onClosed(closedWith(code, String(reason))));
  }

  override sendFrame(frame: Frame): void {
    this.sendRaw(this.#isJson ? JSON.stringify(frame) : encodePackage(frame as Frame<Uint8Array>));
  }

  override sendRaw(data: string | Uint8Array): void {
    this.socket.send(data, () => {}); // The callback takes the error of a socket that has closed.
  }

  override close(): Promise<Closed> {
    this.socket.close(1000);
    return this.closed;
  }

  override destroy(): void {
    this.socket.terminate();
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    let frames: Frame[];
    try {
      frames = isBinary ? decodePackages(data) : [JSON.parse(String(data)) as Frame];
    } catch (error) {
      this.socket.close(isBinary ? 1002 : 1007, (error as Error).message.slice(0, 100));
      return;
    }
    for (const frame of frames) this.onFrame(frame);
  }
}
