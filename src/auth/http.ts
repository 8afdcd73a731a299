import { createHash } from 'node:crypto';
import { z } from 'zod';
import { limits } from '../limits.ts';
import type { Authenticator, AuthResult, Credentials } from './auth.ts';
import { AdmissionCache } from './admission-cache.ts';
import { claimedBy, refusal, type Claimed } from './claimed.ts';
import { expiryOf, expirySchema, permissionsFrom, permissionsSchema } from './claims.ts';
import { fetchBounded, type Reply } from './fetch-bounded.ts';
import { Slots } from './slots.ts';

export interface HttpSettings {
  readonly url: URL;
  readonly timeoutMs: number;
  /** Sent as a bearer token, so that the service knows who asks. */
  readonly secret?: string;
}

/** docs/auth.md "HTTP": nothing else may be in it, so that a typing error does not open a door. */
const replySchema = z.strictObject({
  user: z.union([z.number(), z.string()]),
  exp: expirySchema.optional(),
  permissions: permissionsSchema.optional(),
});

/** Statuses by which the service says no; any other than 200 is a failure. */
const REFUSALS = new Set([401, 403]);

/** Asks a service of the operator's: docs/auth.md "HTTP". Whatever fails refuses. */
export class HttpAuthenticator implements Authenticator {
  readonly #settings: HttpSettings;
  readonly #slots = new Slots(limits.authHttpRequestsMax, limits.authHttpWaitingMax);
  readonly #cache = new AdmissionCache(limits.authHttpCacheMs, limits.authHttpCacheEntriesMax);

  constructor(settings: HttpSettings) {
    this.#settings = settings;
  }

  async authenticate(credentials: Credentials, signal: AbortSignal): Promise<AuthResult> {
    const claimed = claimedBy(credentials);
    if (claimed === undefined) return refusal('wrong');
    const body = bodyOf(claimed, credentials);
    // By digest: the cache holds no credentials.
    const key = createHash('sha256').update(body).digest('base64');
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const result = resultOf(claimed, await this.#ask(body, signal));
    if (result.ok) this.#cache.set(key, result);
    return result;
  }

  /** Throws when there is no answer: the gateway logs that, and refuses. */
  async #ask(body: string, signal: AbortSignal): Promise<Reply> {
    const { url, timeoutMs, secret } = this.#settings;
    await this.#slots.take(signal);
    const controller = new AbortController();
    const abort = (): void =>
      controller.abort(new Error('the authentication service did not answer in time'));
    const timer = setTimeout(abort, timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const headers = {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
      };
      const init = { method: 'POST', headers, body, signal: controller.signal };
      return await fetchBounded(url.href, init, limits.authReplyBytesMax);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      this.#slots.give();
    }
  }
}

function bodyOf({ user, token }: Claimed, { protocol, device, remoteAddress }: Credentials): string {
  return JSON.stringify({
    protocol,
    user,
    token,
    ...(device !== undefined && device !== '' && { device }),
    address: remoteAddress,
  });
}

function resultOf({ user }: Claimed, { status, text }: Reply): AuthResult {
  if (REFUSALS.has(status)) return refusal('wrong');
  if (status !== 200) throw new Error(`the authentication service answered with status ${status}`);
  const reply = replySchema.safeParse(parse(text));
  if (!reply.success) throw new Error('the authentication service gave an answer of the wrong shape');
  const { exp, permissions } = reply.data;
  // Whoever asked as 21 is 21 or nobody.
  if (reply.data.user !== user) throw new Error('the authentication service named another user');
  if (exp !== undefined && expiryOf(exp) <= Date.now()) return refusal('expired');
  return {
    ok: true,
    user,
    ...(exp !== undefined && { expiresAt: expiryOf(exp) }),
    ...(permissions !== undefined && { permissions: permissionsFrom(permissions) }),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
