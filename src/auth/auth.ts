import type { UserId } from '../wire/user-id.ts';
import type { Permissions } from './permissions.ts';

/** What a connection says about itself: op 7 of comet, or the query of a messaging upgrade. */
export type Credentials = CometCredentials | MessagingCredentials;

export interface CometCredentials {
  readonly protocol: 'comet';
  /** A valid mid. */
  readonly mid: number;
  readonly mkey: string;
  readonly device?: string;
  readonly remoteAddress: string;
}

export interface MessagingCredentials {
  readonly protocol: 'messaging';
  readonly clientId: string;
  readonly token?: string;
  readonly device?: string;
  readonly remoteAddress: string;
}

/** Who a connection is, what it may do and how long. */
export interface Admission {
  readonly ok: true;
  readonly user: UserId;
  /** Absent: `defaultPermissions`. */
  readonly permissions?: Permissions;
  /** When the credentials run out, in milliseconds since 1970. Absent: never. */
  readonly expiresAt?: number;
}

export type AuthResult =
  | Admission
  /** The reason goes to the client: it must not tell what others may not know. */
  | { readonly ok: false; readonly error: 'not_authenticated' | 'banned'; readonly reason: string };

/** Decides who a connection is (docs/protocol.md, "Authentication"). */
export interface Authenticator {
  /**
   * The signal aborts when the time for authentication is over. A rejection refuses the connection
   * and is logged.
   */
  authenticate(credentials: Credentials, signal: AbortSignal): Promise<AuthResult>;
}
