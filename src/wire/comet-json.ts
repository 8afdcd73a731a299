import { closes } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { FrameFailure } from './frame-failure.ts';
import { isTooDeep } from './json-depth.ts';
import { memberSlice, skipSpace } from './json-slice.ts';
import { Op } from './op.ts';
import { PayloadKind } from './run.ts';

export { authReplyBody, authReplyText, closeText, encodeBatch, noticeText } from './comet-json-encode.ts';
export { errorReplyBody, errorReplyText, heartbeatReplyText } from './comet-json-encode.ts';
export { replyText } from './comet-json-encode.ts';

/** The body of op 18 or 20. */
export interface JsonSend {
  readonly from: number;
  readonly to: number;
  readonly kind: PayloadKind;
  readonly msg: Buffer;
}

export interface JsonRequest {
  readonly op: number;
  readonly version: number;
  readonly seq: number;
  /** As JSON.parse gives it; undefined if absent. */
  readonly body: unknown;
  /** For op 18 and 20 alone: the message, or why the body is bad. */
  readonly send: JsonSend | ErrorCode | undefined;
}

/**
 * Reads one WebSocket text message (docs/protocol.md, "JSON encoding"). What comes back has either
 * `op` or `close`.
 */
export function parseRequest(text: string): JsonRequest | FrameFailure {
  if (isTooDeep(text)) return { close: closes.notJson, detail: 'a message nests too deep' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { close: closes.notJson, detail: 'a message is not JSON' };
  }
  if (!isObject(value)) return { close: closes.notJson, detail: 'a message is not a JSON object' };
  const { op, ver: version = 1, seq = 0, body } = value;
  if (!isInt32(op)) return badRequest('op');
  if (!isInt32(version)) return badRequest('ver');
  if (!isInt32(seq)) return badRequest('seq');
  const isSend = op === Op.send || op === Op.groupSend;
  return { op, version, seq, body, send: isSend ? parseSend(body, text) : undefined };
}

/** The body of op 18 or 20 (docs/protocol.md, "Operation 18"). */
function parseSend(body: unknown, text: string): JsonSend | ErrorCode {
  if (!isObject(body)) return 'bad_body';
  const { from, to, msg, enc } = body;
  if (!isInt32(from) || !isInt32(to) || msg === undefined) return 'bad_body';
  if (enc !== undefined) {
    const bytes = enc === 'base64' && typeof msg === 'string' ? base64Bytes(msg) : undefined;
    return bytes === undefined ? 'bad_body' : { from, to, kind: PayloadKind.bytes, msg: bytes };
  }
  // Half a surrogate pair has no UTF-8; Buffer.from writes U+FFFD in its place.
  if (typeof msg === 'string') return { from, to, kind: PayloadKind.text, msg: Buffer.from(msg) };
  return { from, to, kind: PayloadKind.json, msg: Buffer.from(rawMsg(text)) };
}

/** The text of body.msg as it was sent. */
function rawMsg(text: string): string {
  const body = memberSlice(text, skipSpace(text, 0), 'body')!;
  const msg = memberSlice(text, body.start, 'msg')!;
  return text.slice(msg.start, msg.end);
}

/** Undefined unless it is base64 with its padding: Buffer.from takes anything. */
function base64Bytes(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isInt32(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value;
}

function badRequest(field: string): FrameFailure {
  return { close: closes.badRequest, detail: `${field} is not an int32` };
}
