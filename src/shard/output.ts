import { ToGateway } from '../net/lane.ts';
import type { SlabWriter } from '../net/slab.ts';
import type { Session } from '../user/session.ts';
import { WsOpcode, writeWsHead, wsHeadBytes } from '../wire/ws-frame.ts';

/*
 * Output as it goes on sockets: for a WebSocket each message with its head, so that the gateway
 * writes bytes and knows nothing of messages. What a connection gets in a tick is one record.
 */

export type Message = string | Buffer;

/** Begins the write of `bytes` to one connection; returns where they go. */
export function beginBytes(out: SlabWriter, session: Session, bytes: number): number {
  if (!session.webSocket) return out.begin(ToGateway.write, session.connection, 1, bytes);
  const at = out.begin(ToGateway.write, session.connection, 1, wsHeadBytes(bytes) + bytes);
  return writeWsHead(out.view, at, WsOpcode.binary, bytes);
}

/** Writes messages to a WebSocket, all texts or all binary. */
export function writeMessages(
  out: SlabWriter,
  { connection }: Session,
  opcode: number,
  messages: readonly Message[],
): void {
  put(out, out.begin(ToGateway.write, connection, 1, framedBytes(messages)), opcode, messages);
}

/** Begins the same `bytes` for many connections, all of them WebSockets or none; returns where they go. */
export function beginMulticast(
  out: SlabWriter,
  type: number,
  sessions: readonly Session[],
  bytes: number,
): number {
  if (sessions[0]?.webSocket !== true) return beginMany(out, type, sessions, bytes);
  const at = beginMany(out, type, sessions, wsHeadBytes(bytes) + bytes);
  return writeWsHead(out.view, at, WsOpcode.binary, bytes);
}

/** The same texts for many connections. */
export function multicastTexts(
  out: SlabWriter,
  sessions: readonly Session[],
  texts: readonly string[],
): void {
  const at = beginMany(out, ToGateway.multicast, sessions, framedBytes(texts));
  put(out, at, WsOpcode.text, texts);
}

function beginMany(out: SlabWriter, type: number, sessions: readonly Session[], bytes: number): number {
  let at = out.begin(type, 0, sessions.length, sessions.length * 4 + bytes);
  for (const { connection } of sessions) at = out.buf.writeInt32LE(connection, at);
  return at;
}

/** Bytes of the messages that are about to be written: counted once. */
const byteLengths: number[] = [];

function framedBytes(messages: readonly Message[]): number {
  let sum = 0;
  byteLengths.length = 0;
  for (const message of messages) {
    const bytes = typeof message === 'string' ? Buffer.byteLength(message) : message.length;
    byteLengths.push(bytes);
    sum += wsHeadBytes(bytes) + bytes;
  }
  return sum;
}

/** Writes what `framedBytes` has just counted. */
function put({ buf, view }: SlabWriter, start: number, opcode: number, messages: readonly Message[]): void {
  let at = start;
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i] ?? '';
    const bytes = byteLengths[i] ?? 0;
    at = writeWsHead(view, at, opcode, bytes);
    if (typeof message !== 'string') message.copy(buf, at);
    // As many bytes as characters: all of them are ASCII, which is quicker to write.
    else if (bytes === message.length) buf.write(message, at, 'latin1');
    else buf.write(message, at);
    at += bytes;
  }
}
