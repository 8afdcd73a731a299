import { isUtf8 } from 'node:buffer';
import type { ErrorCode } from '../errors.ts';
import { readChatId, readInt32 } from './frame.ts';
import { isMid, parseClientId, SYSTEM, type UserId } from './user-id.ts';

/** The conversation that op 22 and 24 are about, as one of its members names it. */
export interface Target {
  readonly isGroup: boolean;
  /** The group, or the other user. */
  readonly id: UserId;
}

/** What the first byte of a binary body says. */
const TargetKind = { user: 0, group: 1, client: 2 } as const;

/** In JSON either `with`, a mid or a client id, or `group`. */
export function parseTarget(body: Readonly<Record<string, unknown>>): Target | ErrorCode {
  const { with: other, group } = body;
  if ((other === undefined) === (group === undefined)) return 'bad_body';
  if (typeof other === 'string') return clientTarget(other);
  const id = group ?? other;
  if (typeof id !== 'number' || (id | 0) !== id) return 'bad_body';
  return numberTarget(group !== undefined, id);
}

/**
 * In binary int8 kind and int32 id at `start`. A body has `headBytes`; behind those of a string
 * client, whose id is 0, stands its name.
 */
export function parseTargetBytes(
  buf: Buffer,
  start: number,
  end: number,
  headBytes: number,
): Target | ErrorCode {
  const nameAt = start + headBytes;
  if (end < nameAt) return 'bad_body';
  const kind = buf[start];
  const id = readInt32(buf, start + 1);
  if (kind === TargetKind.client) {
    const name = buf.subarray(nameAt, end);
    return id === 0 && isUtf8(name) ? clientTarget(name.toString()) : 'bad_body';
  }
  if (end !== nameAt || (kind !== TargetKind.user && kind !== TargetKind.group)) return 'bad_body';
  return numberTarget(kind === TargetKind.group, id);
}

/** An int64 as a number; -1 unless it is 0..2^53-1. */
export function readNumber(buf: Uint8Array, at: number): number {
  const high = readInt32(buf, at);
  return high < 0 || high > 0x1f_ffff ? -1 : readChatId(buf, at);
}

/** The plain decimal form of a mid is that mid (docs/protocol.md, "Identities"). */
function clientTarget(name: string): Target | ErrorCode {
  const id = name === SYSTEM ? SYSTEM : parseClientId(name);
  return id === undefined ? 'bad_recipient' : { isGroup: false, id };
}

const numberTarget = (isGroup: boolean, id: number): Target | ErrorCode =>
  isMid(id) ? { isGroup, id } : 'bad_recipient';
