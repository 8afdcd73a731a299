import { createHmac, randomBytes } from 'node:crypto';
import { limits } from '../limits.ts';
import type { Admission } from './auth.ts';
import { expiryOf } from './claims.ts';
import { mintToken, readToken } from './mac-token.ts';
import type { Permissions } from './permissions.ts';
import type { GuestSettings } from './settings.ts';

const PREFIX = 'guest:';
const NAME_BYTES = 16;

/** What a guest is told first: who it is, and with what it can come back under that name. */
export interface Welcome {
  readonly client_id: string;
  readonly token: string;
}

export interface GuestAdmission {
  readonly admission: Admission;
  readonly welcome: Welcome;
}

/**
 * Messaging clients without a `client_id` (docs/protocol.md "Guests"). Names are random, and are the
 * guests' own: nobody gets in under one without the token that was handed out with it.
 */
export class Guests {
  readonly #secrets: readonly string[];
  readonly #permissions: Permissions;

  /** Without secrets a guest cannot come back after a restart of the server. */
  constructor({ publish, secrets }: GuestSettings) {
    const random = randomBytes(32).toString('hex');
    const roots = secrets.length === 0 ? [random] : secrets;
    this.#secrets = roots.map((root) => createHmac('sha256', root).update('encke guests').digest('hex'));
    this.#permissions = { groups: [], publish, broadcast: false, rateClass: 'guest' };
  }

  /** Whether only a guest can have this name. */
  static isGuest(clientId: string): boolean {
    return clientId.startsWith(PREFIX);
  }

  /** A new guest. */
  invite(): GuestAdmission {
    return this.#welcome(`${PREFIX}${randomBytes(NAME_BYTES).toString('base64url')}`);
  }

  /** One that comes back; undefined when the token is not that of the name, or too old. */
  readmit(clientId: string, token: string): GuestAdmission | undefined {
    if (token.length > limits.mkeyBytesMax) return undefined;
    const grant = readToken(token, clientId, this.#secrets);
    if (grant === undefined || expiryOf(grant.exp) <= Date.now()) return undefined;
    return this.#welcome(clientId);
  }

  #welcome(name: string): GuestAdmission {
    const exp = Math.ceil((Date.now() + limits.guestTokenMs) / 1_000);
    const token = mintToken(this.#secrets[0] as string, name, { exp });
    return {
      admission: { ok: true, user: name, permissions: this.#permissions },
      welcome: { client_id: name, token },
    };
  }
}
