/**
 * A random program of users on mixed transports, held against a naive model. Its seed is printed;
 * ENCKE_FUZZ_SEED runs it again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessagingClient } from '../../src/client/index.ts';
import type { CometClient } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { putGroup } from '../support/admin.ts';
import { cometKinds, connectComet, connectMessaging } from '../support/clients.ts';
import { storeNames, storeOptions } from '../support/disk.ts';
import { Ids } from '../support/ids.ts';
import { until } from '../support/messaging.ts';
import { seededRandom, type Random } from '../support/random.ts';
import { startTestServer } from '../support/server.ts';
import { groupKey, Numbers, pairKey, Stream } from '../support/streams.ts';

const USERS = 30;
const STEPS = 1_000;

interface User {
  readonly mid: number;
  readonly protocol: 'tcp' | 'comet' | 'messaging' | 'both';
  readonly streams: Stream[];
  readonly live: Stream[];
  /** What others sent to it. */
  readonly expected: Set<string>;
  readonly got: Set<string>;
}

class Program {
  readonly #server: Server;
  readonly #random: Random;
  readonly users: User[];
  readonly #groups: { readonly gid: number; readonly members: readonly User[] }[] = [];
  readonly #replies: Promise<void>[] = [];
  readonly numbers = new Numbers();
  /** Messages by conversation, and which stream sent each. */
  readonly sent = new Map<string, number>();
  readonly senders = new Map<string, Stream>();
  #texts = 0;

  constructor(server: Server, random: Random, ids: Ids) {
    this.#server = server;
    this.#random = random;
    this.users = Array.from({ length: USERS }, () => ({
      mid: ids.mid(),
      protocol: random.pick(['tcp', 'comet', 'messaging', 'both'] as const),
      streams: [],
      live: [],
      expected: new Set<string>(),
      got: new Set<string>(),
    }));
  }

  async makeGroups(ids: Ids): Promise<void> {
    for (const size of [2, 5, 12, USERS]) {
      const members = [...this.users].sort(() => this.#random.next() - 0.5).slice(0, size);
      const gid = ids.mid();
      this.#groups.push({ gid, members });
      await putGroup(
        this.#server,
        gid,
        members.map(({ mid }) => mid),
      );
    }
  }

  async step(): Promise<void> {
    const user = this.#random.pick(this.users);
    const roll = this.#random.next();
    if (user.live.length === 0 || (user.protocol === 'both' && user.live.length < 3 && roll < 0.05))
      await this.connect(user);
    else if (roll < 0.08) await this.#disconnect(user);
    else {
      // Several at once, so that runs are built and batches filled.
      for (let i = this.#random.int(1, 6); i > 0; i--) this.#send(user);
      // Otherwise the client would run ahead of the sockets.
      if (this.#random.chance(0.1)) await Promise.all(this.#replies.splice(0));
    }
  }

  async connect(user: User): Promise<void> {
    const { mid, protocol } = user;
    const messaging = protocol === 'messaging' || (protocol === 'both' && this.#random.chance(0.4));
    const client: CometClient | MessagingClient = messaging
      ? await connectMessaging(this.#server, mid, { deviceId: `d${user.streams.length}` })
      : await connectComet(protocol === 'tcp' ? 'tcp' : this.#random.pick(cometKinds), this.#server, mid);
    const stream = new Stream(mid, client);
    stream.onSeen = () => user.got.add(stream.seen.at(-1)?.text ?? '');
    await stream.begin();
    user.streams.push(stream);
    user.live.push(stream);
  }

  async settle(): Promise<void> {
    await Promise.all(this.#replies.splice(0));
    for (const user of this.users) {
      if (user.live.length === 0) await this.connect(user);
      const missing = (): number => [...user.expected].filter((text) => !user.got.has(text)).length;
      await until(() => missing() === 0, `${user.mid} (${user.protocol}) has all of its messages`);
    }
  }

  async #disconnect(user: User): Promise<void> {
    const [stream] = user.live.splice(this.#random.int(0, user.live.length - 1), 1);
    // Replies would be lost with the connection, and with them what was numbered.
    await Promise.all(this.#replies.splice(0));
    await stream?.client.close();
  }

  #send(user: User): void {
    const stream = this.#random.pick(user.live);
    const { client } = stream;
    const text = `${user.mid} ${(this.#texts += 1)}`;
    this.senders.set(text, stream);
    const group = this.#random.pick(this.#groups);
    const toGroup = this.#random.chance(0.3) && group.members.includes(user);
    const other = this.#random.pick(this.users);
    const conversation = toGroup ? groupKey(group.gid) : pairKey(user.mid, other.mid);
    this.sent.set(conversation, (this.sent.get(conversation) ?? 0) + 1);
    for (const member of toGroup ? group.members : [other]) if (member !== user) member.expected.add(text);
    if (client instanceof MessagingClient) client.send(toGroup ? `#${group.gid}` : other.mid, { text });
    else {
      const reply = toGroup ? client.sendToGroup(group.gid, text) : client.send(other.mid, text);
      this.#replies.push(reply.then((chatId) => this.numbers.add(conversation, chatId, text)));
    }
  }
}

for (const store of storeNames) {
  test(`After any program each user got each message exactly once a live stream, in chatId order, with dense numbers, from the ${store} store.`, async (t) => {
    const random = seededRandom('model');
    const ids = new Ids(3);
    const server = await startTestServer({ ...storeOptions(t, store), workers: 3 });
    try {
      const program = new Program(server, random, ids);
      await program.makeGroups(ids);
      for (let step = 0; step < STEPS; step++) await program.step();
      await program.settle();
      const { users, numbers, sent, senders } = program;
      for (const { streams } of users) for (const stream of streams) numbers.addStream(stream);
      for (const [conversation, count] of sent) {
        const known = numbers.textsOf(conversation);
        // Where only messaging clients talk, nobody is told the numbers.
        if (known.size === count) numbers.assertDense(conversation, count);
        else assert.ok(known.size < count && Math.max(0, ...known.keys()) <= count, conversation);
      }
      for (const { mid, streams, protocol, expected } of users) {
        for (const stream of streams) {
          // A messaging connection gets what is unread, which has gaps where others read.
          const gaps = stream.client instanceof MessagingClient && protocol === 'both';
          numbers.assertStream(stream, (text) => gaps || senders.get(text) === stream);
        }
        if (protocol === 'both') continue;
        // A WebSocket's close frame crosses what is being sent, which then comes again. A TCP client's
        // FIN does not: nothing comes twice at all.
        const all = streams.flatMap(({ seen }) => seen.map(({ text }) => text));
        const others = (protocol === 'tcp' ? all : [...new Set(all)]).filter(
          (text) => !text.startsWith(`${mid} `),
        );
        assert.deepEqual(others.sort(), [...expected].sort(), `${mid} (${protocol})`);
      }
      await Promise.all(users.flatMap(({ live }) => live.map(({ client }) => client.close())));
    } finally {
      await server.close();
    }
  });
}
