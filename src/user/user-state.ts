import { groupOf, pairOf } from '../store/conversation.ts';
import { limits } from '../limits.ts';
import type { Cursor, UserRecord } from '../store/store.ts';
import type { UserId } from '../wire/user-id.ts';
import type { OpenAck } from './acknowledging.ts';
import { ConversationState, PairState, type FollowedGroup } from './conversation-state.ts';
import { Mailbox } from './mailbox.ts';
import type { Session } from './session.ts';

/** The state of a user's actor: its connections, its conversations, its mailbox. */
export class UserState {
  readonly id: UserId;
  readonly sessions: Session[] = [];
  /** The store was asked for all conversations, and what came since is known. */
  listed = false;
  mailbox: Mailbox | undefined;
  /** Named devices, the least recently used first. */
  devices: readonly string[];
  devicesDirty = false;
  /** Acknowledgements of this tick, to be saved and answered together. */
  acks: OpenAck[] = [];
  /** All saves of cursors that are open. */
  saving: Promise<unknown> | undefined;
  // Most users in memory are idle: what they need for talking is made when they talk.
  #pairs: Map<UserId, PairState> | undefined;
  #groups: Map<number, FollowedGroup> | undefined;
  #saved: Map<string, Cursor> | undefined;

  constructor(id: UserId, record: UserRecord | undefined) {
    this.id = id;
    this.devices = record?.devices ?? [];
    for (const cursor of record?.cursors ?? []) (this.#saved ??= new Map()).set(cursor.key, cursor);
    // A string client has a mailbox from the start, a mid from its first messaging connection.
    if (typeof id === 'string' || record?.mailbox === true) this.mailbox = new Mailbox();
  }

  pairs(): Iterable<PairState> {
    return this.#pairs?.values() ?? [];
  }

  groups(): Iterable<FollowedGroup> {
    return this.#groups?.values() ?? [];
  }

  *conversations(): Generator<ConversationState> {
    yield* this.pairs();
    yield* this.groups();
  }

  /** Runs that this user numbered are on their way to the store. */
  get isCommitting(): boolean {
    for (const pair of this.pairs()) if (pair.pending > 0) return true;
    return false;
  }

  findPair(other: UserId): PairState | undefined {
    return this.#pairs?.get(other);
  }

  findGroup(group: number): FollowedGroup | undefined {
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
  group(group: number, joinedAt: number): FollowedGroup {
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

  /** A device has connected: known from now on, in place of the one that was not used for longest. */
  useDevice(device: string): void {
    if (!this.devices.includes(device))
      for (const conversation of this.conversations()) conversation.addDevice(device);
    const devices = [...this.devices.filter((other) => other !== device), device];
    const forgotten = devices.length > limits.userDevicesMax ? devices.shift() : undefined;
    this.devices = devices;
    this.devicesDirty = true;
    if (forgotten === undefined) return;
    for (const conversation of this.conversations()) conversation.forgetDevice(forgotten);
  }

  noteSaving(saving: Promise<void>): void {
    const all = this.saving === undefined ? saving : Promise.all([this.saving, saving]);
    const forget = (): void => {
      if (this.saving === all) this.saving = undefined;
    };
    this.saving = all;
    all.then(forget, forget);
  }

  /** What is to be stored of these conversations. */
  toRecord(conversations: Iterable<ConversationState>): UserRecord {
    const cursors = [...conversations].map((conversation) => conversation.toCursor());
    return { mailbox: this.mailbox !== undefined, devices: this.devices, cursors };
  }

  /** Leaving drops what is cached: whoever joins again starts at the head. */
  leave(group: number): void {
    this.#groups?.delete(group);
    this.#saved?.delete(groupOf(group).key);
  }
}

/**
 * Whether a message of a pair is to this user. `from` is what the frame says, 0 for a string
 * client, who is named by the message's `sid`. One to oneself is to its owner.
 */
export function isToSelf(state: UserState, pair: PairState, from: number, sid: string): boolean {
  const { low, high } = pair.conversation;
  return low === high || (from > 0 ? from : sid) !== state.id;
}
