import type { Run } from '../wire/run.ts';
import type { UserId } from '../wire/user-id.ts';
import type { Conversation } from './conversation.ts';

/** In place of the last number: whatever it is. The engine numbers such a run when it writes it. */
export const AT_END = -1;

/** One run to be put behind a conversation's last message. It is numbered already, but for AT_END. */
export interface Append {
  readonly conversation: Conversation;
  /** The number of the last message as the owner knows it; the engine refuses another one. AT_END: any. */
  readonly expectedLast: number;
  readonly run: Run;
}

export type AppendResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly error: 'conflict' | 'storage_unavailable'; readonly last: number };

export interface ReadResult {
  /** Oldest first; the first begins with message `after + 1` (or the oldest that is kept). */
  readonly runs: readonly Run[];
  /** The conversation's last message at the time of reading. */
  readonly last: number;
}

/** A conversation that a user takes part in. */
export interface Participation {
  readonly conversation: Conversation;
  readonly last: number;
  /** Of a group: the number that was last when the user joined; 0 for a pair. */
  readonly joinedAt: number;
}

export interface GroupRecord {
  readonly exists: boolean;
  /** Member -> the number that was last when it joined. */
  readonly members: ReadonlyMap<number, number>;
}

export interface GroupChange {
  readonly exists: boolean;
  readonly joined: readonly number[];
  readonly joinedAt: number;
  readonly left: readonly number[];
}

/** How far a user has come in one conversation. */
export interface Cursor {
  /** The conversation's key. */
  readonly key: string;
  /** Everything up to here was delivered to the user, on whatever connection. */
  readonly delivered: number;
  /** The same for each named device. */
  readonly devices: Readonly<Record<string, number>>;
  /** Mailbox: everything up to here is read, and so are the ranges [from, to, from, to, …] above. */
  readonly readTo: number;
  readonly read: readonly number[];
}

export interface UserRecord {
  /** Whether the user has a mailbox: messaging's unread messages. */
  readonly mailbox: boolean;
  /** Named devices, the least recently used first. */
  readonly devices: readonly string[];
  readonly cursors: readonly Cursor[];
}

/**
 * The log and what is kept beside it. Engines stand behind this one interface: all of it is
 * asynchronous and batched a tick, so that a remote one fits as well. What is of a user, group or
 * conversation is written on its own shard only, a group is read there too; the rest can be read on any shard.
 */
export interface Store {
  /**
   * Writes one tick's appends, in order. The results, one for each, mean that the durability
   * setting holds; an engine that has them at once returns them without a promise. A rejection
   * means that nothing of the batch was stored.
   */
  append(batch: readonly Append[]): readonly AppendResult[] | Promise<readonly AppendResult[]>;
  /** Messages after number `after`: at least one run if there is one, else within the bounds. */
  read(conversation: Conversation, after: number, messagesMax: number, bytesMax: number): Promise<ReadResult>;
  last(conversation: Conversation): Promise<number>;
  participations(user: UserId): Promise<readonly Participation[]>;
  user(user: UserId): Promise<UserRecord | undefined>;
  /** Replaces mailbox, devices and the given cursors, keeps the other cursors. */
  saveUser(user: UserId, change: UserRecord): void | Promise<void>;
  group(group: number): Promise<GroupRecord | undefined>;
  /** With a change comes what the event log is told of it: both are stored, or neither. */
  saveGroup(group: number, change: GroupChange, event?: Append): void | Promise<void>;
}
