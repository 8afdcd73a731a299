import { authBody, isBytes } from './encoding.ts';
import type { CometMessage, Content, ConversationName, Encoding, Notice, Reply } from './encoding.ts';
import { decodePackages } from './frames.ts';
import type { Frame } from './frames.ts';
import { op } from './ops.ts';

const numberReplies = new Set<number>([op.sendReply, op.groupSendReply, op.ackReply]);

export const binaryEncoding: Encoding = {
  auth: (credentials) => Buffer.from(JSON.stringify(authBody(credentials))),
  empty: () => Buffer.alloc(0),
  send(from, to, content) {
    const head = Buffer.alloc(8);
    head.writeInt32BE(from, 0);
    head.writeInt32BE(to, 4);
    return Buffer.concat([head, contentBytes(content)]);
  },
  ack(of, chatId) {
    const number = Buffer.alloc(8);
    number.writeBigInt64BE(BigInt(chatId));
    const [head, name] = nameBytes(of);
    return Buffer.concat([head, number, name]);
  },
  history(of, { after = 0, before = 0, limit = 0, order = 'oldest' }) {
    const range = Buffer.alloc(21);
    range.writeBigInt64BE(BigInt(after), 0);
    range.writeBigInt64BE(BigInt(before), 8);
    range.writeInt32BE(limit, 16);
    range.writeInt8(order === 'newest' ? 1 : 0, 20);
    const [head, name] = nameBytes(of);
    return Buffer.concat([head, range, name]);
  },
  page(frame) {
    const body = frame.body as Buffer;
    if (body.readInt8(0) !== 0) return 'refused';
    return {
      messages: decodePackages(body.subarray(10)).map(readMessage),
      last: Number(body.readBigInt64BE(1)),
      more: body.readInt8(9) === 1,
    };
  },
  reply(frame) {
    const body = frame.body as Buffer;
    if (!numberReplies.has(frame.op)) return JSON.parse(String(body)) as Reply;
    if (body.length !== 9) throw new Error(`the body of op ${frame.op} has ${body.length} bytes, not 9`);
    return { ret: body.readInt8(0), chatId: Number(body.readBigInt64BE(1)) };
  },
  notice: (frame) => JSON.parse(String(frame.body)) as Notice,
  messages: (frame) => decodePackages(frame.body as Buffer).map(readMessage),
};

/** What a body begins with, int8 kind and int32 id, and what it ends with: a name. */
function nameBytes(of: ConversationName): [head: Buffer, name: Buffer] {
  const head = Buffer.alloc(5);
  if ('group' in of) head.writeInt8(1, 0);
  else if (typeof of.with === 'string') head.writeInt8(2, 0);
  const id = 'group' in of ? of.group : of.with;
  if (typeof id === 'number') head.writeInt32BE(id, 1);
  return [head, Buffer.from(typeof id === 'string' ? id : '')];
}

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
