import type { ErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { readInt32 } from './frame.ts';
import { parseTarget, parseTargetBytes, readNumber, type Target } from './target.ts';

/** The body of op 24: which messages of a conversation are asked for. */
export interface HistoryQuery {
  readonly target: Target;
  /** Both ends are left out: after < chatId < before. */
  readonly after: number;
  /** Infinity: up to the newest. */
  readonly before: number;
  readonly limit: number;
  readonly newestFirst: boolean;
}

/** int8 kind, int32 id, int64 after, int64 before, int32 limit, int8 order. */
const HISTORY_BYTES = 26;
const AFTER_AT = 5;
const BEFORE_AT = 13;
const LIMIT_AT = 21;
const ORDER_AT = 25;

/** The JSON body of op 24 (docs/protocol.md, "Operation 24"); unknown members are ignored. */
export function parseHistory(body: unknown): HistoryQuery | ErrorCode {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'bad_body';
  const members = body as Readonly<Record<string, unknown>>;
  const { after = 0, before = Infinity, limit = limits.historyMessages, order = 'oldest' } = members;
  const target = parseTarget(members);
  if (typeof target === 'string') return target;
  if (!isNumber(after, 0) || !(before === Infinity || isNumber(before, 1))) return 'bad_body';
  if (!isLimit(limit) || (order !== 'oldest' && order !== 'newest')) return 'bad_body';
  return { target, after, before, limit, newestFirst: order === 'newest' };
}

/** The binary body of op 24 in [start, end) of `buf`. */
export function parseHistoryBytes(buf: Buffer, start: number, end: number): HistoryQuery | ErrorCode {
  const target = parseTargetBytes(buf, start, end, HISTORY_BYTES);
  if (typeof target === 'string') return target;
  const after = readNumber(buf, start + AFTER_AT);
  const before = readNumber(buf, start + BEFORE_AT);
  const limit = readInt32(buf, start + LIMIT_AT) || limits.historyMessages;
  const order = buf[start + ORDER_AT];
  if (after < 0 || before < 0 || !isLimit(limit) || (order !== 0 && order !== 1)) return 'bad_body';
  return { target, after, before: before === 0 ? Infinity : before, limit, newestFirst: order === 1 };
}

const isNumber = (n: unknown, least: number): n is number =>
  typeof n === 'number' && Number.isSafeInteger(n) && n >= least;

const isLimit = (n: unknown): n is number => isNumber(n, 1) && n <= limits.historyMessagesMax;
