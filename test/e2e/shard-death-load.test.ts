/**
 * Shard threads are killed one after another while users send. Every user comes back by itself; what
 * it gets on each connection, and what was acknowledged, is held against what others got. The seed
 * is printed; ENCKE_FUZZ_SEED runs it again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { RequestRefused } from '../../src/client/index.ts';
import type { CometClient } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { putGroup } from '../support/admin.ts';
import { cometKinds, connectComet } from '../support/clients.ts';
import { storeNames, storeOptions } from '../support/disk.ts';
import { Ids } from '../support/ids.ts';
import { until } from '../support/messaging.ts';
import { seededRandom, type Random } from '../support/random.ts';
import { startTestServer } from '../support/server.ts';
import { killShard, untilReady } from '../support/shards.ts';
import { groupKey, Numbers, pairKey, Stream } from '../support/streams.ts';

const WORKERS = 3;
const KILLS = 6;
const WINDOW = 8;

interface Conversation {
  readonly key: string;
  readonly to: (from: number) => number;
  readonly isGroup: boolean;
  readonly members: readonly number[];
}

/** A user that connects again whenever its connection ends, until it is told to stop. */
class User {
  readonly mid: number;
  readonly streams: Stream[] = [];
  readonly got = new Set<string>();
  client: CometClient | undefined;
  readonly #load: Load;
  #stopping = false;
  #count = 0;

  constructor(load: Load, mid: number) {
    this.#load = load;
    this.mid = mid;
  }

  stop(): void {
    this.#stopping = true;
  }

  async live(): Promise<void> {
    const { server, random } = this.#load;
    while (!this.#stopping) {
      const connecting = connectComet(random.pick(cometKinds), server, this.mid);
      const client = await connecting.catch(() => undefined);
      if (client === undefined) {
        await pause(20); // as a client should before it tries again
        continue;
      }
      const stream = new Stream(this.mid, client);
      stream.onSeen = () => this.got.add(stream.seen.at(-1)?.text ?? '');
      await stream.begin();
      this.streams.push(stream);
      this.client = client;
      const { code } = await client.closed;
      this.client = undefined;
      if (!this.#stopping) assert.equal(code, 1012);
    }
  }

  /** Keeps some requests in flight. */
  async talk(): Promise<void> {
    await Promise.all(Array.from({ length: WINDOW }, () => this.#talk()));
  }

  async #talk(): Promise<void> {
    const { random, conversations } = this.#load;
    const own = conversations.filter(({ members }) => members.includes(this.mid));
    while (!this.#stopping && !this.#load.quiet) await this.say(random.pick(own));
  }

  /** Sends one message; whether it was acknowledged. */
  async say({ key, to, isGroup }: Conversation): Promise<number | undefined> {
    const { client } = this;
    if (client === undefined) {
      await pause(5);
      return undefined;
    }
    const text = `${this.mid} ${(this.#count += 1)} ${'x'.repeat(this.#load.random.int(0, 400))}`;
    try {
      const chatId = await (isGroup
        ? client.sendToGroup(to(this.mid), text)
        : client.send(to(this.mid), text));
      this.#load.acknowledge(key, chatId, text, this.mid);
      return chatId;
    } catch (error) {
      // Whether it is stored is not known. In binary the code is not told.
      if (error instanceof RequestRefused)
        assert.ok(['unavailable', 'refused'].includes(error.code), error.code);
      return undefined;
    }
  }
}

interface Acknowledged {
  readonly key: string;
  readonly text: string;
  readonly from: number;
}

class Load {
  readonly server: Server;
  readonly random: Random;
  readonly users: User[];
  readonly conversations: Conversation[] = [];
  readonly acknowledged: Acknowledged[] = [];
  readonly numbers = new Numbers();
  quiet = false;

  constructor(server: Server, random: Random, ids: Ids) {
    this.server = server;
    this.random = random;
    this.users = Array.from({ length: 12 }, (_, i) => new User(this, ids.mid(i)));
  }

  acknowledge(key: string, chatId: number, text: string, from: number): void {
    this.numbers.add(key, chatId, text);
    this.acknowledged.push({ key, text, from });
  }

  async prepare(ids: Ids): Promise<void> {
    const mids = this.users.map(({ mid }) => mid);
    for (const [i, a] of mids.entries()) {
      for (const b of [mids[(i + 1) % 12] ?? 0, mids[(i + 5) % 12] ?? 0]) {
        this.conversations.push({
          key: pairKey(a, b),
          to: (from) => (from === a ? b : a),
          isGroup: false,
          members: [a, b],
        });
      }
    }
    for (let shard = 0; shard < WORKERS; shard++) {
      const gid = ids.mid(shard);
      const members = mids.filter((_, i) => i % 4 !== shard);
      await putGroup(this.server, gid, members);
      this.conversations.push({ key: groupKey(gid), to: () => gid, isGroup: true, members });
    }
  }

  async moreAcknowledged(count: number): Promise<void> {
    const wanted = this.acknowledged.length + count;
    await until(() => this.acknowledged.length >= wanted, `${count} more acknowledged`);
  }
}

for (const store of storeNames) {
  test(`Whatever shard dies under load, what was acknowledged is delivered, in order, once a connection, with dense numbers (${store} store).`, async (t) => {
    const random = seededRandom('shard-death-load');
    const ids = new Ids(WORKERS);
    const server = await startTestServer({ ...storeOptions(t, store), workers: WORKERS });
    const load = new Load(server, random, ids);
    const { users, numbers } = load;
    const living: Promise<void>[] = [];
    try {
      await load.prepare(ids);
      living.push(...users.map((user) => user.live()));
      const talking = users.map((user) => user.talk());
      for (let kill = 0; kill < KILLS; kill++) {
        await load.moreAcknowledged(300);
        const shard = random.int(0, WORKERS - 1);
        const killed = [killShard(server, shard)];
        // Now and then a second one goes at the same time.
        if (random.chance(0.4)) killed.push(killShard(server, (shard + 1) % WORKERS));
        await Promise.all(killed);
        await untilReady(server);
      }
      await load.moreAcknowledged(300);
      load.quiet = true;
      await Promise.all(talking);
      // One more for each conversation is its last number.
      const lasts = new Map<string, number>();
      for (const conversation of load.conversations) {
        const user = users.find(({ mid }) => mid === conversation.members[0]);
        let last: number | undefined;
        await until(
          async () => (last = await user?.say(conversation)) !== undefined,
          `${conversation.key} goes on`,
        );
        lasts.set(conversation.key, last ?? 0);
      }
      for (const user of users) {
        const own = new Set(
          load.conversations.filter(({ members }) => members.includes(user.mid)).map(({ key }) => key),
        );
        const others = load.acknowledged.filter(({ key, from }) => own.has(key) && from !== user.mid);
        const missing = (): number => others.filter(({ text }) => !user.got.has(text)).length;
        await until(() => missing() === 0, `${user.mid} has all that was acknowledged`);
      }
      for (const { streams } of users) for (const stream of streams) numbers.addStream(stream);
      for (const [key, last] of lasts) numbers.assertDense(key, last);
      for (const { mid, streams } of users) {
        for (const stream of streams) numbers.assertStream(stream, (text) => text.startsWith(`${mid} `));
      }
    } finally {
      for (const user of users) user.stop();
      for (const { client } of users) client?.destroy();
      await Promise.all(living);
      await server.close();
    }
  });
}
