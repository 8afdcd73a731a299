import { createHmac } from 'node:crypto';

/** A secret in this form is base64 behind the prefix; any other is its own UTF-8 bytes. */
const BASE64_PREFIX = 'whsec_';

/**
 * Signs requests in the way of Standard Webhooks: HMAC-SHA-256 of `id.timestamp.body`, with each
 * secret, so that secrets can be changed one side after the other (docs/webhooks.md, "Signature").
 */
export class Signer {
  readonly #keys: readonly Buffer[];

  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map(keyOf);
  }

  /** The headers of a request; `now` is in milliseconds since 1970. */
  headers(id: string, body: Buffer, now: number): Record<string, string> {
    const timestamp = String(Math.floor(now / 1_000));
    const head = { 'webhook-id': id, 'webhook-timestamp': timestamp };
    if (this.#keys.length === 0) return head;
    const signatures = this.#keys.map((key) => {
      const hmac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body);
      return `v1,${hmac.digest('base64')}`;
    });
    return { ...head, 'webhook-signature': signatures.join(' ') };
  }
}

function keyOf(secret: string): Buffer {
  return secret.startsWith(BASE64_PREFIX)
    ? Buffer.from(secret.slice(BASE64_PREFIX.length), 'base64')
    : Buffer.from(secret);
}
