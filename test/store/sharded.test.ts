import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conversationOf, groupOf, ownerOf, pairOf, type Conversation } from '../../src/store/conversation.ts';
import type { MemoryEngine } from '../../src/store/memory-engine.ts';
import { ShardedStore, type StorePeers } from '../../src/store/sharded.ts';
import { shardOf } from '../../src/wire/shard-of.ts';
import { engineOn, Keeper, messagesOf, say } from '../support/engine.ts';

const SHARDS = 3;

/** Engines of all shards, and what the shard that is looked at asked the others for. */
class Cluster {
  readonly engines: MemoryEngine[] = Array.from({ length: SHARDS }, () => engineOn(new Keeper()));
  readonly asked: string[] = [];

  say(conversation: Conversation, ...texts: string[]): void {
    say(this.#engine(shardOf(ownerOf(conversation), SHARDS)), conversation, ...texts);
  }

  storeOf(shard: number): ShardedStore {
    return new ShardedStore(this.#engine(shard), shard, SHARDS, this.#peers());
  }

  #peers(): StorePeers {
    return {
      read: async (shard, key, ...bounds) => this.#ask('read', shard).read(conversationOf(key), ...bounds),
      last: async (shard, key) => this.#ask('last', shard).last(conversationOf(key)),
      participations: async (shard, user) => this.#ask('participations', shard).participations(user),
      user: async (shard, user) => this.#ask('user', shard).user(user),
    };
  }

  #ask(what: string, shard: number): MemoryEngine {
    this.asked.push(`${what} ${shard}`);
    return this.#engine(shard);
  }

  #engine(shard: number): MemoryEngine {
    const engine = this.engines[shard];
    assert(engine !== undefined);
    return engine;
  }
}

test("A conversation is read on its owner's shard, from whatever shard.", async () => {
  for (const conversation of [pairOf(21, 22), pairOf('anna', 5), pairOf('anna', 'bob'), groupOf(7)]) {
    const cluster = new Cluster();
    cluster.say(conversation, 'a', 'b', 'c');
    const owner = shardOf(ownerOf(conversation), SHARDS);
    for (let shard = 0; shard < SHARDS; shard++) {
      const store = cluster.storeOf(shard);
      const { runs, last } = await store.read(conversation, 1, 10, 10_000);
      assert.deepEqual(messagesOf(runs), [
        [2, 'b'],
        [3, 'c'],
      ]);
      assert.equal(last, 3);
      assert.equal(await store.last(conversation), 3);
      assert.deepEqual(cluster.asked.splice(0), shard === owner ? [] : [`read ${owner}`, `last ${owner}`]);
    }
  }
});

test('The bounds of a read hold on other shards as well.', async () => {
  const cluster = new Cluster();
  const conversation = pairOf(21, 22);
  for (const text of ['a', 'b', 'c']) cluster.say(conversation, text);
  for (let shard = 0; shard < SHARDS; shard++) {
    const { runs } = await cluster.storeOf(shard).read(conversation, 0, 2, 10_000);
    assert.equal(runs.length, 2);
  }
});

test('The conversations of a user are collected from all shards.', async () => {
  const cluster = new Cluster();
  const others = [1, 2, 3, 4, 5, 6, 7, 8];
  for (const other of others) cluster.say(pairOf(other, 21), 'x');
  for (let shard = 0; shard < SHARDS; shard++) {
    const found = await cluster.storeOf(shard).participations(21);
    const keys = found.map(({ conversation }) => conversation.key).sort();
    assert.deepEqual(
      keys,
      others.map((other) => `p:${other}:21`),
    );
    assert.equal(cluster.asked.splice(0).length, SHARDS - 1);
  }
});

test('A user is looked up on its own shard, and none is found where there is none.', async () => {
  const cluster = new Cluster();
  for (const user of [21, 22, 'anna', 'bob']) {
    const home = shardOf(user, SHARDS);
    void cluster.storeOf(home).saveUser(user, { mailbox: true, devices: [], cursors: [] });
    for (let shard = 0; shard < SHARDS; shard++) {
      assert.deepEqual(await cluster.storeOf(shard).user(user), { mailbox: true, devices: [], cursors: [] });
      assert.deepEqual(cluster.asked.splice(0), shard === home ? [] : [`user ${home}`]);
      assert.equal(await cluster.storeOf(shard).user(99), undefined);
      cluster.asked.length = 0;
    }
  }
});
