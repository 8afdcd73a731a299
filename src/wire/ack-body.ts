import type { ErrorCode } from '../errors.ts';
import { parseTarget, parseTargetBytes, readNumber, type Target } from './target.ts';

/** The body of op 22: everything of the conversation up to `chatId` was received. */
export interface AckBody {
  readonly target: Target;
  readonly chatId: number;
}

/** int8 kind, int32 id, int64 chatId. */
const ACK_BYTES = 13;
const CHAT_ID_AT = 5;

/** The JSON body of op 22 (docs/protocol.md, "Operation 22"); unknown members are ignored. */
export function parseAck(body: unknown): AckBody | ErrorCode {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'bad_body';
  const members = body as Readonly<Record<string, unknown>>;
  return ackOf(parseTarget(members), members['chatId']);
}

/** The binary body of op 22 in [start, end) of `buf`. */
export function parseAckBytes(buf: Buffer, start: number, end: number): AckBody | ErrorCode {
  const target = parseTargetBytes(buf, start, end, ACK_BYTES);
  return typeof target === 'string' ? target : ackOf(target, readNumber(buf, start + CHAT_ID_AT));
}

function ackOf(target: Target | ErrorCode, chatId: unknown): AckBody | ErrorCode {
  if (typeof target === 'string') return target;
  return typeof chatId === 'number' && Number.isSafeInteger(chatId) && chatId >= 1
    ? { target, chatId }
    : 'bad_body';
}
