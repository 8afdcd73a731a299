import { binaryHead } from '../generator/payload.ts';
import { type Addressing, type Codec, type Frame, frameOf, GROUP, type Link } from './codec.ts';

const Packet = { connect: 0x10, connectAck: 2, publish: 3, subscribe: 0x82, subscribeAck: 9 } as const;
const CLEAN_SESSION = 2;
const LENGTH_BYTES_MAX = 4;

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};

/** The length of what follows, seven bits a byte, least first. */
function lengthBytes(length: number): Buffer {
  const bytes: number[] = [];
  for (let rest = length; rest > 0 || bytes.length === 0; rest >>= 7)
    bytes.push((rest & 127) | (rest > 127 ? 128 : 0));
  return Buffer.from(bytes);
}

const packet = (first: number, rest: Buffer): Buffer =>
  Buffer.concat([Buffer.from([first]), lengthBytes(rest.length), rest]);

/** MQTT 3.1.1 with QoS 0; a user and a group are a topic each. */
export class MqttCodec implements Codec {
  readonly head = binaryHead;
  readonly replies = false;
  readonly #addressing: Addressing;

  constructor(addressing: Addressing) {
    this.#addressing = addressing;
  }

  hello(id: number, receives: boolean): Buffer {
    const level = Buffer.from([4, CLEAN_SESSION, 0, 0]); // 3.1.1, no keep-alive
    const connect = packet(Packet.connect, Buffer.concat([text('MQTT'), level, text(`c${id}`)]));
    if (!receives) return connect;
    const filter = Buffer.concat([Buffer.from([0, 1]), text(this.#topic(id)), Buffer.from([0])]);
    return Buffer.concat([connect, packet(Packet.subscribe, filter)]);
  }

  frame(_id: number, to: number, size: number): Frame {
    const topic = text(this.#topic(to));
    const before = Buffer.concat([
      Buffer.from([Packet.publish << 4]),
      lengthBytes(topic.length + size),
      topic,
    ]);
    return frameOf(before, size);
  }

  scan(link: Link, buf: Buffer, start: number, end: number): number {
    let at = start;
    while (end - at >= 2) {
      let length = 0;
      let body = at + 1;
      let byte = 128;
      for (let shift = 0; byte >= 128 && body < end; shift += 7) {
        if (body - at > LENGTH_BYTES_MAX) throw new Error('a bad length');
        byte = buf[body++]!;
        length |= (byte & 127) << shift;
      }
      if (byte >= 128 || end - body < length) break;
      const type = buf[at]! >> 4;
      if (type === Packet.publish) link.message(buf, body + 2 + ((buf[body]! << 8) | buf[body + 1]!));
      else if (type === Packet.connectAck) this.#connected(link, buf[body + 1]!);
      else if (type === Packet.subscribeAck) link.ready();
      else throw new Error(`a packet of type ${type}`);
      at = body + length;
    }
    return at;
  }

  /** A receiver is ready when its subscription is: in `hello` it sent that right behind. */
  #connected(link: Link, code: number): void {
    if (code !== 0) throw new Error(`refused: ${code}`);
    if (!link.receives) link.ready();
  }

  #topic(user: number): string {
    return this.#addressing === 'group' ? `g.${GROUP}` : `u.${user}`;
  }
}
