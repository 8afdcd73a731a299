import { TEXT_MARK, textHead } from '../generator/payload.ts';
import { type Addressing, type Codec, type Frame, frameOf, type Link } from './codec.ts';
import { frameHead, Phase, scanFrames, textFrame, upgradeRequest } from './web-socket.ts';

/** Engine.IO 4 and Socket.IO 5 over WebSocket, as `socket-io-server.ts` is spoken to. */
const PATH = '/socket.io/?EIO=4&transport=websocket';
const Packet = { open: 0x30, ping: 0x32, message: 0x34 } as const;
const Message = { connect: 0x30, event: 0x32 } as const;
const PONG = textFrame('3');

export class SocketIoCodec implements Codec {
  readonly head = textHead;
  readonly replies = false;
  readonly #addressing: Addressing;

  constructor(addressing: Addressing) {
    this.#addressing = addressing;
  }

  hello(): Buffer {
    return upgradeRequest(PATH);
  }

  frame(_id: number, to: number, size: number): Frame {
    const before = this.#addressing === 'group' ? '42["group","' : `42["user",${to},"`;
    const after = '"]';
    const head = frameHead(before.length + size + after.length);
    return frameOf(Buffer.concat([head, Buffer.from(before)]), size, after);
  }

  scan(link: Link, buf: Buffer, start: number, end: number): number {
    return scanFrames(link, buf, start, end, nothing, onText);
  }
}

/** After the upgrade the server speaks first. */
const nothing = (): void => {};

function onText(link: Link, buf: Buffer, start: number, end: number): void {
  const type = buf[start];
  if (type === Packet.message && buf[start + 1] === Message.event) {
    for (let at = start; at < end; at++) {
      if (buf[at] !== TEXT_MARK) continue;
      link.message(buf, at);
      return;
    }
  } else if (type === Packet.message && buf[start + 1] === Message.connect) {
    link.phase = Phase.ready;
    link.ready();
  } else if (type === Packet.open) {
    link.say(textFrame(`40${JSON.stringify({ user: link.id, receives: link.receives })}`));
  } else if (type === Packet.ping) link.say(PONG);
  else throw new Error(buf.toString('utf8', start, end));
}
