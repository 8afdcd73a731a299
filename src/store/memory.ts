import { shardOf } from '../wire/shard-of.ts';
import type { UserId } from '../wire/user-id.ts';
import { ownerOf, type Conversation } from './conversation.ts';
import type { MemoryEngine } from './memory-engine.ts';
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

/**
 * `--store memory`: every shard holds what it owns, and asks the others for the rest. It lives as
 * long as the process, shard threads that die included, and is bounded by --memory-max-mb.
 */
export class MemoryStore implements Store {
  readonly #engine: MemoryEngine;
  readonly #shard: number;
  readonly #shards: number;
  readonly #peers: StorePeers;

  constructor(engine: MemoryEngine, shard: number, shards: number, peers: StorePeers) {
    this.#engine = engine;
    this.#shard = shard;
    this.#shards = shards;
    this.#peers = peers;
  }

  append(batch: readonly Append[]): readonly AppendResult[] {
    return this.#engine.append(batch);
  }

  async read(
    conversation: Conversation,
    after: number,
    messagesMax: number,
    bytesMax: number,
  ): Promise<ReadResult> {
    const shard = shardOf(ownerOf(conversation), this.#shards);
    if (shard !== this.#shard) return this.#peers.read(shard, conversation.key, after, messagesMax, bytesMax);
    return this.#engine.read(conversation.key, after, messagesMax, bytesMax);
  }

  async last(conversation: Conversation): Promise<number> {
    const shard = shardOf(ownerOf(conversation), this.#shards);
    return shard === this.#shard
      ? this.#engine.last(conversation.key)
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

  saveUser(user: UserId, change: UserRecord): void {
    this.#engine.saveUser(user, change);
  }

  async group(group: number): Promise<GroupRecord | undefined> {
    return this.#engine.group(group);
  }

  saveGroup(group: number, change: GroupChange): void {
    this.#engine.saveGroup(group, change);
  }
}
