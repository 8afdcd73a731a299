import type { UserId } from '../wire/user-id.ts';

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

export type AuthResult =
  | { readonly ok: true; readonly user: UserId }
  /** The reason goes to the client: it must not tell what others may not know. */
  | { readonly ok: false; readonly error: 'not_authenticated'; readonly reason: string };

/** Decides who a connection is (docs/protocol.md, "Authentication"). */
export interface Authenticator {
  /**
   * The signal aborts when the time for authentication is over. A rejection refuses the connection
   * and is logged.
   */
  authenticate(credentials: Credentials, signal: AbortSignal): Promise<AuthResult>;
}
