import type { Authenticator, AuthResult, Credentials } from './auth.ts';
import { claimedBy, refusal } from './claimed.ts';
import { expiryOf } from './claims.ts';
import { readToken } from './mac-token.ts';

/** Tokens that were signed with one of the secrets: docs/auth.md "Tokens". */
export class TokenAuthenticator implements Authenticator {
  readonly #secrets: readonly string[];

  /** Any of them is good: the old one and the new one while they are changed. */
  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  authenticate(credentials: Credentials): Promise<AuthResult> {
    return Promise.resolve(this.#check(credentials));
  }

  #check(credentials: Credentials): AuthResult {
    const claimed = claimedBy(credentials);
    if (claimed === undefined) return refusal('wrong');
    const { user, token } = claimed;
    const grant = readToken(token, user, this.#secrets);
    if (grant === undefined) return refusal('wrong');
    const { exp, permissions } = grant;
    if (exp !== 0 && expiryOf(exp) <= Date.now()) return refusal('expired');
    return {
      ok: true,
      user,
      ...(permissions !== undefined && { permissions }),
      ...(exp !== 0 && { expiresAt: expiryOf(exp) }),
    };
  }
}
