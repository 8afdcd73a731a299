import { groupOf, pairOf } from '../store/conversation.ts';
import type { Cursor, UserRecord } from '../store/store.ts';
import type { UserId } from '../wire/user-id.ts';
import { ConversationState, PairState } from './conversation-state.ts';
import { Mailbox } from './mailbox.ts';
import type { Session } from './session.ts';

/** The state of a user's actor: its connections, its conversations, its mailbox. */
export class UserState {
  readonly id: UserId;
  readonly sessions: Session[] = [];
  /** The store was asked for all conversations, and what came since is known. */
  listed = false;
  mailbox: Mailbox | undefined;
  // Most users in memory are idle: what they need for talking is made when they talk.
  #pairs: Map<UserId, PairState> | undefined;
  #groups: Map<number, ConversationState> | undefined;
  #saved: Map<string, Cursor> | undefined;

  constructor(id: UserId, record: UserRecord | undefined) {
    this.id = id;
    for (const cursor of record?.cursors ?? []) (this.#saved ??= new Map()).set(cursor.key, cursor);
    // A string client has a mailbox from the start, a mid from its first messaging connection.
    if (typeof id === 'string' || record?.mailbox === true) this.mailbox = new Mailbox();
  }

  pairs(): Iterable<PairState> {
    return this.#pairs?.values() ?? [];
  }

  groups(): Iterable<ConversationState> {
    return this.#groups?.values() ?? [];
  }

  *conversations(): Generator<ConversationState> {
    yield* this.pairs();
    yield* this.groups();
  }

  findPair(other: UserId): PairState | undefined {
    return this.#pairs?.get(other);
  }

  findGroup(group: number): ConversationState | undefined {
    return this.#groups?.get(group);
  }

  /** The conversation with another user, from its first mention on. */
  pair(other: UserId): PairState {
    const pairs = (this.#pairs ??= new Map());
    let pair = pairs.get(other);
    if (pair === undefined) {
      const conversation = pairOf(this.id, other);
      pair = new PairState(conversation, this.#saved?.get(conversation.key), 0);
      pairs.set(other, pair);
    }
    return pair;
  }

  /** A group that the user is a member of since its message `joinedAt`. */
  group(group: number, joinedAt: number): ConversationState {
    const groups = (this.#groups ??= new Map());
    let state = groups.get(group);
    if (state === undefined) {
      const conversation = groupOf(group);
      state = new ConversationState(conversation, this.#saved?.get(conversation.key), joinedAt);
      state.head = state.delivered;
      groups.set(group, state);
    }
    return state;
  }

  /** Leaving drops what is cached: whoever joins again starts at the head. */
  leave(group: number): void {
    this.#groups?.delete(group);
    this.#saved?.delete(groupOf(group).key);
  }
}
