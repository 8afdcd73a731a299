import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WebSocket, type ClientOptions } from 'ws';
import { encodePackage } from '../../../src/client/frames.ts';
import type { Random } from '../random.ts';
import type { Address } from '../server.ts';

/** Where the attackers are let in. */
export interface Ports {
  readonly tcp: Address;
  readonly http: Address;
  readonly tlsTcp: Address;
  readonly tlsHttp: Address;
  readonly admin: Address;
}

/** How much of everything: `small` is for every run of the tests, `full` for `npm run test:attack`. */
export interface Size {
  /** Sockets of an abuse that needs many. */
  readonly sockets: number;
  /** Connections opened and cut, one after another. */
  readonly churn: number;
  /** Frames and texts with random changes. */
  readonly mutations: number;
  /** Bytes sent to each client that does not read. */
  readonly unreadBytes: number;
  /** Seconds that the server gives for authentication, and to a silent client: attackers must keep up. */
  readonly authTimeout: number;
  readonly idleTimeout: number;
}

export type PortName = 'tcp' | 'http' | 'tlsTcp' | 'tlsHttp' | 'admin';

/** What the server was started with. */
export interface ArenaLimits {
  readonly addressConnectionsMax: number;
  readonly connectionsMax: number;
  /** Of the rate of a connection. */
  readonly burst: number;
}

/** What all abuses share: the server's ports, and an eye on every byte that an attacker gets. */
export class Arena {
  readonly ports: Ports;
  readonly size: Size;
  readonly random: Random;
  /** A group of others. */
  readonly gid: number;
  readonly adminToken: string;
  readonly limits: ArenaLimits;
  /** Stands in every message of others. */
  readonly #canary: Buffer;
  readonly #kept: (() => Promise<void>)[] = [];
  #leaks = 0;
  #receivedBytes = 0;
  #lastMid = 100;

  constructor(
    ports: Ports,
    size: Size,
    random: Random,
    limits: ArenaLimits,
    secrets: { readonly gid: number; readonly canary: string; readonly adminToken: string },
  ) {
    this.ports = ports;
    this.size = size;
    this.random = random;
    this.gid = secrets.gid;
    this.adminToken = secrets.adminToken;
    this.limits = limits;
    this.#canary = Buffer.from(secrets.canary);
  }

  /** Chunks in which bytes of others were found. */
  get leaks(): number {
    return this.#leaks;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  mid(): number {
    this.#lastMid += 1;
    return this.#lastMid;
  }

  /** Leaves something as it is until all abuses are over. */
  keep(end: () => Promise<void>): void {
    this.#kept.push(end);
  }

  async release(): Promise<void> {
    await Promise.all(this.#kept.map((end) => end()));
  }

  /** Without a TLS handshake. */
  async openBelowTls(name: PortName, from?: string): Promise<Attacker> {
    const { host, port } = this.ports[name];
    const socket = connect({ host, port, noDelay: true, ...(from !== undefined && { localAddress: from }) });
    const attacker = new Attacker(socket, this.#watch());
    await once(socket, 'connect');
    return attacker;
  }

  /** A socket after its TCP and, on a TLS port, TLS handshake. */
  async open(name: PortName, from?: string): Promise<Attacker> {
    if (name !== 'tlsTcp' && name !== 'tlsHttp') return this.openBelowTls(name, from);
    const socket = connectTls({ ...this.ports[name], rejectUnauthorized: false });
    const attacker = new Attacker(socket, this.#watch());
    await once(socket, 'secureConnect');
    return attacker;
  }

  /** A TCP connection that op 8 was sent to. */
  async enter(name: 'tcp' | 'tlsTcp', mid = this.mid()): Promise<Attacker> {
    const attacker = await this.open(name);
    attacker.write(authFrame(mid));
    await attacker.heard();
    return attacker;
  }

  async openWebSocket(
    name: 'http' | 'tlsHttp',
    path: string,
    options: ClientOptions = {},
  ): Promise<WebSocket> {
    const { host, port } = this.ports[name];
    const url = `${name === 'http' ? 'ws' : 'wss'}://${host}:${port}${path}`;
    const socket = new WebSocket(url, { perMessageDeflate: false, rejectUnauthorized: false, ...options });
    const watch = this.#watch();
    socket.on('error', () => {}).on('message', (data) => watch(data as Buffer));
    await once(socket, 'open');
    return socket;
  }

  /** A WebSocket of comet that op 8 was sent to. */
  async enterWebSocket(
    name: 'http' | 'tlsHttp',
    encoding: 'json' | 'binary',
    mid = this.mid(),
  ): Promise<WebSocket> {
    const socket = await this.openWebSocket(name, '/sub');
    socket.send(encoding === 'json' ? `{"op":7,"body":{"mid":${mid},"mkey":""}}` : authFrame(mid));
    await nextMessage(socket);
    return socket;
  }

  #watch(): (chunk: Buffer) => void {
    let tail: Buffer = Buffer.alloc(0);
    return (chunk) => {
      this.#receivedBytes += chunk.length;
      const seen = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
      if (seen.includes(this.#canary)) this.#leaks += 1;
      tail = Buffer.from(seen.subarray(Math.max(0, seen.length - this.#canary.length + 1)));
    };
  }
}

export const authFrame = (mid: number): Buffer =>
  encodePackage({ ver: 1, op: 7, seq: 1, body: Buffer.from(`{"mid":${mid},"mkey":""}`) });

export const heartbeatFrame = (seq: number): Buffer =>
  encodePackage({ ver: 1, op: 2, seq, body: Buffer.alloc(0) });

/** What of an answer is kept: enough for a status line, or for the last frame. */
const KEPT_BYTES = 4_096;

/** A socket of somebody who does not keep to any protocol. */
export class Attacker {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #kept: Buffer = Buffer.alloc(0);
  #bytes = 0;

  constructor(socket: Socket, watch: (chunk: Buffer) => void) {
    this.socket = socket;
    socket.on('error', () => {}); // 'close' follows
    socket.on('data', (chunk: Buffer) => {
      watch(chunk);
      this.#bytes += chunk.length;
      this.#kept = Buffer.concat([this.#kept, chunk]).subarray(-KEPT_BYTES);
    });
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /** Bytes that came so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The end of what came. */
  get kept(): Buffer {
    return this.#kept;
  }

  /** HTTP status of the answer; 0 without one. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.#kept.toString('latin1'))?.[1] ?? 0);
  }

  /** Code of the op 6 that ended it; 0 without one. */
  get closeCode(): number {
    const text = this.#kept.toString('latin1');
    return Number(/\{"code":(\d+),"reason":"[^"]*"\}$/.exec(text)?.[1] ?? 0);
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Something more came, or the connection has ended. */
  async heard(): Promise<void> {
    await Promise.race([once(this.socket, 'data'), this.closed]);
  }

  /** The end of what came has this text. */
  async heardOf(text: string): Promise<void> {
    while (!this.#kept.includes(text)) await this.heard();
  }

  /** Gone without a word. */
  async cut(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}

/** The next message; rejects when the connection ends before. */
export async function nextMessage(socket: WebSocket): Promise<string> {
  const [first, reason] = (await Promise.race([once(socket, 'message'), once(socket, 'close')])) as [
    unknown,
    Buffer,
  ];
  if (typeof first === 'number') throw new Error(`closed with ${first} ${String(reason)}`);
  return String(first as Buffer);
}

/** Close code of a WebSocket. */
export async function closeCodeOf(socket: WebSocket): Promise<number> {
  if (socket.readyState === WebSocket.CLOSED) return 1006;
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

/** HTTP status that refuses an upgrade. */
export async function refusalOf(
  address: Address,
  path: string,
  headers: Record<string, string>,
): Promise<number> {
  const socket = new WebSocket(`ws://${address.host}:${address.port}${path}`, { headers });
  socket.on('error', () => {});
  const status = await Promise.race([
    once(socket, 'unexpected-response').then(
      ([, response]) => (response as { statusCode: number }).statusCode,
    ),
    once(socket, 'open').then(() => 101),
  ]);
  socket.terminate();
  return status;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
