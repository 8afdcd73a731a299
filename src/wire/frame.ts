import { assert } from '../assert.ts';

/*
 * The header of a package (docs/protocol.md, "Frame"); every field is big-endian and signed.
 *
 *   0  int32  package length, the header included
 *   4  int16  header length, 16 or more
 *   6  int16  version
 *   8  int32  operation
 *  12  int32  sequence
 */
const PACKAGE_LENGTH_AT = 0;
export const HEADER_LENGTH_AT = 4;
export const VERSION_AT = 6;
export const OP_AT = 8;
export const SEQ_AT = 12;
export const HEADER_BYTES = 16;
assert(SEQ_AT + 4 === HEADER_BYTES, 'a header ends with its sequence');

/** What stands before `msg` in a received message: chatId (int64), from, to (int32). */
export const MESSAGE_HEAD_BYTES = 16;
/** What stands before `msg` in a request of op 18 or 20: from, to (int32). */
export const SEND_HEAD_BYTES = 8;
/** A whole reply of op 19 or 21: header, ret (int8), chatId (int64). */
export const REPLY_BYTES = 25;
assert(HEADER_BYTES + 1 + 8 === REPLY_BYTES, 'a reply is 9 bytes after its header');

/** The version that a push says. */
export const PUSH_VERSION = 1;

const TWO_32 = 4_294_967_296;

// Plain indexing instead of Buffer's readers and writers: those check the range and the type of
// each argument on every call. Callers have checked the offsets of the whole package once.

export function readInt16(buf: Uint8Array, at: number): number {
  return ((buf[at]! << 24) >> 16) | buf[at + 1]!;
}

export function readInt32(buf: Uint8Array, at: number): number {
  return (buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!;
}

function writeInt16(buf: Uint8Array, at: number, n: number): void {
  buf[at] = n >> 8;
  buf[at + 1] = n;
}

export function writeInt32(buf: Uint8Array, at: number, n: number): void {
  buf[at] = n >> 24;
  buf[at + 1] = n >> 16;
  buf[at + 2] = n >> 8;
  buf[at + 3] = n;
}

/** Reads an int64 that is known to be 0..2^53-1. */
export function readChatId(buf: Uint8Array, at: number): number {
  return (readInt32(buf, at) >>> 0) * TWO_32 + (readInt32(buf, at + 4) >>> 0);
}

/** Writes an int64 of 0..2^53-1 as two halves: a BigInt would be an allocation a message. */
export function writeChatId(buf: Uint8Array, at: number, n: number): void {
  writeInt32(buf, at, Math.floor(n / TWO_32));
  writeInt32(buf, at + 4, n % TWO_32);
}

/** `writeHeader` where there is a view of the buffer already. */
export function putHeader(
  view: DataView,
  at: number,
  packageLength: number,
  version: number,
  op: number,
  seq: number,
): number {
  view.setInt32(at + PACKAGE_LENGTH_AT, packageLength);
  view.setInt16(at + HEADER_LENGTH_AT, HEADER_BYTES);
  view.setInt16(at + VERSION_AT, version);
  view.setInt32(at + OP_AT, op);
  view.setInt32(at + SEQ_AT, seq);
  return at + HEADER_BYTES;
}

/** Writes a header of 16 bytes and returns the offset after it. */
export function writeHeader(
  buf: Uint8Array,
  at: number,
  packageLength: number,
  version: number,
  op: number,
  seq: number,
): number {
  writeInt32(buf, at + PACKAGE_LENGTH_AT, packageLength);
  writeInt16(buf, at + HEADER_LENGTH_AT, HEADER_BYTES);
  writeInt16(buf, at + VERSION_AT, version);
  writeInt32(buf, at + OP_AT, op);
  writeInt32(buf, at + SEQ_AT, seq);
  return at + HEADER_BYTES;
}

/** Writes a whole package of op 19 or 21 and returns the offset after it. `ret` is 0 or -1. */
export function writeReply(
  view: DataView,
  at: number,
  op: number,
  version: number,
  seq: number,
  ret: number,
  chatId: number,
): number {
  putHeader(view, at, REPLY_BYTES, version, op, seq);
  view.setInt8(at + HEADER_BYTES, ret);
  view.setInt32(at + HEADER_BYTES + 1, Math.floor(chatId / TWO_32));
  view.setInt32(at + HEADER_BYTES + 5, chatId % TWO_32);
  return at + REPLY_BYTES;
}

/** A package whose body is text: op 8, op 6, the answer to an unknown operation. Not hot. */
export function frameWithText(op: number, version: number, seq: number, text: string): Buffer {
  const packageLength = HEADER_BYTES + Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(packageLength);
  frame.write(text, writeHeader(frame, 0, packageLength, version, op, seq));
  return frame;
}
