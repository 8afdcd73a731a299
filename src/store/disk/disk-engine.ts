import { EnckeError } from '../../errors.ts';
import { runLast, type Run } from '../../wire/run.ts';
import { shardOf } from '../../wire/shard-of.ts';
import type { UserId } from '../../wire/user-id.ts';
import { conversationOf, groupOf, ownerOf, type Conversation } from '../conversation.ts';
import type { StoreEngine } from '../engine.ts';
import type {
  Append,
  AppendResult,
  Cursor,
  GroupChange,
  GroupRecord,
  Participation,
  ReadResult,
  UserRecord,
} from '../store.ts';
import { appendRequest, changeRequest, type ChangeRequest } from './commit.ts';
import { Journal, type JournalOptions } from './journal.ts';
import { EntryType, packGroup, packUser } from './journal-format.ts';
import { conversationBytes } from './layout.ts';
import { overlayUser } from './memtable.ts';
import { cursorAbove } from './retention.ts';
import type { Tables } from './tables.ts';

/**
 * `--store disk`: one shard's part of it. Written is the journal; read are the tables and, laid
 * over them, the memtables: what the journal has and the tables do not have yet.
 */
export class DiskEngine implements StoreEngine {
  readonly #shard: number;
  readonly #shards: number;
  readonly #tables: Tables;
  readonly #journal: Journal;
  /** Changes of users on their way to the journal, each user's oldest first. */
  readonly #openChanges = new Map<UserId, UserRecord[]>();

  constructor(shards: number, options: JournalOptions) {
    this.#shard = options.shard;
    this.#shards = shards;
    this.#tables = options.tables;
    this.#journal = new Journal(options);
  }

  get bytes(): number {
    return this.#journal.active.bytes + (this.#journal.frozen?.bytes ?? 0);
  }

  append(batch: readonly Append[]): Promise<readonly AppendResult[]> {
    return new Promise((resolve) => {
      this.#journal.push(appendRequest(batch, resolve));
    });
  }

  /** A user who leaves memory and comes back at once has to see what was saved last. */
  saveUser(user: UserId, change: UserRecord): Promise<void> {
    const open = this.#openChanges.get(user);
    if (open === undefined) this.#openChanges.set(user, [change]);
    else open.push(change);
    return this.#change(
      EntryType.user,
      packUser(user, change),
      (table) => table.changeUser(user, change),
      () => this.#settle(user),
    );
  }

  saveGroup(group: number, change: GroupChange, event?: Append): Promise<void> {
    const apply: ChangeRequest['apply'] = (table) => table.changeGroup(group, change);
    return this.#change(EntryType.group, packGroup(group, change), apply, undefined, event);
  }

  #change(
    entry: number,
    packed: Buffer,
    apply: ChangeRequest['apply'],
    settle?: () => void,
    event?: Append,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null): void => {
        settle?.();
        if (error === null) resolve();
        else reject(new EnckeError('storage_unavailable', error.message));
      };
      this.#journal.push(changeRequest(entry, packed, apply, done, event));
    });
  }

  /** The oldest open change of a user is in the memtable, or refused. */
  #settle(user: UserId): void {
    const open = this.#openChanges.get(user);
    open?.shift();
    if (open?.length === 0) this.#openChanges.delete(user);
  }

  /** What changed of something in the memtables, the older first. */
  *#changes<T>(find: (table: Journal['active']) => T | undefined): Generator<T> {
    const { frozen, active } = this.#journal;
    const older = frozen && find(frozen);
    if (older !== undefined) yield older;
    const newer = find(active);
    if (newer !== undefined) yield newer;
  }

  read(conversation: Conversation, after: number, messagesMax: number, bytesMax: number): ReadResult {
    const tails = [...this.#changes((table) => table.tail(conversation.key))];
    const key = tails[0]?.log.key ?? conversationBytes(conversation);
    const last = this.last(conversation);
    let runs: Run[] = [];
    let next = after + 1;
    if (next < (tails[0]?.log.first ?? Infinity)) {
      // Retention may have removed what was asked for: it goes on with what is left.
      next = Math.max(after, this.#tables.conversation(key)?.floor ?? 0) + 1;
      runs = this.#tables.readRuns(key, next - 1, messagesMax, bytesMax);
      const newest = runs.at(-1);
      if (newest !== undefined) next = runLast(newest) + 1;
    }
    let messages = messagesMax;
    let bytes = bytesMax;
    for (const run of runs) {
      messages -= run.count;
      bytes -= run.bytes.length;
    }
    for (const { log, read } of tails) {
      if (next < log.first || next > log.last) continue;
      for (const run of read(next - 1, messages, bytes)) {
        messages -= run.count;
        bytes -= run.bytes.length;
        if (runs.length > 0 && (messages < 0 || bytes < 0)) return { runs, last };
        runs.push(run);
        next = runLast(run) + 1;
      }
    }
    return { runs, last };
  }

  last(conversation: Conversation): number {
    return this.#journal.last(conversation);
  }

  participations(user: UserId): readonly Participation[] {
    const found = new Map<string, Participation>();
    const add = (conversation: Conversation, joinedAt: number): void => {
      if (shardOf(ownerOf(conversation), this.#shards) !== this.#shard) return;
      found.set(conversation.key, { conversation, last: this.last(conversation), joinedAt });
    };
    for (const pair of this.#tables.pairsOf(user)) add(pair, 0);
    for (const pairs of this.#changes((table) => table.newPairsOf(user))) {
      // One whose first message could not be stored has none.
      for (const pair of pairs) if (this.last(pair) > 0) add(pair, 0);
    }
    if (typeof user === 'number') {
      for (const [group, joinedAt] of this.#groupsOf(user)) add(groupOf(group), joinedAt);
    }
    return [...found.values()];
  }

  #groupsOf(mid: number): Map<number, number> {
    const groups = new Map(this.#tables.groupsOf(mid));
    for (const changes of this.#changes((table) => table.groupsOf(mid))) overlay(groups, changes);
    return groups;
  }

  user(user: UserId): UserRecord | undefined {
    let record = this.#tables.user(user);
    for (const delta of this.#changes((table) => table.users.get(user))) record = overlayUser(record, delta);
    for (const change of this.#openChanges.get(user) ?? []) record = overlayUser(record, change);
    return record && { ...record, cursors: record.cursors.map((cursor) => this.#withoutGone(cursor)) };
  }

  #withoutGone(cursor: Cursor): Cursor {
    if (cursor.read.length === 0) return cursor; // no gaps
    const floor = this.#tables.conversation(conversationBytes(conversationOf(cursor.key)))?.floor ?? 0;
    return cursorAbove(floor, cursor);
  }

  group(group: number): GroupRecord | undefined {
    let record = this.#tables.group(group);
    for (const { exists, members: changes } of this.#changes((table) => table.groups.get(group))) {
      const members = record?.members ?? new Map<number, number>();
      overlay(members, changes);
      record = { exists, members };
    }
    return record;
  }

  flush(): void {
    this.#journal.flush();
  }

  async close(): Promise<void> {
    await this.#journal.close();
    await this.#tables.close();
  }
}

/** Memberships: a joinedAt below 0 says that somebody left. */
function overlay(memberships: Map<number, number>, changes: ReadonlyMap<number, number>): void {
  for (const [id, joinedAt] of changes) {
    if (joinedAt < 0) memberships.delete(id);
    else memberships.set(id, joinedAt);
  }
}
