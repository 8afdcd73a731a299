import type { UserId } from '../wire/user-id.ts';
import type { Conversation } from './conversation.ts';
import type {
  Append,
  AppendResult,
  GroupChange,
  GroupRecord,
  Participation,
  ReadResult,
  UserRecord,
} from './store.ts';

/**
 * What stands behind the `Store` of one shard: its own part of the data. What other shards own is
 * asked of their engines (`sharded.ts`). Reads throw when the data cannot be had.
 */
export interface StoreEngine {
  /** As `Store.append`. */
  append(batch: readonly Append[]): readonly AppendResult[] | Promise<readonly AppendResult[]>;
  read(conversation: Conversation, after: number, messagesMax: number, bytesMax: number): ReadResult;
  last(conversation: Conversation): number;
  /** The conversations of a user that this shard owns. */
  participations(user: UserId): readonly Participation[];
  user(user: UserId): UserRecord | undefined;
  /** Readable at once; the promise, if there is one, settles when it is durable. */
  saveUser(user: UserId, change: UserRecord): void | Promise<void>;
  group(group: number): GroupRecord | undefined;
  saveGroup(group: number, change: GroupChange, event?: Append): void | Promise<void>;
  /** Bytes that it holds outside of tables: the journal, or all of a memory store. */
  readonly bytes: number;
  /** The end of a tick: what was handed over since the last one becomes one commit. */
  flush(): void;
  /** Everything that was handed over is written; nothing is called after it. */
  close(): Promise<void>;
}
