import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions } from 'jose';
import { z } from 'zod';
import { limits } from '../limits.ts';
import type { Authenticator, AuthResult, Credentials } from './auth.ts';
import { claimedBy, refusal, type Claimed } from './claimed.ts';
import { expiryOf, expirySchema, permissionsFrom, permissionsSchema } from './claims.ts';
import { publicAlgorithms, type JwtKey } from './jwt-keys.ts';

export interface JwtSettings {
  readonly keys: readonly JwtKey[] | JWTVerifyGetKey;
  /** One of them must be in `aud`. Absent: a token that has `aud` is for somebody else. */
  readonly audience?: string;
  readonly issuer?: string;
}

/** The claims that are read besides those that jose checks. */
const claims = z.object({ exp: expirySchema, encke: permissionsSchema.optional() });

/** JSON Web Tokens whose `sub` is the user: docs/auth.md "JWT". */
export class JwtAuthenticator implements Authenticator {
  readonly #settings: JwtSettings;

  constructor(settings: JwtSettings) {
    this.#settings = settings;
  }

  async authenticate(credentials: Credentials, signal: AbortSignal): Promise<AuthResult> {
    const claimed = claimedBy(credentials);
    if (claimed === undefined) return refusal('wrong');
    try {
      return admission(claimed, await unlessAborted(this.#verify(claimed), signal));
    } catch (error) {
      if (error instanceof errors.JWTExpired) return refusal('expired');
      // A key set that could not be fetched: the gateway logs that, and refuses.
      if (!isAnswer(error)) throw error;
      return refusal('wrong');
    }
  }

  async #verify({ user, token }: Claimed): Promise<JWTPayload> {
    const { keys, audience, issuer } = this.#settings;
    const options: JWTVerifyOptions = {
      subject: String(user),
      requiredClaims: ['exp', 'sub'],
      clockTolerance: limits.authClockToleranceMs / 1_000,
      ...(audience !== undefined && { audience }),
      ...(issuer !== undefined && { issuer }),
    };
    const payload =
      typeof keys === 'function'
        ? await verifyWithSet(token, keys, { ...options, algorithms: [...publicAlgorithms] })
        : await verifyWithAny(token, keys, options);
    // RFC 7519 4.1.3: a token that names an audience is not for those whom it does not name.
    if (audience === undefined && payload.aud !== undefined) throw new errors.JWTInvalid('aud');
    return payload;
  }
}

/** By `kid`; a token without one is tried with each key of the set that could have signed it. */
async function verifyWithSet(
  token: string,
  keys: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    let left: number = limits.authSecretsMax;
    for await (const key of error) {
      if (left-- === 0) break;
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** The first key that has signed it decides. */
async function verifyWithAny(
  token: string,
  keys: readonly JwtKey[],
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  let failure: unknown = new errors.JWSSignatureVerificationFailed();
  for (const { key, algorithm } of keys) {
    try {
      return (await jwtVerify(token, key, { ...options, algorithms: [algorithm] })).payload;
    } catch (error) {
      failure = error;
      const isOther =
        error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed;
      if (!isOther) throw error;
    }
  }
  throw failure;
}

function admission({ user }: Claimed, payload: JWTPayload): AuthResult {
  const checked = claims.safeParse(payload);
  if (!checked.success) return refusal('wrong');
  const { exp, encke } = checked.data;
  return {
    ok: true,
    user,
    expiresAt: expiryOf(exp),
    ...(encke !== undefined && { permissions: permissionsFrom(encke) }),
  };
}

/** Whether the token was looked at and found bad, by what jose throws. */
function isAnswer(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return false;
  return (
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    error.code !== 'ERR_JOSE_GENERIC'
  );
}

/** Rejects when the signal aborts first. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(new Error('no answer in time'));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}
