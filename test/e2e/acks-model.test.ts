/**
 * A random program of users whose connections acknowledge and are cut at any time, and of a shard
 * that dies in between. Its seed is printed; ENCKE_FUZZ_SEED runs it again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CometClient } from '../../src/client/index.ts';
import type { CometMessage, ConversationName } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { putGroup } from '../support/admin.ts';
import { cometKinds, connectComet } from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import { until } from '../support/messaging.ts';
import { seededRandom, type Random } from '../support/random.ts';
import { killShard, untilReady } from '../support/shards.ts';
import { startTestServer } from '../support/server.ts';
import { groupKey, pairKey } from '../support/streams.ts';

const WORKERS = 3;
const STEPS = 600;

/** One conversation as a device knows it. */
interface Known {
  readonly name: ConversationName;
  /** Numbers that came on any connection; own messages come as well, after a reconnect. */
  readonly got: Set<number>;
  /** Of this connection: the number that came last. */
  last: number;
  /** What the server has confirmed. */
  acknowledged: number;
}

/** A device of a user: it keeps what it has over all of its connections. */
class Device {
  readonly mid: number;
  readonly name: string;
  client: CometClient | undefined;
  readonly known = new Map<string, Known>();

  constructor(mid: number, name: string) {
    this.mid = mid;
    this.name = name;
  }

  async connect(server: Server, random: Random): Promise<void> {
    for (const known of this.known.values()) known.last = 0;
    const client = await connectComet(random.pick(cometKinds), server, this.mid, {
      device: this.name,
      ack: true,
    });
    this.client = client;
    const take = (message: CometMessage): void => {
      if (this.client === client) this.#take(message);
    };
    while (client.waitingMessages > 0) take(await client.nextMessage());
    client.on('message', take);
    client.on('closed', () => {
      if (this.client === client) this.client = undefined;
    });
  }

  acknowledge(random: Random): void {
    const { client } = this;
    for (const known of this.known.values()) {
      if (client === undefined || known.last === 0 || random.chance(0.5)) continue;
      const chatId = random.int(1, known.last);
      client.acknowledge(known.name, chatId).then(
        (now) => {
          assert.ok(now >= chatId);
          known.acknowledged = Math.max(known.acknowledged, now);
        },
        () => undefined, // cut off before it was answered
      );
    }
  }

  #take({ group, from, to, chatId }: CometMessage): void {
    const other = from === this.mid ? to : from;
    const key = group ? groupKey(to) : pairKey(from, to);
    let known = this.known.get(key);
    if (known === undefined) {
      const name = group ? { group: to } : { with: other };
      known = { name, got: new Set(), last: 0, acknowledged: 0 };
      this.known.set(key, known);
    }
    assert.ok(chatId > known.last, `${key}: ${chatId} after ${known.last} on one connection`);
    assert.ok(chatId > known.acknowledged, `${key}: ${chatId} was acknowledged`);
    known.last = chatId;
    known.got.add(chatId);
  }
}

test('Whatever is cut, each device gets each message of others at least once, and none that it acknowledged.', async () => {
  const random = seededRandom('acks-model');
  const ids = new Ids(WORKERS);
  const server = await startTestServer({ workers: WORKERS });
  try {
    const mids = Array.from({ length: 8 }, (_, i) => ids.mid(i));
    const devices = mids.flatMap((mid) => ['phone', 'laptop'].map((name) => new Device(mid, name)));
    const gids = [ids.mid(), ids.mid()];
    for (const gid of gids) await putGroup(server, gid, mids);
    // Before there is anything to miss: a new device would start where the user stands.
    for (const device of devices) await device.connect(server, random);
    /** Who sent which number of which conversation. */
    const sent = new Map<string, Map<number, Device>>();
    const open: Promise<void>[] = [];
    const say = (device: Device): void => {
      const { client } = device;
      if (client === undefined) return;
      const toGroup = random.chance(0.4);
      const to = toGroup ? random.pick(gids) : random.pick(mids);
      const key = toGroup ? groupKey(to) : pairKey(device.mid, to);
      const reply = toGroup ? client.sendToGroup(to, 'x') : client.send(to, 'x');
      const numbers = sent.get(key) ?? new Map<number, Device>();
      sent.set(key, numbers);
      open.push(
        reply.then(
          (chatId) => void numbers.set(chatId, device),
          () => undefined,
        ),
      );
    };
    for (let step = 0; step < STEPS; step++) {
      const device = random.pick(devices);
      const roll = random.next();
      if (device.client === undefined) {
        await device.connect(server, random).catch(() => undefined);
      } else if (roll < 0.05) {
        device.client.destroy();
        device.client = undefined;
      } else if (roll < 0.4) device.acknowledge(random);
      else for (let i = random.int(1, 5); i > 0; i--) say(device);
      if (random.chance(0.1)) await Promise.all(open.splice(0));
      if (step === STEPS / 2) {
        await killShard(server, random.int(0, WORKERS - 1));
        await untilReady(server);
      }
    }
    await Promise.all(open);
    for (const device of devices) if (device.client === undefined) await device.connect(server, random);
    for (const device of devices) {
      for (const [key, numbers] of sent) {
        const isMine = key.startsWith('g') || key.split(/\D+/).includes(String(device.mid));
        if (!isMine) continue;
        const missing = (): number[] =>
          [...numbers]
            .filter(([n, by]) => by !== device && device.known.get(key)?.got.has(n) !== true)
            .map(([n]) => n);
        await until(() => missing().length === 0, `${device.mid} ${device.name} has all of ${key}`);
      }
    }
    for (const device of devices) await device.client?.close();
  } finally {
    await server.close();
  }
});
