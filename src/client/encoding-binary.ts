import { authBody, isBytes } from './encoding.ts';
import type { CometMessage, Content, Encoding, Reply } from './encoding.ts';
import { decodePackages } from './frames.ts';
import type { Frame } from './frames.ts';
import { op } from './ops.ts';

export const binaryEncoding: Encoding = {
  auth: (credentials) => Buffer.from(JSON.stringify(authBody(credentials))),
  empty: () => Buffer.alloc(0),
  send(from, to, content) {
    const head = Buffer.alloc(8);
    head.writeInt32BE(from, 0);
    head.writeInt32BE(to, 4);
    return Buffer.concat([head, contentBytes(content)]);
  },
  reply(frame) {
    const body = frame.body as Buffer;
    if (frame.op !== op.sendReply && frame.op !== op.groupSendReply) return JSON.parse(String(body)) as Reply;
    if (body.length !== 9) throw new Error(`the body of op ${frame.op} has ${body.length} bytes, not 9`);
    return { ret: body.readInt8(0), chatId: Number(body.readBigInt64BE(1)) };
  },
  messages: (frame) => decodePackages(frame.body as Buffer).map(readMessage),
};

function contentBytes(content: Content): Uint8Array {
  if (isBytes(content)) return content;
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
}

function readMessage({ op: operation, body }: Frame<Buffer>): CometMessage {
  const msg = body.subarray(16);
  return {
    group: operation === op.groupSend,
    chatId: Number(body.readBigInt64BE(0)),
    from: body.readInt32BE(8),
    to: body.readInt32BE(12),
    msg,
    text: msg.toString(),
  };
}
