import type { ErrorCode } from '../errors.ts';
import type { PayloadKind } from '../wire/run.ts';
import type { UserId } from '../wire/user-id.ts';

/** A message that the admin port sends. */
export interface Outgoing {
  /** A user, or SYSTEM. */
  readonly from: UserId;
  readonly kind: PayloadKind;
  readonly content: Uint8Array;
  /** Its id where a string client sends or gets it; null: each gets one of its own. */
  readonly id: string | null;
}

/** What became of a message to one receiver. */
export interface Sent {
  /** A user, or a gid. */
  readonly to: UserId;
  readonly status: SentStatus;
  /** Its number in the conversation; 0 if it failed. */
  readonly chatId: number;
  /** Connections that were given it at once. */
  readonly connections: number;
  /** Why it failed. `unavailable`: it may be stored all the same. */
  readonly error?: ErrorCode;
}

/**
 * Of a message that was not stored `failed`. The others are stored: `delivered` to one connection at
 * least; `offline`: nobody is connected; `stored`: it is not known, or those who are read too slowly.
 */
export type SentStatus = 'delivered' | 'stored' | 'offline' | 'failed';

export const sentStatuses: readonly SentStatus[] = ['delivered', 'stored', 'offline', 'failed'];

export type SentCounts = Record<SentStatus, number>;

export const noneSent = (): SentCounts => ({ delivered: 0, stored: 0, offline: 0, failed: 0 });

export interface SentToEveryone {
  /** Users that were online when it began. */
  readonly users: number;
  readonly counts: Readonly<SentCounts>;
  readonly missingShards: readonly number[];
}

/** Sends messages on the way of all messages: stored, numbered, delivered. */
export interface SendingApi {
  /**
   * In the order of `to`. EnckeError `overloaded`, and nothing was sent, when too much is being sent.
   */
  toUsers(message: Outgoing, to: readonly UserId[]): Promise<readonly Sent[]>;
  toGroups(message: Outgoing, to: readonly number[]): Promise<readonly Sent[]>;
  toEveryone(message: Outgoing): Promise<SentToEveryone>;
}
