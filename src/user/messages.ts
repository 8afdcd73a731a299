import { ask, tell, type PayloadArgs, type TellNames } from '../actor/index.ts';
import type { ErrorCode } from '../errors.ts';
import type { ReadResult } from '../store/store.ts';
import type { AckBody } from '../wire/ack-body.ts';
import type { HistoryQuery } from '../wire/history-body.ts';
import type { ReadItem } from '../wire/messaging.ts';
import type { Run } from '../wire/run.ts';
import type { UserId } from '../wire/user-id.ts';
import type { PairState } from './conversation-state.ts';
import type { Session } from './session.ts';

/** In place of a connection's number: the message was published by the admin port. */
export const PUBLISHED = 0;

/**
 * Where the outcome of a request goes: `count` tickets of a connection from `ticket` on. Of what was
 * PUBLISHED it goes to the publications of the owner's shard, which is where that was asked for.
 */
export interface ReplyTo {
  readonly user: UserId;
  readonly shard: number;
  readonly connection: number;
  readonly ticket: number;
  readonly count: number;
}

/** A session asks the owner of a conversation to store a run that is not numbered yet. */
export interface SendRequest {
  readonly replyTo: ReplyTo;
  readonly from: UserId;
  /** The other user, or the group. */
  readonly to: UserId;
  readonly run: Run;
  /** The sender has other connections, which are to get the messages as well. */
  readonly echo: boolean;
  /** Messaging: the message's id in its string form, by which a retry is known. */
  readonly id: string | null;
}

/** What became of a run that was handed to the store. */
export interface Committed {
  readonly request: SendRequest;
  readonly error: ErrorCode | null;
  /** Where it was not stored: the conversation's last number, -1 if the store could not say. */
  readonly last: number;
}

/** The owner of a pair gives the other user what was stored. */
export interface Deliver {
  readonly from: UserId;
  /** The other side of the conversation as the receiver of this sees it. */
  readonly other: UserId;
  readonly run: Run;
}

/** The outcome of a request, told to the user who made it. */
export interface Sent {
  readonly replyTo: ReplyTo;
  /** The other user, or the group. */
  readonly to: UserId;
  readonly isGroup: boolean;
  readonly first: number;
  /** The run itself, when the sender's other connections are to get it. Null for a group. */
  readonly run: Run | null;
}

export interface Refused {
  readonly replyTo: ReplyTo;
  readonly error: ErrorCode;
}

/** A message as it was stored already: the retry of one that is still unread. */
export interface Retried {
  readonly replyTo: ReplyTo;
  readonly chatId: number;
}

export interface Moved {
  readonly other: UserId;
  readonly head: number;
}

export interface Behind {
  readonly connection: number;
  readonly group: number;
}

export interface Attach {
  readonly connection: number;
  /** It speaks messaging: its user has a mailbox from then on, even if it is gone already. */
  readonly messaging: boolean;
}

export interface ConnectionMessage {
  readonly connection: number;
}

/** A step of reading from the log for a session that catches up. */
export interface Fed {
  readonly connection: number;
  readonly key: string;
  /** Null: the log could not be read now. */
  readonly result: ReadResult | null;
}

/** Messaging `read`: message ids, each with the sender it is narrowed to, if any. */
export interface ReadMarks {
  readonly connection: number;
  readonly items: readonly ReadItem[];
}

/** Op 22: a session of this user, on its shard, has everything of a conversation up to a number. */
export interface Acknowledge extends AckBody {
  readonly session: Session;
  readonly ticket: number;
}

/** Op 24, of a session of this user on its shard. */
export interface AskHistory {
  readonly session: Session;
  readonly ticket: number;
  readonly query: HistoryQuery;
}

/** The other user read messages of a pair that this user owns. */
export interface ReadByOther {
  readonly other: UserId;
  readonly numbers: readonly number[];
}

export interface Membership {
  readonly group: number;
  /** The group's last number when the user joined. */
  readonly joinedAt: number;
}

export interface Left {
  readonly group: number;
  /** The group's last number when the user left; 0: it is not known. */
  readonly head: number;
}

/** Unread messages that the log was searched for. */
export interface Found {
  readonly pairs: readonly { readonly pair: PairState; readonly numbers: readonly number[] }[];
}

/** What a user's actor understands: the messages of its kind. */
export const userMessages = {
  /** A connection of this user was opened or is gone. */
  attach: tell<Attach>(),
  detach: tell<ConnectionMessage>(),
  /** To the owner of a pair: number and store. */
  send: tell<SendRequest>(),
  committed: tell<Committed>(),
  /** To the receiver, and to the sender. */
  deliver: tell<Deliver>(),
  sent: tell<Sent>(),
  refused: tell<Refused>(),
  /** What was told got lost: the conversation stands here. */
  moved: tell<Moved>(),
  behind: tell<Behind>(),
  retried: tell<Retried>(),
  /** Catching up from the log. */
  feed: tell<ConnectionMessage>(),
  fed: tell<Fed>(),
  /** Messaging's read marks. */
  read: tell<ReadMarks>(),
  found: tell<Found>(),
  readByOther: tell<ReadByOther>(),
  /** Comet's receipts and history. */
  acknowledge: tell<Acknowledge>(),
  saveAcks: tell(),
  history: tell<AskHistory>(),
  /** Group membership, while the user is here. */
  joined: tell<Membership>(),
  left: tell<Left>(),
  saveCursors: tell(),
  /** Another shard came back: what it told in between may be lost. */
  resync: tell(),
  /** For tests and tools: how many connections there are. */
  connections: ask<void, number>(),
};

type UserMessages = typeof userMessages;

/** Telling users on whatever shard, for code that does not know the kind. */
export interface UserPort {
  tell<K extends TellNames<UserMessages>>(
    user: UserId,
    name: K,
    ...payload: PayloadArgs<UserMessages[K]>
  ): boolean;
  /** A user that is not in memory misses nothing: the log has it. */
  tellIfActive<K extends TellNames<UserMessages>>(
    user: UserId,
    name: K,
    ...payload: PayloadArgs<UserMessages[K]>
  ): boolean;
}
