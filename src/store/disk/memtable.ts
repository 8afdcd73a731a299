import { Origin, PayloadKind, type Run } from '../../wire/run.ts';
import type { UserId } from '../../wire/user-id.ts';
import { isGroup, type Conversation, type PairConversation } from '../conversation.ts';
import { RunIndex } from '../run-index.ts';
import type { Cursor, GroupChange, UserRecord } from '../store.ts';
import { RUN_HEAD_BYTES } from './journal-format.ts';
import { conversationBytes } from './layout.ts';

/** The newest part of one conversation. */
export class TailLog extends RunIndex {
  readonly conversation: Conversation;
  readonly key: Buffer;
  /** The newest number that was handed to the journal, committed or not. */
  staged: number;
  /** Time of the newest message here. */
  time = 0;

  constructor(conversation: Conversation, last: number) {
    super();
    this.conversation = conversation;
    this.key = conversationBytes(conversation);
    this.last = last;
    this.staged = last;
  }
}

/** A conversation's messages in a memtable: copies, since its blocks are written again. */
export interface Tail {
  readonly log: TailLog;
  readonly read: (after: number, messagesMax: number, bytesMax: number) => Run[];
}

/** What changed of a user. */
export interface UserDelta {
  mailbox: boolean;
  devices: readonly string[];
  readonly cursors: Map<string, Cursor>;
}

/** What changed of a group. */
export interface GroupDelta {
  exists: boolean;
  /** Member -> the number that was last when it joined, or -1: it left. */
  readonly members: Map<number, number>;
}

/**
 * What stands in one journal segment and not yet in the tables, by what it is about. Messages stay
 * where the journal has them; this is an index of the blocks.
 */
export class MemTable {
  readonly logs = new Map<string, TailLog>();
  readonly users = new Map<UserId, UserDelta>();
  readonly groups = new Map<number, GroupDelta>();
  /** Images of parts of the segment, which the index points into. */
  readonly blocks: Buffer[] = [];
  /** Bytes of the journal that it stands for. */
  bytes = 0;
  readonly #newPairs = new Map<UserId, PairConversation[]>();
  readonly #groupsOf = new Map<number, Map<number, number>>();

  /** The conversation's tail; `last` is asked when it is new here: where the older data ends. */
  log(conversation: Conversation, last: (conversation: Conversation) => number): TailLog {
    const known = this.logs.get(conversation.key);
    if (known !== undefined) return known;
    const log = new TailLog(conversation, last(conversation));
    this.logs.set(conversation.key, log);
    if (log.last === 0 && !isGroup(conversation)) {
      const { low, high } = conversation;
      for (const user of low === high ? [low] : [low, high]) this.#addPair(user, conversation);
    }
    return log;
  }

  #addPair(user: UserId, pair: PairConversation): void {
    const pairs = this.#newPairs.get(user);
    if (pairs === undefined) this.#newPairs.set(user, [pair]);
    else pairs.push(pair);
  }

  /** A run that stands at `offset` of block number `block`, where the content of its entry begins. */
  addRun(log: TailLog, first: number, count: number, time: number, block: number, offset: number): void {
    log.add(first, count, block, offset);
    log.time = time;
    if (log.staged < log.last) log.staged = log.last;
  }

  /** The messages of a conversation that stand here, if there are some. */
  tail(key: string): Tail | undefined {
    const log = this.logs.get(key);
    if (log === undefined || log.isEmpty) return undefined;
    return {
      log,
      read: (after, messages, bytes) =>
        log
          .read(after, messages, bytes, this.#runAt)
          .map((run) => ({ ...run, bytes: Buffer.from(run.bytes) })),
    };
  }

  allRuns(log: TailLog, after: number): Run[] {
    return log.read(after, Infinity, Infinity, this.#runAt);
  }

  readonly #runAt = (first: number, block: number, offset: number): Run => {
    const buf = this.blocks[block] as Buffer;
    const start = offset + RUN_HEAD_BYTES + buf.readUInt16LE(offset);
    return {
      bytes: buf.subarray(start, offset + buf.readUInt32LE(offset - 4)),
      count: buf.readUInt32LE(offset + 4),
      first,
      time: buf.readDoubleLE(offset + 16),
      kind: (buf[offset + 2] ?? PayloadKind.bytes) as Run['kind'],
      origin: (buf[offset + 3] ?? Origin.comet) as Run['origin'],
    };
  };

  changeUser(user: UserId, { mailbox, devices, cursors }: UserRecord): void {
    let delta = this.users.get(user);
    if (delta === undefined) this.users.set(user, (delta = { mailbox, devices, cursors: new Map() }));
    delta.mailbox = mailbox;
    delta.devices = devices;
    for (const cursor of cursors) delta.cursors.set(cursor.key, cursor);
  }

  changeGroup(group: number, { exists, joined, joinedAt, left }: GroupChange): void {
    let delta = this.groups.get(group);
    if (delta === undefined) this.groups.set(group, (delta = { exists, members: new Map() }));
    delta.exists = exists;
    for (const mid of left) this.#changeMember(delta, group, mid, -1);
    for (const mid of joined) this.#changeMember(delta, group, mid, joinedAt);
  }

  #changeMember(delta: GroupDelta, group: number, mid: number, joinedAt: number): void {
    delta.members.set(mid, joinedAt);
    let groups = this.#groupsOf.get(mid);
    if (groups === undefined) this.#groupsOf.set(mid, (groups = new Map()));
    groups.set(group, joinedAt);
  }

  /** Conversations of a user that began here. */
  newPairsOf(user: UserId): readonly PairConversation[] | undefined {
    return this.#newPairs.get(user);
  }

  /** Group -> joinedAt, or -1 where the user left. */
  groupsOf(mid: number): ReadonlyMap<number, number> | undefined {
    return this.#groupsOf.get(mid);
  }
}

/** Lays what changed over an older record of a user. */
export function overlayUser(older: UserRecord | undefined, change: UserDelta | UserRecord): UserRecord {
  const cursors = new Map((older?.cursors ?? []).map((cursor) => [cursor.key, cursor]));
  for (const cursor of change.cursors.values()) cursors.set(cursor.key, cursor);
  return { mailbox: change.mailbox, devices: change.devices, cursors: [...cursors.values()] };
}
