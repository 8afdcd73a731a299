import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { decodePackages, encodePackage, PackageReader, type Frame } from '../../src/client/frames.ts';
import { within } from './comet.ts';
import type { Target } from './clients.ts';
import type { Address } from './server.ts';

/** What a goim client says in op 7. */
export interface Hello {
  readonly mid?: number;
  readonly key?: string;
  readonly room_id?: string;
  readonly platform?: string;
  readonly accepts?: readonly number[] | null;
  readonly mkey?: string;
}

export const goimKinds = ['tcp', 'ws'] as const;
export type GoimKind = (typeof goimKinds)[number];

/** A client written for goim: it has nothing of Encke's but the frame. */
export abstract class GoimConnection {
  readonly kind: GoimKind;
  /** All bytes that came and were not taken; of a WebSocket by message. */
  protected readonly chunks: Buffer[] = [];
  #ended = false;
  #wake: (() => void) | undefined;
  #pushes: Frame<Buffer>[] = [];

  /** Resolves when the server has closed; the code of a WebSocket, 0 of TCP. */
  abstract readonly closed: Promise<number>;

  constructor(kind: GoimKind) {
    this.kind = kind;
  }

  static async open(kind: GoimKind, server: Target): Promise<GoimConnection> {
    if (kind === 'tcp') {
      const socket = connect(server.tcpAddress);
      await once(socket, 'connect');
      return new GoimTcp(socket);
    }
    const { host, port } = server.httpAddress;
    const webSocket = new WebSocket(`ws://${host}:${port}/sub`, { perMessageDeflate: false });
    const connection = new GoimWebSocket(webSocket);
    await once(webSocket, 'open');
    return connection;
  }

  /** An open one: its op 8 was taken, which is empty. */
  static async connect(kind: GoimKind, server: Target, hello: Hello): Promise<GoimConnection> {
    const connection = await GoimConnection.open(kind, server);
    connection.frame(7, 1, JSON.stringify(hello));
    const { op, seq, body } = await connection.reply();
    assert.deepEqual([op, seq, body], [8, 1, '']);
    return connection;
  }

  abstract send(bytes: Buffer): void;
  abstract pause(): void;
  abstract resume(): void;
  abstract close(): void;
  /** The packages that have come whole; what a WebSocket gets in an op 9 is among them as it came. */
  protected abstract packages(): Frame<Buffer>[];

  frame(op: number, seq: number, body: string | Buffer = '', ver = 1): void {
    this.send(encodePackage({ ver, op, seq, body: Buffer.from(body) }));
  }

  /** The next package, whatever it is. */
  any(): Promise<Frame<Buffer>> {
    return this.#next();
  }

  /** The next package, which must be no push. */
  async reply(): Promise<{ ver: number; op: number; seq: number; body: string }> {
    const { body, ...head } = await this.#next();
    assert.notEqual(head.op, 9);
    return { ...head, body: body.toString() };
  }

  /** The next push: `op body`. Nothing else may come before it. */
  async push(encoding: BufferEncoding = 'utf8'): Promise<string> {
    const push = await this.next(encoding);
    assert.ok(push !== undefined, 'the next is a push');
    return push;
  }

  /** The next push; undefined if it is the reply of a heartbeat. */
  async next(encoding: BufferEncoding = 'utf8'): Promise<string | undefined> {
    while (this.#pushes.length === 0) {
      const frame = await this.#next();
      if (frame.op === 3) return undefined;
      if (this.kind === 'ws') assert.equal(frame.op, 9, 'a push over WebSocket comes in an op 9');
      this.#pushes.push(...(this.kind === 'ws' ? decodePackages(frame.body) : [frame]));
    }
    const { ver, op, seq, body } = this.#pushes.shift()!;
    assert.deepEqual([ver, seq], [1, 0]);
    return `${op} ${body.toString(encoding)}`;
  }

  /** A heartbeat there and back, which must be the next that comes; the count that it told. */
  async online(): Promise<number> {
    this.frame(2, 77, '', 0);
    const { ver, op, seq, body } = await this.#next();
    assert.deepEqual([ver, op, seq, body.length], [0, 3, 77, 4]);
    return body.readInt32BE(0);
  }

  /** Until a heartbeat tells this count: shards tell each other within a second. */
  async untilOnline(count: number): Promise<void> {
    await within(this.#untilOnline(count), `${count} online`);
  }

  async #untilOnline(count: number): Promise<void> {
    while ((await this.online()) !== count) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Exactly so many bytes, as hex; of a WebSocket the next message, which must have so many. */
  async bytes(count: number): Promise<string> {
    for (;;) {
      const [first] = this.chunks;
      if (first !== undefined && (this.kind === 'ws' || this.#length >= count)) {
        if (this.kind === 'ws') return this.chunks.shift()!.toString('hex');
        const all = Buffer.concat(this.chunks.splice(0));
        if (all.length > count) this.chunks.push(all.subarray(count));
        return all.subarray(0, count).toString('hex');
      }
      await this.#more();
    }
  }

  /** Whether bytes have come that nobody took. */
  get hasMore(): boolean {
    return this.#length > 0 || this.#pushes.length > 0;
  }

  protected got(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.#wake?.();
  }

  protected ended(): void {
    this.#ended = true;
    this.#wake?.();
  }

  readonly #frames: Frame<Buffer>[] = [];

  async #next(): Promise<Frame<Buffer>> {
    while (this.#frames.length === 0) {
      this.#frames.push(...this.packages());
      if (this.#frames.length === 0) await this.#more();
    }
    return this.#frames.shift()!;
  }

  get #length(): number {
    return this.chunks.reduce((sum, { length }) => sum + length, 0);
  }

  async #more(): Promise<void> {
    assert.ok(!this.#ended, 'the connection has ended');
    await within(new Promise<void>((resolve) => (this.#wake = resolve)), 'more bytes');
  }
}

class GoimTcp extends GoimConnection {
  readonly closed: Promise<number>;
  readonly #socket: Socket;
  readonly #reader = new PackageReader();

  constructor(socket: Socket) {
    super('tcp');
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.got(chunk));
    socket.on('error', () => undefined);
    this.closed = once(socket, 'end').then(() => {
      this.ended();
      socket.end();
      return 0;
    });
    this.closed.catch(() => undefined);
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  protected packages(): Frame<Buffer>[] {
    return this.chunks.splice(0).flatMap((chunk) => this.#reader.read(chunk));
  }
}

class GoimWebSocket extends GoimConnection {
  readonly closed: Promise<number>;
  readonly #webSocket: WebSocket;

  constructor(webSocket: WebSocket) {
    super('ws');
    this.#webSocket = webSocket;
    webSocket.on('message', (data, isBinary) => {
      assert.ok(isBinary);
      this.got(data as Buffer);
    });
    webSocket.on('error', () => undefined);
    this.closed = once(webSocket, 'close').then(([code]) => {
      this.ended();
      return code as number;
    });
  }

  send(bytes: Buffer): void {
    this.#webSocket.send(bytes);
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  close(): void {
    this.#webSocket.terminate();
  }

  /** Each message must be one package, which is what goim's JavaScript client expects. */
  protected packages(): Frame<Buffer>[] {
    return this.chunks.splice(0).map((chunk) => {
      const frames = decodePackages(chunk);
      assert.equal(frames.length, 1);
      return frames[0]!;
    });
  }
}

export interface GoimAnswer {
  readonly status: number;
  readonly type: string | null;
  /** As it came: goim's programs log it. */
  readonly text: string;
}

/** A request as goim's push programs make it. */
export async function goimRequest(
  { adminAddress }: { readonly adminAddress: Address },
  method: 'GET' | 'POST',
  path: string,
  body?: string,
  headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' },
): Promise<GoimAnswer> {
  const { host, port } = adminAddress;
  const response = await fetch(`http://${host}:${port}${path}`, {
    method,
    ...(body !== undefined && { body, headers }),
  });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    text: await response.text(),
  };
}

/** A push that must be taken. */
export async function goimPush(
  server: { readonly adminAddress: Address },
  path: string,
  body: string,
): Promise<void> {
  const { status, text } = await goimRequest(server, 'POST', `/goim/push/${path}`, body);
  assert.deepEqual([status, text], [200, '{"code":0,"message":""}']);
}
