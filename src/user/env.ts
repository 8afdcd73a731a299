import type { Logger } from 'pino';
import type { Append, Store } from '../store/store.ts';
import type { UserId } from '../wire/user-id.ts';
import type { Committed, SendRequest, UserPort } from './messages.ts';
import type { Session } from './session.ts';
import type { Delivery } from './delivery.ts';

/** What the actors of one shard share: the services of its thread. */
export interface ShardEnv {
  readonly shard: number;
  readonly shards: number;
  readonly store: Store;
  readonly logger: Logger;
  readonly sessions: { get(connection: number): Session | undefined };
  readonly commits: CommitQueue;
  readonly fanouts: GroupFanouts;
  readonly publications: PublishedOutcomes;
  readonly users: UserPort;
  /** Absent: there are none. */
  readonly webhooks?: PresenceEvents | undefined;
  now(): number;
  /** The user's actor has the session: op 8 is sent, input goes on. */
  opened(session: Session): void;
  /** The session's user has cursors to save, within limits.cursorFlushMs. */
  markCursors(user: UserId): void;
  /** Wakes the feeder of a session once the gateway has taken in what is written in this tick. */
  whenWritten(session: Session): void;
  /** The gateway is behind: what can wait waits. */
  isFull(): boolean;
}

/** Whether a user has a connection, for webhooks. */
export interface PresenceEvents {
  came(user: UserId): void;
  went(user: UserId): void;
}

/** The actor that is told: its own ref. */
export interface CommitOwner {
  tell(name: 'committed', outcome: Committed): boolean;
}

/** Appends of this tick; each outcome is told to the actor that asked. */
export interface CommitQueue {
  add(append: Append, request: SendRequest, owner: CommitOwner): void;
}

/** Outcomes of messages that no connection sent. */
export interface PublishedOutcomes {
  /** Above 0: stored, with this chatId. Below 0: an error number. */
  settle(ticket: number, result: number): void;
}

/** The connections on this shard that follow a group. */
export interface GroupFanouts {
  /** The newest number that went through here; what a caught-up connection must have. */
  head(group: number): number;
  join(group: number, session: Session, delivery: Delivery): void;
  /** The user left when the group stood at `head`: what was sent before is still for it. */
  leave(group: number, session: Session, head: number): void;
}
