import type { ErrorCode } from '../errors.ts';
import { Op } from './op.ts';
import { jsonString, utf8Text } from './payload-json.ts';
import { PayloadKind, frameChatId, frameFrom, frameMsgStart, frameOp, frameTo } from './run.ts';
import { nextFrame } from './run.ts';
import type { Run } from './run.ts';

// Texts are put together by hand: every part is a number, a code of ours, or escaped already.

export function frameText(op: number, version: number, seq: number, body: string): string {
  return `{"ver":${version},"op":${op},"seq":${seq},"body":${body}}`;
}

/** Op 3: a JSON heartbeat has no body. */
export function heartbeatReplyText(version: number, seq: number): string {
  return `{"ver":${version},"op":${Op.heartbeatReply},"seq":${seq}}`;
}

/** The body of op 8, the same in both encodings. */
export function authReplyBody(result: number | ErrorCode): string {
  return typeof result === 'number' ? `{"ret":0,"mid":${result}}` : `{"ret":-1,"error":"${result}"}`;
}

/** Op 8: the mid, or why it was refused. */
export function authReplyText(version: number, seq: number, result: number | ErrorCode): string {
  return frameText(Op.authReply, version, seq, authReplyBody(result));
}

/** Op 19, 21 or 23 with ret 0. */
export function replyText(op: number, version: number, seq: number, chatId: number): string {
  return frameText(op, version, seq, `{"ret":0,"chatId":${chatId}}`);
}

/** The body of an answer with ret -1. An unknown operation's is the same in both encodings. */
export function errorReplyBody(op: number, code: ErrorCode): string {
  const hasChatId = op === Op.sendReply || op === Op.groupSendReply || op === Op.ackReply;
  return hasChatId && code !== 'unknown_operation'
    ? `{"ret":-1,"chatId":0,"error":"${code}"}`
    : `{"ret":-1,"error":"${code}"}`;
}

/** Op 19, 21, 23 or 25 with ret -1, or an unknown operation with its own op. */
export function errorReplyText(op: number, version: number, seq: number, code: ErrorCode): string {
  return frameText(op, version, seq, errorReplyBody(op, code));
}

/** Op 26: what is about to happen. */
export const noticeText = (body: string): string => frameText(Op.notice, 1, 0, body);

/** The body of op 6. */
export function closeText(code: number, reason: string): string {
  return `{"code":${code},"reason":${JSON.stringify(reason)}}`;
}

/** One op 9 with all messages of the runs (docs/protocol.md, "Operation 9"). */
export function encodeBatch(runs: readonly Run[]): string {
  return `{"ver":1,"op":9,"seq":0,"body":[${messageTexts(runs)}]}`;
}

/** The frames inside op 9 and op 25: elements of an array. */
export function messageTexts(runs: readonly Run[]): string {
  let text = '';
  let separator = '';
  for (const run of runs) {
    const { bytes, kind } = run;
    for (let at = 0; at < bytes.length;) {
      const next = nextFrame(bytes, at);
      const msg = msgText(bytes, frameMsgStart(bytes, at), next, kind);
      text +=
        `${separator}{"ver":1,"op":${frameOp(bytes, at)},"seq":0,"body":` +
        `{"chatId":${frameChatId(bytes, at)},"from":${frameFrom(bytes, at)},` +
        `"to":${frameTo(bytes, at)},"msg":${msg}}}`;
      separator = ',';
      at = next;
    }
  }
  return text;
}

/** The value of `msg`, and `enc` after it where bytes are not text. */
export function msgText(buf: Buffer, start: number, end: number, kind: PayloadKind): string {
  if (kind === PayloadKind.json) return buf.toString('utf8', start, end);
  const text = utf8Text(buf, start, end);
  if (text !== undefined) return jsonString(text);
  return `"${buf.toString('base64', start, end)}","enc":"base64"`;
}
