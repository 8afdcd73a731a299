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
  readonly pairs = new Map<UserId, PairState>();
  readonly groups = new Map<number, ConversationState>();
  /** The store was asked for all conversations, and what came since is known. */
  listed = false;
  mailbox: Mailbox | undefined;
  readonly #saved = new Map<string, Cursor>();

  constructor(id: UserId, record: UserRecord | undefined) {
    this.id = id;
    for (const cursor of record?.cursors ?? []) this.#saved.set(cursor.key, cursor);
    // A string client has a mailbox from the start, a mid from its first messaging connection.
    if (typeof id === 'string' || record?.mailbox === true) this.mailbox = new Mailbox();
  }

  pair(other: UserId): PairState {
    let pair = this.pairs.get(other);
    if (pair === undefined) {
      const conversation = pairOf(this.id, other);
      pair = new PairState(conversation, this.#saved.get(conversation.key), 0);
      this.pairs.set(other, pair);
    }
    return pair;
  }

  group(group: number, joinedAt: number): ConversationState {
    let state = this.groups.get(group);
    if (state === undefined) {
      const conversation = groupOf(group);
      state = new ConversationState(conversation, this.#saved.get(conversation.key), joinedAt);
      state.head = state.delivered;
      this.groups.set(group, state);
    }
    return state;
  }

  /** Leaving drops what is cached: whoever joins again starts at the head. */
  leave(group: number): void {
    this.groups.delete(group);
    this.#saved.delete(groupOf(group).key);
  }

  *conversations(): Generator<ConversationState> {
    yield* this.pairs.values();
    yield* this.groups.values();
  }

  /** By the conversation's key. */
  byKey(session: Session, key: string): ConversationState | undefined {
    const conversation = session.deliveries.get(key)?.conversation;
    if (conversation === undefined) return undefined;
    if ('group' in conversation) return this.groups.get(conversation.group);
    return this.pairs.get(conversation.low === this.id ? conversation.high : conversation.low);
  }
}
