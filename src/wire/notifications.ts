import { idString } from './json-id.ts';
import { MemberCursor, skipSpace } from './json-slice.ts';
import { Op } from './op.ts';
import { jsonString, utf8Text } from './payload-json.ts';
import { Origin, PayloadKind, frameChatId, frameFrom, frameMsgStart, frameOp } from './run.ts';
import { frameTo, nextFrame } from './run.ts';
import type { Run } from './run.ts';

const HEAD = '{"messages":[';
const TAIL = ']}';
const ENVELOPE_BYTES = HEAD.length + TAIL.length;

/** Names that the server gives to a comet message: members of its `msg` do not take their place. */
const RESERVED = new Set(['id', 'sid', 'rid', 'chatId']);

/**
 * The messages of the runs as notifications, in order (docs/protocol.md, "Notifications"). Each has
 * at most `messagesMax` messages and `bytesMax` bytes of UTF-8; a larger message goes alone.
 */
export function encodeNotifications(runs: readonly Run[], messagesMax: number, bytesMax: number): string[] {
  const texts: string[] = [];
  let text = HEAD;
  let messages = 0;
  let bytes = ENVELOPE_BYTES;
  for (const run of runs) {
    for (let at = 0; at < run.bytes.length; at = nextFrame(run.bytes, at)) {
      const message = messageText(run, at);
      const messageBytes = messageByteLength(run, at, message);
      if (messages === messagesMax || (messages > 0 && bytes + 1 + messageBytes > bytesMax)) {
        texts.push(text + TAIL);
        text = HEAD;
        messages = 0;
        bytes = ENVELOPE_BYTES;
      }
      text += messages === 0 ? message : `,${message}`;
      bytes += messages === 0 ? messageBytes : messageBytes + 1;
      messages += 1;
    }
  }
  if (messages > 0) texts.push(text + TAIL);
  return texts;
}

/** What a mailbox knows a message by, both in string form. */
export interface MessageId {
  readonly id: string;
  readonly sid: string;
}

/** The id and sid, as messaging sees them, of the message whose package is at `at` of the run. */
export function messageIdOf(run: Run, at: number): MessageId {
  if (run.origin === Origin.comet) {
    return { id: cometId(run.bytes, at), sid: String(frameFrom(run.bytes, at)) };
  }
  const text = msgString(run.bytes, at);
  const { id, sid } = JSON.parse(text) as { id: unknown; sid: unknown };
  const start = skipSpace(text, 0);
  return { id: idString(id, text, start, 'id')!, sid: idString(sid, text, start, 'sid')! };
}

function messageText(run: Run, at: number): string {
  const { bytes, origin, kind } = run;
  if (origin === Origin.messaging) return msgString(bytes, at);
  const to = frameTo(bytes, at);
  const rid = frameOp(bytes, at) === Op.groupSend ? `"#${to}"` : String(to);
  const members = contentMembers(bytes, frameMsgStart(bytes, at), nextFrame(bytes, at), kind);
  return (
    `{"id":"${cometId(bytes, at)}","sid":${frameFrom(bytes, at)},"rid":${rid},` +
    `"chatId":${frameChatId(bytes, at)}${members}}`
  );
}

function messageByteLength(run: Run, at: number, text: string): number {
  if (run.origin === Origin.comet) return Buffer.byteLength(text);
  return nextFrame(run.bytes, at) - frameMsgStart(run.bytes, at);
}

/** A comet message has no id of its own: its conversation and number make one. */
function cometId(buf: Buffer, at: number): string {
  const from = frameFrom(buf, at);
  const to = frameTo(buf, at);
  const chatId = frameChatId(buf, at);
  if (frameOp(buf, at) === Op.groupSend) return `g:${to}:${chatId}`;
  return `c:${Math.min(from, to)}:${Math.max(from, to)}:${chatId}`;
}

/** The members that `msg`, [start, end) of `buf`, becomes in messaging, each after a comma. */
export function contentMembers(buf: Buffer, start: number, end: number, kind: PayloadKind): string {
  if (kind === PayloadKind.json) {
    const json = buf.toString('utf8', start, end);
    const at = skipSpace(json, 0);
    return json[at] === '{' ? spread(json, at) : `,"text":${json}`;
  }
  const text = utf8Text(buf, start, end);
  if (text !== undefined) return `,"text":${jsonString(text)}`;
  return `,"base64":"${buf.toString('base64', start, end)}"`;
}

function spread(json: string, at: number): string {
  const member = new MemberCursor(json, at);
  let text = '';
  while (member.next()) {
    if (!RESERVED.has(member.key)) text += `,${json.slice(member.keyStart, member.end)}`;
  }
  return text;
}

function msgString(buf: Buffer, at: number): string {
  return buf.toString('utf8', frameMsgStart(buf, at), nextFrame(buf, at));
}
