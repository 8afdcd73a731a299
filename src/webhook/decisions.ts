import { msgText } from '../wire/comet-json-encode.ts';
import { ElementCursor, MemberCursor, memberSlice, skipSpace } from '../wire/json-slice.ts';
import { frameMsgStart, nextFrame, Origin, PayloadKind, type Run } from '../wire/run.ts';
import type { UserId } from '../wire/user-id.ts';
import { userText } from './event-json.ts';

/** What before_send says of a message. */
export type Decision =
  | { readonly type: 'allow' }
  | { readonly type: 'refuse'; readonly reason: string | undefined }
  | { readonly type: 'replace'; readonly kind: PayloadKind; readonly msg: Buffer };

const ALLOW: Decision = { type: 'allow' };
const REASON_CHARS_MAX = 256;

/** The message whose package is at `at` of a run, as before_send is asked (docs/webhooks.md, "before_send"). */
export function questionText(run: Run, at: number, from: UserId, to: UserId, isGroup: boolean): string {
  const { bytes, kind, origin } = run;
  const protocol = origin === Origin.messaging ? 'messaging' : 'comet';
  const msg = msgText(bytes, frameMsgStart(bytes, at), nextFrame(bytes, at), kind);
  const where = isGroup ? `"group":${userText(to)}` : `"to":${userText(to)}`;
  return `{"from":${userText(from)},${where},"protocol":"${protocol}","msg":${msg}}`;
}

/**
 * The decisions of an answer, one for each of `count` messages in order. Undefined when it is no
 * answer to the question. An empty one allows everything.
 */
export function readDecisions(body: Buffer, count: number, msgBytesMax: number): Decision[] | undefined {
  const text = body.toString();
  if (text === '') return Array.from({ length: count }, () => ALLOW);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const messages = isObject(value) ? value['messages'] : undefined;
  if (!Array.isArray(messages) || messages.length !== count) return undefined;
  const elements = new ElementCursor(text, memberSlice(text, skipSpace(text, 0), 'messages')!.start);
  const decisions: Decision[] = [];
  for (const message of messages as unknown[]) {
    elements.next();
    const decision = isObject(message) ? readDecision(message, text, elements.start) : undefined;
    if (decision === undefined) return undefined;
    if (decision.type === 'replace' && decision.msg.length > msgBytesMax) return undefined;
    decisions.push(decision);
  }
  return decisions;
}

function readDecision(value: Record<string, unknown>, text: string, at: number): Decision | undefined {
  const { refuse, msg, enc } = value;
  if (refuse !== undefined) {
    if (refuse === true) return { type: 'refuse', reason: undefined };
    if (typeof refuse !== 'string') return undefined;
    return { type: 'refuse', reason: refuse.slice(0, REASON_CHARS_MAX) };
  }
  if (msg === undefined) return ALLOW;
  if (enc !== undefined) {
    const bytes = typeof msg === 'string' && enc === 'base64' ? Buffer.from(msg, 'base64') : undefined;
    if (bytes === undefined || bytes.toString('base64') !== msg) return undefined;
    return { type: 'replace', kind: PayloadKind.bytes, msg: bytes };
  }
  if (typeof msg === 'string') return { type: 'replace', kind: PayloadKind.text, msg: Buffer.from(msg) };
  // As it was written: numbers do not survive JSON.parse.
  const { start, end } = memberSlice(text, at, 'msg')!;
  return { type: 'replace', kind: PayloadKind.json, msg: Buffer.from(text.slice(start, end)) };
}

/** What names a message of messaging, and stays as the sender wrote it. */
const NAMES = ['id', 'sid', 'rid'];

/**
 * A message of messaging is a whole object: of the new one is taken everything but its names.
 * Undefined when it is no object.
 */
export function renamed(original: string, replacement: string): string | undefined {
  const start = skipSpace(replacement, 0);
  if (replacement[start] !== '{') return undefined;
  const members = NAMES.map((name) => {
    const { start: from, end } = memberSlice(original, skipSpace(original, 0), name)!;
    return `"${name}":${original.slice(from, end)}`;
  });
  const member = new MemberCursor(replacement, start);
  while (member.next()) {
    if (!NAMES.includes(member.key)) members.push(replacement.slice(member.keyStart, member.end));
  }
  return `{${members.join(',')}}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
