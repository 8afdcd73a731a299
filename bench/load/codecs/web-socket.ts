import type { Link } from './codec.ts';

/** Client side of RFC 6455, as far as the load needs it: text messages of one frame each. */
const END_OF_HEAD = '\r\n\r\n';
const FIN = 0x80;
const MASKED = 0x80;
const Opcode = { text: 1, close: 8, ping: 9, pong: 10 } as const;
const [LENGTH_16, LENGTH_64] = [126, 127];

export const Phase = { upgrading: 0, open: 1, ready: 2 } as const;

/** The request that turns a connection into a WebSocket. */
export const upgradeRequest = (path: string): Buffer =>
  Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${Buffer.alloc(16, 'k').toString('base64')}\r\nSec-WebSocket-Version: 13${END_OF_HEAD}`,
  );

/**
 * The head of a client's frame. Its mask is 0, which changes no byte: the server unmasks as always,
 * and the generator has nothing to do.
 */
export function frameHead(length: number, opcode: number = Opcode.text): Buffer {
  const first = FIN | opcode;
  const mask = [0, 0, 0, 0];
  if (length < LENGTH_16) return Buffer.from([first, MASKED | length, ...mask]);
  if (length < 65_536) return Buffer.from([first, MASKED | LENGTH_16, length >> 8, length & 255, ...mask]);
  const long = Buffer.alloc(14);
  long[0] = first;
  long[1] = MASKED | LENGTH_64;
  long.writeUInt32BE(length, 6);
  return long;
}

/** A text message, framed. */
export function textFrame(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text as string);
  return Buffer.concat([frameHead(bytes.length), bytes]);
}

/**
 * Reads the answer to the upgrade, then whole frames, and gives each text message to `onText`.
 * `onOpen` is called when the server has switched. Returns where it stopped.
 */
export function scanFrames(
  link: Link,
  buf: Buffer,
  start: number,
  end: number,
  onOpen: (link: Link) => void,
  onText: (link: Link, buf: Buffer, start: number, end: number) => void,
): number {
  let at = start;
  if (link.phase === Phase.upgrading) {
    const head = buf.subarray(start, end).indexOf(END_OF_HEAD);
    if (head < 0) return start;
    const status = buf.toString('latin1', start, start + 12);
    if (status !== 'HTTP/1.1 101') throw new Error(`the upgrade was answered with ${status}`);
    link.phase = Phase.open;
    at = start + head + END_OF_HEAD.length;
    onOpen(link);
  }
  while (end - at >= 2) {
    let length = buf[at + 1]! & 127;
    let body = at + 2;
    if (length === LENGTH_16) {
      if (end - at < 4) break;
      length = (buf[at + 2]! << 8) | buf[at + 3]!;
      body = at + 4;
    } else if (length === LENGTH_64) {
      if (end - at < 10) break;
      length = buf.readUInt32BE(at + 6);
      body = at + 10;
    }
    if (end - body < length) break;
    const opcode = buf[at]! & 15;
    if (opcode === Opcode.text) onText(link, buf, body, body + length);
    else if (opcode === Opcode.ping) link.say(pong(buf.subarray(body, body + length)));
    else if (opcode === Opcode.close) throw new Error(`closed with ${buf.readUInt16BE(body)}`);
    at = body + length;
  }
  return at;
}

const pong = (body: Buffer): Buffer => Buffer.concat([frameHead(body.length, Opcode.pong), body]);
