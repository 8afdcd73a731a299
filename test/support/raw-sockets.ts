import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { decodePackages } from '../../src/client/frames.ts';
import type { Address } from './server.ts';

/** A socket that speaks no protocol by itself, and everything that came over it. */
export class RawSocket {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly #chunks: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {}); // 'close' follows
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** HTTP status of the answer; 0 without one. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.received.toString('latin1'))?.[1] ?? 0);
  }

  /** Code of op 6 at the end of what came; 0 without one. */
  get closeCode(): number {
    const last = decodePackages(this.received).at(-1);
    return last?.op === 6 ? (JSON.parse(String(last.body)) as { code: number }).code : 0;
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }
}

/** `tls`: a handshake without any check. */
export async function openRaw({ host, port }: Address, tls = false): Promise<RawSocket> {
  const socket = tls
    ? connectTls({ host, port, rejectUnauthorized: false })
    : connect({ host, port, noDelay: true });
  const raw = new RawSocket(socket);
  await once(socket, tls ? 'secureConnect' : 'connect');
  return raw;
}
