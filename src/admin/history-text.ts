import { isGroup, type Conversation } from '../store/conversation.ts';
import { messageIdOf } from '../wire/notifications.ts';
import { jsonString, utf8Text } from '../wire/payload-json.ts';
import type { HistoryPage } from '../wire/history-reply.ts';
import {
  frameChatId,
  frameFrom,
  frameMsgStart,
  nextFrame,
  Origin,
  PayloadKind,
  type Run,
} from '../wire/run.ts';
import { parseClientId, type UserId } from '../wire/user-id.ts';

/**
 * A page as JSON text, put together by hand so that a JSON `msg` stays as it was sent:
 * `{"last","more","messages":[{"chatId","from","time","msg","enc"}]}`.
 */
export function historyJson({ runs, last, more }: HistoryPage, conversation: Conversation): string {
  const messages: string[] = [];
  for (const run of runs) {
    for (let at = 0; at < run.bytes.length; at = nextFrame(run.bytes, at)) {
      messages.push(messageJson(run, at, conversation));
    }
  }
  return `{"last":${last},"more":${more},"messages":[${messages.join(',')}]}`;
}

function messageJson(run: Run, at: number, conversation: Conversation): string {
  const { bytes, kind, time } = run;
  const from = JSON.stringify(senderOf(run, at));
  const to = isGroup(conversation) ? '' : `"to":${JSON.stringify(receiverOf(run, at, conversation))},`;
  const content = contentJson(bytes, frameMsgStart(bytes, at), nextFrame(bytes, at), kind);
  const head = `"chatId":${frameChatId(bytes, at)},"from":${from},${to}`;
  return `{${head}"time":"${new Date(time).toISOString()}",${content}}`;
}

/** The system is 0, a string client its name: a frame has no room for either. */
function senderOf(run: Run, at: number): UserId {
  const from = frameFrom(run.bytes, at);
  if (from > 0 || run.origin === Origin.comet) return from;
  return parseClientId(messageIdOf(run, at).sid) ?? 0;
}

/** The other one of the pair; of notes to oneself the same. */
function receiverOf(
  run: Run,
  at: number,
  { low, high }: Exclude<Conversation, { readonly group: number }>,
): UserId {
  return senderOf(run, at) === low ? high : low;
}

function contentJson(buf: Buffer, start: number, end: number, kind: PayloadKind): string {
  if (kind === PayloadKind.json) return `"msg":${buf.toString('utf8', start, end)}`;
  const text = utf8Text(buf, start, end);
  if (text !== undefined) return `"msg":${jsonString(text)}`;
  return `"msg":"${buf.toString('base64', start, end)}","enc":"base64"`;
}
