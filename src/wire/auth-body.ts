import { isUtf8 } from 'node:buffer';
import { EnckeError } from '../errors.ts';
import { limits } from '../limits.ts';
import { isGoimBody, parseHello, type GoimHello } from './goim.ts';
import { isDevice, isMid } from './user-id.ts';

/** The body of op 7. */
export interface AuthBody {
  readonly mid: number;
  readonly mkey: string;
  /** Undefined: this connection is a device of its own. */
  readonly device: string | undefined;
  /** What was delivered goes by op 22 alone. */
  readonly ack: boolean;
  /** The client understands notices. */
  readonly notices: boolean;
  /** A goim client. Its mid is 0 if it said none, and may be any up to 2^53-1. */
  readonly goim?: GoimHello;
}

/** Checks the body of op 7 (docs/protocol.md, "Operation 7"); unknown keys are ignored. */
export function parseAuth(value: unknown): AuthBody | EnckeError {
  if (!isObject(value)) return new EnckeError('bad_body', 'the body of op 7 must be a JSON object');
  const { mid, mkey, device, ack = false, notices = false } = value;
  if (!isMid(mid)) return new EnckeError('bad_body', 'mid must be an integer of 1..2147483647');
  return checkRest(mid, mkey, device, ack, notices);
}

/** The body of a goim client (docs/goim.md "Authentication"): what is absent is zero or empty. */
function parseGoim(body: Record<string, unknown>): AuthBody | EnckeError {
  const { mid, mkey, device, ack = false } = body;
  const number = mid ?? 0;
  if (!Number.isSafeInteger(number) || (number as number) < 0) {
    return new EnckeError('bad_body', 'mid must be an integer of 0..2^53-1');
  }
  const goim = parseHello(body);
  if (goim instanceof EnckeError) return goim;
  const rest = checkRest(number as number, mkey ?? '', device, ack, false);
  return rest instanceof EnckeError ? rest : { ...rest, goim };
}

function checkRest(
  mid: number,
  mkey: unknown,
  device: unknown,
  ack: unknown,
  notices: unknown,
): AuthBody | EnckeError {
  if (typeof mkey !== 'string') return new EnckeError('bad_body', 'mkey must be a string');
  if (Buffer.byteLength(mkey) > limits.mkeyBytesMax) {
    return new EnckeError('bad_body', `mkey must be at most ${limits.mkeyBytesMax} bytes`);
  }
  if (device !== undefined && !isDevice(device)) {
    return new EnckeError('bad_body', 'device must be 1..64 printable characters');
  }
  if (typeof ack !== 'boolean') return new EnckeError('bad_body', 'ack must be true or false');
  if (typeof notices !== 'boolean') return new EnckeError('bad_body', 'notices must be true or false');
  return { mid, mkey, device, ack, notices };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The body of a binary op 7 in [start, end) of `buf`: the same JSON in UTF-8, or goim's. */
export function parseAuthBytes(buf: Buffer, start: number, end: number): AuthBody | EnckeError {
  const bytes = buf.subarray(start, end);
  if (!isUtf8(bytes)) return new EnckeError('bad_body', 'the body of op 7 must be UTF-8');
  try {
    const body: unknown = JSON.parse(bytes.toString());
    return isObject(body) && isGoimBody(body) ? parseGoim(body) : parseAuth(body);
  } catch {
    return new EnckeError('bad_body', 'the body of op 7 must be JSON');
  }
}
