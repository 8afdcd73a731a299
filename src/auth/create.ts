import type { Authenticator } from './auth.ts';
import { HttpAuthenticator } from './http.ts';
import { JwtAuthenticator } from './jwt.ts';
import { remoteKeys } from './jwt-keys.ts';
import { openAuthenticator } from './open.ts';
import type { AuthSettings, JwtAuthSettings } from './settings.ts';
import { TokenAuthenticator } from './token.ts';

/** The provider that `--auth` names: docs/auth.md. */
export function createAuthenticator(settings: AuthSettings): Authenticator {
  switch (settings.kind) {
    case 'open':
      return openAuthenticator;
    case 'token':
      return new TokenAuthenticator(settings.secrets);
    case 'jwt':
      return createJwt(settings);
    case 'http':
      return new HttpAuthenticator(settings);
  }
}

function createJwt({ keys, audience, issuer }: JwtAuthSettings): JwtAuthenticator {
  return new JwtAuthenticator({
    keys: keys instanceof URL ? remoteKeys(keys) : keys,
    ...(audience !== undefined && { audience }),
    ...(issuer !== undefined && { issuer }),
  });
}
