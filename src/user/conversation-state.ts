import {
  isGroup,
  type Conversation,
  type GroupConversation,
  type PairConversation,
} from '../store/conversation.ts';
import type { Cursor } from '../store/store.ts';
import type { SendRequest } from './messages.ts';
import { ReadMarks } from './read-marks.ts';
import type { RetryIndex } from './retry-index.ts';

/** What a user's actor knows of one conversation: a cache of the store plus what is on its way. */
export class ConversationState<C extends Conversation = Conversation> {
  readonly conversation: C;
  /** The newest number that this user's actor has seen committed. */
  head = 0;
  /** Everything up to here was delivered to the user, on whatever connection. */
  delivered: number;
  /** Of a group: the number that was last when the user joined. */
  readonly floor: number;
  /** The same for named devices. One that is not here has seen nothing of the conversation. */
  #devices: Map<string, number> | undefined;
  readonly marks: ReadMarks;
  /** The cursor differs from the stored one. */
  dirty = false;

  constructor(conversation: C, saved: Cursor | undefined, floor: number) {
    this.conversation = conversation;
    this.floor = floor;
    this.delivered = Math.max(saved?.delivered ?? 0, floor);
    this.marks = new ReadMarks(saved?.readTo, saved?.read);
    for (const [device, number] of Object.entries(saved?.devices ?? {})) {
      (this.#devices ??= new Map()).set(device, Math.max(number, floor));
    }
  }

  get isGroup(): boolean {
    return isGroup(this.conversation);
  }

  /** For a connection of the user as a whole (null or '') or of a named device. */
  deliveredTo(device: string | null): number {
    if (device === null || device === '') return this.delivered;
    return this.#devices?.get(device) ?? this.floor;
  }

  /** A connection took everything up to `number`. */
  deliver(device: string | null, number: number): void {
    if (number > this.delivered) {
      this.delivered = number;
      this.dirty = true;
    }
    if (device === null || device === '' || this.deliveredTo(device) >= number) return;
    (this.#devices ??= new Map()).set(device, number);
    this.dirty = true;
  }

  /** A device that the server has not seen before starts with what the user has. */
  addDevice(device: string): void {
    if (this.delivered > this.floor) this.deliver(device, this.delivered);
  }

  /**
   * The conversation ends at `last`. Cursors and messages stand in journals of different shards, so
   * after a power cut without `--fsync always` a cursor can know of messages that are gone: those
   * that get their numbers next must not pass for delivered.
   */
  endAt(last: number): void {
    if (this.delivered > last) {
      this.delivered = last;
      this.dirty = true;
    }
    for (const [device, number] of this.#devices ?? []) {
      if (number > last) this.#devices?.set(device, last);
    }
    if (this.marks.endAt(last)) this.dirty = true;
  }

  forgetDevice(device: string): void {
    if (this.#devices?.delete(device) === true) this.dirty = true;
  }

  toCursor(): Cursor {
    return {
      key: this.conversation.key,
      delivered: this.delivered,
      devices: Object.fromEntries(this.#devices ?? []),
      readTo: this.marks.readTo,
      read: [...this.marks.ranges], // a snapshot: the marks go on
    };
  }
}

/** A group as one of its members follows it. */
export type FollowedGroup = ConversationState<GroupConversation>;

/** A pair of users, of which the owner also gives the numbers. */
export class PairState extends ConversationState<PairConversation> {
  /** Owner: the newest number that was given out; -1 until it was asked of the store. */
  assigned = -1;
  /** Owner: runs handed to the store whose outcome is open. */
  pending = 0;
  /** Owner: one of these was not stored, so those behind it will not be: nothing new until they are back. */
  failed = false;
  /** Owner: the newest time in the conversation. */
  lastTime = 0;
  /** Owner: the messaging messages that are not known to be read. */
  retries: RetryIndex | undefined;
  /** Owner: retries of messages that are on their way to the store. */
  retrying: { readonly chatId: number; readonly request: SendRequest }[] | undefined;
}
