import { shardOf } from '../wire/shard-of.ts';
import type { UserId } from '../wire/user-id.ts';
import { ownerOf, type Conversation } from './conversation.ts';
import type { StoreEngine } from './engine.ts';
import type {
  Append,
  AppendResult,
  GroupChange,
  GroupRecord,
  Participation,
  ReadResult,
  Store,
  UserRecord,
} from './store.ts';

/** Reads that another shard's engine answers. */
export interface StorePeers {
  read(shard: number, key: string, after: number, messagesMax: number, bytesMax: number): Promise<ReadResult>;
  last(shard: number, key: string): Promise<number>;
  participations(shard: number, user: UserId): Promise<readonly Participation[]>;
  user(shard: number, user: UserId): Promise<UserRecord | undefined>;
}

/** The store as one shard sees it: what it owns is in its engine, the other shards are asked for the rest. */
export class ShardedStore implements Store {
  readonly #engine: StoreEngine;
  readonly #shard: number;
  readonly #shards: number;
  readonly #peers: StorePeers;

  constructor(engine: StoreEngine, shard: number, shards: number, peers: StorePeers) {
    this.#engine = engine;
    this.#shard = shard;
    this.#shards = shards;
    this.#peers = peers;
  }

  append(batch: readonly Append[]): readonly AppendResult[] | Promise<readonly AppendResult[]> {
    return this.#engine.append(batch);
  }

  async read(
    conversation: Conversation,
    after: number,
    messagesMax: number,
    bytesMax: number,
  ): Promise<ReadResult> {
    const shard = shardOf(ownerOf(conversation), this.#shards);
    return shard === this.#shard
      ? this.#engine.read(conversation, after, messagesMax, bytesMax)
      : this.#peers.read(shard, conversation.key, after, messagesMax, bytesMax);
  }

  async last(conversation: Conversation): Promise<number> {
    const shard = shardOf(ownerOf(conversation), this.#shards);
    return shard === this.#shard
      ? this.#engine.last(conversation)
      : this.#peers.last(shard, conversation.key);
  }

  /** Conversations are filed with their owner, so every shard is asked. */
  async participations(user: UserId): Promise<readonly Participation[]> {
    const asked: Promise<readonly Participation[]>[] = [];
    for (let shard = 0; shard < this.#shards; shard++) {
      if (shard !== this.#shard) asked.push(this.#peers.participations(shard, user));
    }
    const own = this.#engine.participations(user);
    return asked.length === 0 ? own : [own, ...(await Promise.all(asked))].flat();
  }

  async user(user: UserId): Promise<UserRecord | undefined> {
    const shard = shardOf(user, this.#shards);
    return shard === this.#shard ? this.#engine.user(user) : this.#peers.user(shard, user);
  }

  saveUser(user: UserId, change: UserRecord): void | Promise<void> {
    return this.#engine.saveUser(user, change);
  }

  async group(group: number): Promise<GroupRecord | undefined> {
    return this.#engine.group(group);
  }

  saveGroup(group: number, change: GroupChange, event?: Append): void | Promise<void> {
    return this.#engine.saveGroup(group, change, event);
  }
}
