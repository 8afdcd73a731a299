import { binaryHead } from '../generator/payload.ts';
import { type Addressing, type Codec, type Frame, frameOf, GROUP, type Link } from './codec.ts';

const HEADER_BYTES = 16;
const Op = { auth: 7, authReply: 8, batch: 9, user: 18, userReply: 19, group: 20, groupReply: 21 } as const;
/** Of a message that is received: its number, sender and receiver stand before the payload. */
const RECEIVED_BYTES = 16;
const PACKAGE_BYTES_MAX = 64 << 20;

const i32 = (buf: Buffer, at: number): number =>
  (buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!;

function header(op: number, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeInt32BE(HEADER_BYTES + bodyBytes, 0);
  bytes.writeInt16BE(HEADER_BYTES, 4);
  bytes.writeInt16BE(1, 6);
  bytes.writeInt32BE(op, 8);
  bytes.writeInt32BE(1, 12);
  return bytes;
}

/** Encke's binary protocol over TCP (docs/protocol.md, "Frame"). */
export class CometCodec implements Codec {
  readonly head = binaryHead;
  readonly replies = true;
  readonly #addressing: Addressing;

  constructor(addressing: Addressing) {
    this.#addressing = addressing;
  }

  hello(id: number): Buffer {
    const body = Buffer.from(JSON.stringify({ mid: id, mkey: 'bench' }));
    return Buffer.concat([header(Op.auth, body.length), body]);
  }

  frame(id: number, to: number, size: number): Frame {
    const group = this.#addressing === 'group';
    const ends = Buffer.alloc(8);
    ends.writeInt32BE(id, 0);
    ends.writeInt32BE(group ? GROUP : to, 4);
    return frameOf(Buffer.concat([header(group ? Op.group : Op.user, 8 + size), ends]), size);
  }

  scan(link: Link, buf: Buffer, start: number, end: number): number {
    let at = start;
    while (end - at >= HEADER_BYTES) {
      const op = i32(buf, at + 8);
      if (op === Op.batch) {
        at += HEADER_BYTES; // the packages of a batch are read like any others, as they come
        continue;
      }
      const length = i32(buf, at);
      if (length < HEADER_BYTES || length > PACKAGE_BYTES_MAX)
        throw new Error(`a package of ${length} bytes`);
      if (end - at < length) break;
      const body = at + HEADER_BYTES;
      if (op === Op.user || op === Op.group) link.message(buf, body + RECEIVED_BYTES);
      else if (op === Op.userReply || op === Op.groupReply) link.reply(buf[body] === 0);
      else if (op === Op.authReply && !buf.includes('"ret":0', body)) throw new Error('refused');
      else if (op === Op.authReply) link.ready();
      else throw new Error(`operation ${op}: ${buf.toString('utf8', body, at + length)}`);
      at += length;
    }
    return at;
  }
}
