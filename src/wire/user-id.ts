import { limits } from '../limits.ts';

/** A mid, or the name of a string client (docs/protocol.md, "Identities"). */
export type UserId = number | string;

/**
 * The system: the server itself as a sender. A string client of a name that no client can have, so
 * that nobody is the system, and nobody writes to it (docs/protocol.md, "The system").
 */
export const SYSTEM = '0';

const MID_MAX = 2_147_483_647;
const CANONICAL_DECIMAL = /^[1-9][0-9]{0,9}$/;
const LONE_SURROGATE = /\p{Surrogate}/u;
const PRINTABLE = /^[^\p{Other}\p{Line_Separator}\p{Paragraph_Separator}]+$/u;

/** Whether this is a mid or a gid: an int32 above 0. */
export function isMid(n: unknown): n is number {
  return typeof n === 'number' && (n | 0) === n && n > 0;
}

/**
 * The user that a messaging client id names. The canonical decimal form of a mid is that mid;
 * "021" is a string client. Undefined for '', '0', over 128 characters, or a broken character.
 */
export function parseClientId(s: string): UserId | undefined {
  if (CANONICAL_DECIMAL.test(s)) {
    const mid = Number(s);
    return mid <= MID_MAX ? mid : s;
  }
  if (s === '' || s === '0' || charsOver(s, limits.clientIdCharsMax)) return undefined;
  return LONE_SURROGATE.test(s) ? undefined : s;
}

/**
 * Order of users: mids before string clients, mids by value, strings by code unit. The system comes
 * last: it owns no pair, so that what it tells everybody is not numbered in one place.
 */
export function compareUsers(a: UserId, b: UserId): number {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1;
  if (typeof b === 'number') return 1;
  if (a === SYSTEM || b === SYSTEM) return Number(a === SYSTEM) - Number(b === SYSTEM);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether this names a device: 1..64 printable characters. */
export function isDevice(s: unknown): s is string {
  return typeof s === 'string' && PRINTABLE.test(s) && !charsOver(s, limits.deviceCharsMax);
}

/** Counts characters as code points, but only where code units could mislead. */
function charsOver(s: string, max: number): boolean {
  if (s.length <= max) return false;
  if (s.length > max * 2) return true;
  let chars = 0;
  for (const _ of s) chars += 1;
  return chars > max;
}
