import { isGroup, type Conversation } from '../store/conversation.ts';
import type { Cursor } from '../store/store.ts';
import { limits } from '../limits.ts';
import { ReadMarks } from './read-marks.ts';
import type { RetryIndex } from './retry-index.ts';

/** What a user's actor knows of one conversation: a cache of the store plus what is on its way. */
export class ConversationState {
  readonly conversation: Conversation;
  /** The newest number that this user's actor has seen committed. */
  head = 0;
  /** Everything up to here was delivered to the user, on whatever connection. */
  delivered: number;
  /** The same for named devices. */
  devices: Map<string, number> | undefined;
  readonly marks: ReadMarks;
  /** The cursor differs from the stored one. */
  dirty = false;

  constructor(conversation: Conversation, saved: Cursor | undefined, floor: number) {
    this.conversation = conversation;
    this.delivered = Math.max(saved?.delivered ?? 0, floor);
    this.marks = new ReadMarks(saved?.readTo, saved?.read);
    for (const [device, number] of Object.entries(saved?.devices ?? {})) {
      (this.devices ??= new Map()).set(device, Math.max(number, floor));
    }
  }

  get isGroup(): boolean {
    return isGroup(this.conversation);
  }

  deliveredTo(device: string | null): number {
    return device === null || device === '' ? this.delivered : (this.devices?.get(device) ?? this.delivered);
  }

  /** A connection took everything up to `number`. */
  deliver(device: string | null, number: number): void {
    if (number > this.delivered) {
      this.delivered = number;
      this.dirty = true;
    }
    if (device === null || device === '' || this.devices?.get(device) === number) return;
    this.#deliverToDevice(device, number);
  }

  toCursor(): Cursor {
    return {
      key: this.conversation.key,
      delivered: this.delivered,
      devices: Object.fromEntries(this.devices ?? []),
      readTo: this.marks.readTo,
      read: [...this.marks.ranges], // a snapshot: the marks go on
    };
  }

  /** The order of the map is the order of use: the first is the least recently used. */
  #deliverToDevice(device: string, number: number): void {
    const devices = (this.devices ??= new Map());
    const known = devices.get(device);
    if (known !== undefined && known >= number) return;
    devices.delete(device);
    devices.set(device, number);
    if (devices.size > limits.userDevicesMax) {
      for (const oldest of devices.keys()) {
        devices.delete(oldest);
        break;
      }
    }
    this.dirty = true;
  }
}

/** A pair of users, of which the owner also gives the numbers. */
export class PairState extends ConversationState {
  /** Owner: the newest number that was given out; -1 until it was asked of the store. */
  assigned = -1;
  /** Owner: runs handed to the store whose outcome is open. */
  pending = 0;
  /** Owner: the newest time in the conversation. */
  lastTime = 0;
  /** Owner: the messaging messages that are not known to be read. */
  retries: RetryIndex | undefined;
}
