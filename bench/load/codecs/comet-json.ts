import { TEXT_MARK, textHead } from '../generator/payload.ts';
import { type Addressing, type Codec, type Frame, frameOf, GROUP, type Link } from './codec.ts';
import { frameHead, Phase, scanFrames, textFrame, upgradeRequest } from './web-socket.ts';

const Op = { auth: 7, authReply: 8, batch: 9, user: 18, userReply: 19, group: 20, groupReply: 21 } as const;
/** Where the number of the operation stands in what the server writes: `{"ver":1,"op":9,`. */
const OP_AT = '{"ver":1,"op":'.length;
const [ZERO, COMMA, QUOTE, COLON, LETTER_T] = [0x30, 0x2c, 0x22, 0x3a, 0x74];

/** Encke's JSON encoding over WebSocket (docs/protocol.md, "JSON encoding"). */
export class CometJsonCodec implements Codec {
  readonly head = textHead;
  readonly replies = true;
  readonly #addressing: Addressing;
  readonly #onText: (link: Link, buf: Buffer, start: number, end: number) => void;

  constructor(addressing: Addressing, payloadBytes: number) {
    this.#addressing = addressing;
    this.#onText = (link, buf, start, end) => onText(link, buf, start, end, payloadBytes);
  }

  hello(): Buffer {
    return upgradeRequest('/sub');
  }

  frame(id: number, to: number, size: number): Frame {
    const group = this.#addressing === 'group';
    const before = `{"op":${group ? Op.group : Op.user},"seq":1,"body":{"from":${id},"to":${group ? GROUP : to},"msg":"`;
    const after = '"}}';
    const head = frameHead(before.length + size + after.length);
    return frameOf(Buffer.concat([head, Buffer.from(before)]), size, after);
  }

  scan(link: Link, buf: Buffer, start: number, end: number): number {
    return scanFrames(link, buf, start, end, authenticate, this.#onText);
  }
}

const authenticate = (link: Link): void =>
  link.say(textFrame(JSON.stringify({ op: Op.auth, seq: 1, body: { mid: link.id, mkey: 'bench' } })));

function onText(link: Link, buf: Buffer, start: number, end: number, payloadBytes: number): void {
  let op = 0;
  for (let at = start + OP_AT; at < end && buf[at] !== COMMA; at++) op = op * 10 + buf[at]! - ZERO;
  if (op === Op.batch) {
    for (let at = start; at < end; at++) {
      if (buf[at] !== TEXT_MARK) continue;
      link.message(buf, at);
      at += payloadBytes;
    }
  } else if (op === Op.userReply || op === Op.groupReply) {
    link.reply(wasTaken(buf, start, end));
  } else if (op === Op.authReply && wasTaken(buf, start, end)) {
    link.phase = Phase.ready;
    link.ready();
  } else throw new Error(buf.toString('utf8', start, end));
}

/** Whether `"ret":` is followed by 0: the first key of a reply that ends in t. */
function wasTaken(buf: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (buf[at] === LETTER_T && buf[at + 1] === QUOTE && buf[at + 2] === COLON) return buf[at + 3] === ZERO;
  }
  return false;
}
