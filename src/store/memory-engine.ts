import { Packr } from 'msgpackr';
import { numberRun, PayloadKind, Origin, type Run } from '../wire/run.ts';
import type { UserId } from '../wire/user-id.ts';
import { conversationOf, isGroup, type Conversation } from './conversation.ts';
import {
  entryBytes,
  MemoryJournal,
  type OpenSegment,
  type Segment,
  type SegmentKeeper,
} from './memory-journal.ts';
import { RunIndex } from './run-index.ts';
import type { StoreEngine } from './engine.ts';
import { GroupTable, UserTable, type GroupEntry, type UserEntry } from './memory-tables.ts';
import { AT_END, type Append, type AppendResult } from './store.ts';
import type { GroupChange, Participation, ReadResult, UserRecord } from './store.ts';

const Entry = { conversation: 1, run: 2, group: 3, user: 4 } as const;

/** Of a run's entry, before its frames: number u32, count u32, first f64, time f64, kind u8, origin u8. */
const RUN_HEAD_BYTES = 32;
/** Of a conversation's entry, before its key: number u32, unused u32, last f64. */
const CONVERSATION_HEAD_BYTES = 16;
/** What the index holds in memory for each run, counted into the bound. */
const RUN_INDEX_BYTES = 16;

/** After a vain attempt to make room, so many requests pass before the next one. */
const FULL_REQUESTS = 1_024;

const packr = new Packr({ useRecords: false });
const OK: AppendResult = { ok: true };

/** The log of one conversation, as the journal's entries refer to it. */
class MemoryLog extends RunIndex {
  readonly conversation: Conversation;
  /** Its number in this shard's journal, which entries refer to. */
  readonly number: number;
  /** The segment that holds the entry which defines the number, and carries `last` with it. */
  definedIn = 0;

  constructor(conversation: Conversation, number: number) {
    super();
    this.conversation = conversation;
    this.number = number;
  }
}

/**
 * `--store memory`: one shard's part of it, which lives as long as the process, shard threads that
 * die included, and is bounded by --memory-max-mb. The journal is the truth; the tables are an index of it.
 * When the bound is reached the oldest segment is given up: its messages are gone, while members,
 * cursors and numbers that stood in it are written again at the end.
 */
export class MemoryEngine implements StoreEngine {
  readonly #journal: MemoryJournal;
  readonly #bytesMax: number;
  readonly #byKey = new Map<string, MemoryLog>();
  readonly #byNumber: MemoryLog[] = [];
  /** User -> the pairs that this shard owns and the user is in. */
  readonly #pairs = new Map<UserId, MemoryLog[]>();
  readonly #groups = new GroupTable();
  readonly #users = new UserTable();
  #runs = 0;
  /** Requests that are still refused without looking: see `#makeRoom`. */
  #full = 0;

  constructor(keeper: SegmentKeeper, segmentBytes: number, bytesMax: number, kept: readonly Segment[]) {
    this.#bytesMax = bytesMax;
    this.#journal = new MemoryJournal(keeper, segmentBytes, kept);
    // A conversation that was defined anew stands behind some of its runs: definitions come first.
    for (const segment of this.#journal.segments.values()) segment.visit(this.#replayDefinition);
    for (const segment of this.#journal.segments.values()) segment.visit(this.#replay);
  }

  get bytes(): number {
    return this.#journal.bytes;
  }

  append(batch: readonly Append[]): AppendResult[] {
    const results = batch.map((append) => this.#appendOne(append));
    this.#journal.publish();
    return results;
  }

  read({ key }: Conversation, after: number, messagesMax: number, bytesMax: number): ReadResult {
    const log = this.#byKey.get(key);
    if (log === undefined) return { runs: [], last: 0 };
    return { runs: log.read(after, messagesMax, bytesMax, this.#runAt), last: log.last };
  }

  last({ key }: Conversation): number {
    return this.#byKey.get(key)?.last ?? 0;
  }

  /** Every change is published at once: there is nothing to wait for. */
  flush(): void {}

  async close(): Promise<void> {}

  /** The conversations of a user that this shard owns. */
  participations(user: UserId): Participation[] {
    const found: Participation[] = [];
    for (const log of this.#pairs.get(user) ?? []) {
      found.push({ conversation: log.conversation, last: log.last, joinedAt: 0 });
    }
    if (typeof user !== 'number') return found;
    for (const { group, joinedAt } of this.#groups.of(user)) {
      const conversation = conversationOf(`g:${group}`);
      found.push({ conversation, last: this.last(conversation), joinedAt });
    }
    return found;
  }

  user(user: UserId): UserRecord | undefined {
    return this.#users.record(user);
  }

  saveUser(user: UserId, change: UserRecord): void {
    const entry = { user, ...change };
    const packed = packr.pack(entry);
    // What must stay is never refused, but it does not grow over the messages' bound unnoticed.
    this.#makeRoom(packed.length);
    this.#users.apply(entry, this.#write(Entry.user, packed));
    this.#journal.publish();
  }

  group(group: number): GroupEntry | undefined {
    return this.#groups.get(group);
  }

  saveGroup(group: number, change: GroupChange, event?: Append): void {
    const { exists, left } = change;
    const joined = change.joined.flatMap((mid) => [mid, change.joinedAt]);
    const entry = { group, exists, joined, left };
    const packed = packr.pack(entry);
    this.#makeRoom(packed.length);
    this.#groups.apply(entry, this.#write(Entry.group, packed));
    if (event !== undefined) this.#appendOne(event);
    this.#journal.publish();
  }

  #appendOne({ conversation, expectedLast, run }: Append): AppendResult {
    const known = this.#byKey.get(conversation.key);
    const last = known?.last ?? 0;
    if (expectedLast === AT_END) numberRun(run, last + 1);
    else if (last !== expectedLast) return { ok: false, error: 'conflict', last };
    if (!this.#makeRoom(RUN_HEAD_BYTES + run.bytes.length)) {
      return { ok: false, error: 'storage_unavailable', last };
    }
    const log = known ?? this.#define(conversation);
    const segment = this.#journal.segmentFor(RUN_HEAD_BYTES + run.bytes.length);
    const at = segment.reserve(Entry.run, RUN_HEAD_BYTES + run.bytes.length);
    const { buf } = segment;
    buf.writeUInt32LE(log.number, at);
    buf.writeUInt32LE(run.count, at + 4);
    buf.writeDoubleLE(run.first, at + 8);
    buf.writeDoubleLE(run.time, at + 16);
    buf[at + 24] = run.kind;
    buf[at + 25] = run.origin;
    run.bytes.copy(buf, at + RUN_HEAD_BYTES);
    log.add(run.first, run.count, segment.number, at);
    this.#runs += 1;
    return OK;
  }

  #define(conversation: Conversation): MemoryLog {
    const log = new MemoryLog(conversation, this.#byNumber.length);
    this.#index(log);
    this.#writeConversation(log);
    return log;
  }

  #index(log: MemoryLog): void {
    this.#byNumber[log.number] = log;
    this.#byKey.set(log.conversation.key, log);
    if (isGroup(log.conversation)) return;
    const { low, high } = log.conversation;
    for (const user of low === high ? [low] : [low, high]) {
      const pairs = this.#pairs.get(user);
      if (pairs === undefined) this.#pairs.set(user, [log]);
      else pairs.push(log);
    }
  }

  readonly #runAt = (first: number, segmentNumber: number, at: number): Run => {
    const segment = this.#journal.segments.get(segmentNumber);
    if (segment === undefined) throw new Error('invariant broken: the index points into a dropped segment');
    const { buf } = segment;
    const bytes = buf.readInt32LE(at - 8) - RUN_HEAD_BYTES;
    return {
      // A copy: the frames outlive this turn, the shared segment need not.
      bytes: Buffer.from(buf.subarray(at + RUN_HEAD_BYTES, at + RUN_HEAD_BYTES + bytes)),
      count: buf.readUInt32LE(at + 4),
      first,
      time: buf.readDoubleLE(at + 16),
      kind: (buf[at + 24] ?? PayloadKind.bytes) as Run['kind'],
      origin: (buf[at + 25] ?? Origin.comet) as Run['origin'],
    };
  };

  /** Gives up the oldest segments until there is room; false when what must stay fills the bound. */
  #makeRoom(payloadBytes: number): boolean {
    // Once all of it was rewritten in vain, that is not done again for every message.
    if (this.#full > 0 && --this.#full > 0) return false;
    const needed = entryBytes(payloadBytes);
    let attempts = this.#journal.segments.size;
    while (this.#journal.bytes + this.#runs * RUN_INDEX_BYTES + needed > this.#bytesMax) {
      const oldest = this.#journal.oldest();
      // The segment being written has room, or nothing can be given up.
      if (oldest === undefined || attempts-- === 0) {
        const fits = this.#journal.bytes <= this.#bytesMax;
        if (!fits) this.#full = FULL_REQUESTS;
        return fits;
      }
      this.#giveUp(oldest);
    }
    return true;
  }

  #giveUp(segment: OpenSegment): void {
    const { number } = segment;
    segment.visit((type, { buf }, start, end) => {
      if (type === Entry.run) {
        this.#runs -= 1;
        this.#byNumber[buf.readUInt32LE(start)]?.trim(number);
      } else if (type === Entry.conversation) {
        const log = this.#byNumber[buf.readUInt32LE(start)];
        if (log?.definedIn === number) this.#writeConversation(log);
      } else if (type === Entry.group) {
        const { group } = unpack(buf, start, end) as GroupChangeEntry;
        const entry = this.#groups.get(group);
        if (entry?.firstIn === number) this.#rewriteGroup(group, entry);
      } else {
        const { user } = unpack(buf, start, end) as UserEntry;
        if (this.#users.firstIn(user) === number) this.#rewriteUser(user);
      }
    });
    this.#journal.publish();
    this.#journal.drop(segment);
  }

  #rewriteGroup(group: number, { exists, members }: GroupEntry): void {
    this.#groups.forget(group);
    const entry = { group, exists, joined: [...members].flat(), left: [] };
    this.#groups.apply(entry, this.#write(Entry.group, packr.pack(entry)));
  }

  #rewriteUser(user: UserId): void {
    const record = this.#users.record(user);
    this.#users.forget(user);
    if (record === undefined) return;
    const entry = { user, ...record };
    this.#users.apply(entry, this.#write(Entry.user, packr.pack(entry)));
  }

  #writeConversation(log: MemoryLog): void {
    const keyBytes = Buffer.byteLength(log.conversation.key);
    const segment = this.#journal.segmentFor(CONVERSATION_HEAD_BYTES + keyBytes);
    const at = segment.reserve(Entry.conversation, CONVERSATION_HEAD_BYTES + keyBytes);
    segment.buf.writeUInt32LE(log.number, at);
    segment.buf.writeDoubleLE(log.last, at + 8);
    segment.buf.write(log.conversation.key, at + CONVERSATION_HEAD_BYTES);
    log.definedIn = segment.number;
  }

  #write(type: number, payload: Buffer): number {
    const segment = this.#journal.segmentFor(payload.length);
    payload.copy(segment.buf, segment.reserve(type, payload.length));
    return segment.number;
  }

  readonly #replayDefinition = (
    type: number,
    { buf, number }: OpenSegment,
    start: number,
    end: number,
  ): void => {
    if (type !== Entry.conversation) return;
    const conversation = conversationOf(buf.toString('utf8', start + CONVERSATION_HEAD_BYTES, end));
    let log = this.#byKey.get(conversation.key);
    if (log === undefined) this.#index((log = new MemoryLog(conversation, buf.readUInt32LE(start))));
    log.last = buf.readDoubleLE(start + 8);
    log.definedIn = number;
  };

  readonly #replay = (type: number, segment: OpenSegment, start: number, end: number): void => {
    const { buf, number } = segment;
    if (type === Entry.run) {
      this.#byNumber[buf.readUInt32LE(start)]?.add(
        buf.readDoubleLE(start + 8),
        buf.readUInt32LE(start + 4),
        number,
        start,
      );
      this.#runs += 1;
    } else if (type === Entry.group) {
      this.#groups.apply(unpack(buf, start, end) as GroupChangeEntry, number);
    } else if (type === Entry.user) {
      this.#users.apply(unpack(buf, start, end) as UserEntry, number);
    }
  };
}

interface GroupChangeEntry {
  readonly group: number;
  readonly exists: boolean;
  /** [mid, joinedAt, mid, joinedAt, …] */
  readonly joined: readonly number[];
  readonly left: readonly number[];
}

/** A copy is read: msgpackr's native part, where it is installed, crashes on shared memory. */
const unpack = (buf: Buffer, start: number, end: number): unknown =>
  packr.unpack(Buffer.from(buf.subarray(start, end)));
