import { authBody, isBytes } from './encoding.ts';
import type { CometMessage, Encoding, JsonValue, Notice, Reply } from './encoding.ts';
import type { Frame } from './frames.ts';
import { op } from './ops.ts';

interface ReceivedBody {
  chatId: number;
  from: number;
  to: number;
  msg: JsonValue;
  enc?: string;
}

interface HistoryBody {
  error?: string;
  last?: number;
  more?: boolean;
  messages?: Frame<ReceivedBody>[];
}

export const jsonEncoding: Encoding = {
  auth: authBody,
  empty: () => undefined,
  send(from, to, content) {
    if (!isBytes(content)) return { from, to, msg: content };
    return { from, to, msg: Buffer.from(content).toString('base64'), enc: 'base64' };
  },
  ack: (of, chatId) => ({ ...of, chatId }),
  history: (of, options) => ({ ...of, ...options }),
  page(frame) {
    const { error, messages = [], last = 0, more = false } = frame.body as HistoryBody;
    return error ?? { messages: messages.map(readMessage), last, more };
  },
  reply: (frame) => frame.body as Reply,
  notice: (frame) => frame.body as Notice,
  messages: (frame) => (frame.body as Frame<ReceivedBody>[]).map(readMessage),
};

function readMessage({ op: operation, body }: Frame<ReceivedBody>): CometMessage {
  const { chatId, from, to } = body;
  const msg = body.enc === 'base64' ? Buffer.from(String(body.msg), 'base64') : body.msg;
  const text = typeof msg === 'string' || isBytes(msg) ? String(msg) : JSON.stringify(msg);
  return { group: operation === op.groupSend, chatId, from, to, msg, text };
}
