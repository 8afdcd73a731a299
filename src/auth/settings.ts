import type { JwtKey } from './jwt-keys.ts';

/** Who may connect, as the operator has set it: everything that is needed was read and checked. */
export type AuthSettings = OpenSettings | TokenSettings | JwtAuthSettings | HttpAuthSettings;

export interface OpenSettings {
  readonly kind: 'open';
}

export interface TokenSettings {
  readonly kind: 'token';
  /** The first mints, all of them verify. */
  readonly secrets: readonly string[];
}

export interface JwtAuthSettings {
  readonly kind: 'jwt';
  /** Keys, or where the key set is. */
  readonly keys: readonly JwtKey[] | URL;
  readonly audience?: string;
  readonly issuer?: string;
}

export interface HttpAuthSettings {
  readonly kind: 'http';
  readonly url: URL;
  readonly timeoutMs: number;
  readonly secret?: string;
}

/** Messaging without a `client_id`. */
export interface GuestSettings {
  /** They may send to users. */
  readonly publish: boolean;
  /** What their tokens are signed with. None: random ones, good until the process ends. */
  readonly secrets: readonly string[];
}
