import { limits } from '../limits.ts';
import { parseClientId, type UserId } from '../wire/user-id.ts';
import type { AuthResult, Credentials } from './auth.ts';

/** Credentials as the providers see them, whatever the protocol. */
export interface Claimed {
  /** Who the connection says it is. */
  readonly user: UserId;
  /** `mkey` of op 7, or the messaging token; empty if there is none. */
  readonly token: string;
}

/** Undefined: nobody can have this name, or the token is longer than any. */
export function claimedBy(credentials: Credentials): Claimed | undefined {
  const isComet = credentials.protocol === 'comet';
  const user = isComet ? credentials.mid : parseClientId(credentials.clientId);
  const token = isComet ? credentials.mkey : (credentials.token ?? '');
  if (user === undefined || token.length > limits.mkeyBytesMax) return undefined;
  return { user, token };
}

/** What every refusal tells: why, but nothing about other users or about the secrets. */
export function refusal(why: 'wrong' | 'expired' | 'unavailable' | 'nobody'): AuthResult {
  return { ok: false, error: 'not_authenticated', reason: reasons[why] };
}

const reasons = {
  wrong: 'the credentials are not those of this user',
  expired: 'the credentials have run out',
  unavailable: 'authentication is unavailable',
  nobody: 'no such client id',
} as const;
