import { binaryHead } from '../generator/payload.ts';
import { type Addressing, type Codec, type Frame, frameOf, GROUP, type Link } from './codec.ts';

const LF = 0x0a;
const SPACE = 0x20;
const ZERO = 0x30;
const [M, P, I, O, MINUS] = [0x4d, 0x50, 0x49, 0x4f, 0x2d];
const END_BYTES = 2;
const PONG = Buffer.from('PONG\r\n');
const OPTIONS = { verbose: false, pedantic: false, echo: false };

/** The text protocol of NATS; a user and a group are a subject each. */
export class NatsCodec implements Codec {
  readonly head = binaryHead;
  readonly replies = false;
  readonly #addressing: Addressing;

  constructor(addressing: Addressing) {
    this.#addressing = addressing;
  }

  hello(id: number, receives: boolean): Buffer {
    const subscribe = receives ? `SUB ${this.#subject(id)} 1\r\n` : '';
    return Buffer.from(`CONNECT ${JSON.stringify(OPTIONS)}\r\n${subscribe}PING\r\n`);
  }

  frame(_id: number, to: number, size: number): Frame {
    return frameOf(`PUB ${this.#subject(to)} ${size}\r\n`, size, '\r\n');
  }

  scan(link: Link, buf: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      let lf = at;
      while (lf < end && buf[lf] !== LF) lf += 1;
      if (lf === end) break;
      if (buf[at] === M) {
        const size = lastNumber(buf, at, lf - 1);
        if (end - lf - 1 < size + END_BYTES) break;
        link.message(buf, lf + 1);
        at = lf + 1 + size + END_BYTES;
        continue;
      }
      if (buf[at] === MINUS) throw new Error(buf.toString('utf8', at, lf));
      // PONG answers the PING of hello; PING asks for life.
      if (buf[at] === P && buf[at + 1] === O && link.phase === 0) {
        link.phase = 1;
        link.ready();
      } else if (buf[at] === P && buf[at + 1] === I) link.say(PONG);
      at = lf + 1;
    }
    return at;
  }

  #subject(user: number): string {
    return this.#addressing === 'group' ? `g.${GROUP}` : `u.${user}`;
  }
}

/** The number after the last space of `MSG u.1 1 64`, whose text ends at `end`. */
function lastNumber(buf: Buffer, start: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let at = end - 1; at > start && buf[at] !== SPACE; at--, scale *= 10)
    value += (buf[at]! - ZERO) * scale;
  return value;
}
