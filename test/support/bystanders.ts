import assert from 'node:assert/strict';
import type { CometClient, MessagingClient } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { connectMessaging, connectTcp, connectWebSocket } from './clients.ts';
import { Ids } from './ids.ts';
import { threadIds } from './shards.ts';

/** Well-behaved users on every shard: whatever others do, these notice nothing. */
export class Bystanders {
  readonly #server: Server;
  readonly #threads: readonly (number | undefined)[];
  readonly #comet: readonly CometClient[];
  readonly #messaging: readonly MessagingClient[];
  #said = 0;

  static async connect(server: Server): Promise<Bystanders> {
    // Mids that no fuzzer makes of its own by changing some bytes.
    const ids = new Ids(server.workers, 1_500_000_000);
    const shards = Array.from({ length: server.workers }, (_, shard) => shard);
    const tcp = await Promise.all(shards.map((shard) => connectTcp(server, ids.mid(shard))));
    const webSockets = await Promise.all(shards.map((shard) => connectWebSocket(server, ids.mid(shard))));
    const messaging = await Promise.all(
      shards.map((shard) => connectMessaging(server, `bystander ${ids.name(shard)}`)),
    );
    return new Bystanders(server, [...tcp, ...webSockets], messaging);
  }

  constructor(server: Server, comet: readonly CometClient[], messaging: readonly MessagingClient[]) {
    this.#server = server;
    this.#threads = threadIds(server);
    this.#comet = comet;
    this.#messaging = messaging;
  }

  /** Everybody writes to the next one, who gets it as the very next message; no thread was replaced. */
  async check(): Promise<void> {
    this.#said += 1;
    for (const [i, sender] of this.#comet.entries()) {
      const receiver = this.#comet[(i + 1) % this.#comet.length] as CometClient;
      const chatId = await sender.send(receiver.mid, `said ${this.#said}`);
      const message = await receiver.nextMessage();
      assert.deepEqual([message.chatId, message.text], [chatId, `said ${this.#said}`]);
    }
    for (const [i, sender] of this.#messaging.entries()) {
      const receiver = this.#messaging[(i + 1) % this.#messaging.length] as MessagingClient;
      const id = sender.send(receiver.clientId, { text: 'hello' });
      const message = await receiver.nextMessage();
      assert.equal(message.id, id);
      receiver.read(message);
    }
    assert.deepEqual(threadIds(this.#server), this.#threads);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#comet, ...this.#messaging].map((client) => client.close()));
  }
}
