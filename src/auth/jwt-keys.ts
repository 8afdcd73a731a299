import { createPublicKey, type KeyObject } from 'node:crypto';
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { limits } from '../limits.ts';
import { fetchBounded } from './fetch-bounded.ts';

/** A key that is known from the start, and the one algorithm that is good with it. */
export interface JwtKey {
  readonly key: KeyObject | Uint8Array;
  readonly algorithm: 'HS256' | 'RS256' | 'ES256' | 'EdDSA';
}

export const publicAlgorithms = ['RS256', 'ES256', 'EdDSA'] as const;

export const secretKeys = (secrets: readonly string[]): JwtKey[] =>
  secrets.map((secret) => ({ key: Buffer.from(secret), algorithm: 'HS256' }));

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;

/**
 * The public keys, or certificates, of a PEM file. Throws an Error whose message says what is wrong
 * and shows nothing of the file.
 */
export function parsePublicKeys(pem: string): JwtKey[] {
  const blocks = [...pem.matchAll(BLOCK)];
  if (blocks.length === 0) throw new Error('there is no PEM key in it');
  if (blocks.length > limits.authSecretsMax) throw new Error(`it has over ${limits.authSecretsMax} keys`);
  return blocks.map(([block, label = '']) => {
    if (label.endsWith('PRIVATE KEY')) throw new Error('it holds a private key: give the public one');
    return keyOf(block);
  });
}

function keyOf(block: string): JwtKey {
  let key: KeyObject;
  try {
    key = createPublicKey(block);
  } catch {
    throw new Error('a PEM block in it is no public key');
  }
  const algorithm = algorithmOf(key);
  if (algorithm === undefined) {
    throw new Error('a key in it is none of RSA with 2048 bits or more, EC P-256, Ed25519');
  }
  return { key, algorithm };
}

function algorithmOf({
  asymmetricKeyType,
  asymmetricKeyDetails,
}: KeyObject): JwtKey['algorithm'] | undefined {
  if (asymmetricKeyType === 'ed25519') return 'EdDSA';
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'rsa' && modulusLength >= 2_048) return 'RS256';
  return asymmetricKeyType === 'ec' && namedCurve === 'prime256v1' ? 'ES256' : undefined;
}

function isKeySet(text: string): boolean {
  try {
    return Array.isArray((JSON.parse(text) as { keys?: unknown } | null)?.keys);
  } catch {
    return false;
  }
}

/**
 * The keys behind a URL, fetched when they are needed. A key that is not in the set has it fetched
 * again, but not in every limits.jwksCooldownMs; a failure is tried again after limits.jwksRetryMs.
 */
export function remoteKeys(url: URL): JWTVerifyGetKey {
  let failedAt = Number.NEGATIVE_INFINITY;
  return createRemoteJWKSet(url, {
    timeoutDuration: limits.jwksTimeoutMs,
    cacheMaxAge: limits.jwksCacheMs,
    cooldownDuration: limits.jwksCooldownMs,
    [customFetch]: async (target, { headers, signal }) => {
      if (performance.now() - failedAt < limits.jwksRetryMs) throw new Error('the key set is unavailable');
      failedAt = performance.now(); // until it is known to be good
      const { status, text } = await fetchBounded(target, { headers, signal }, limits.jwksBytesMax);
      if (status === 200 && isKeySet(text)) failedAt = Number.NEGATIVE_INFINITY;
      return new Response(text, { status });
    },
  });
}
