/** Server processes that are killed with messages in flight, or told to stop, and started again. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CometClient } from '../../src/client/index.ts';
import { listSegments, replaySegment } from '../../src/store/disk/segments.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { cometKinds, connectComet, connectMessaging, connectTcp } from '../support/clients.ts';
import { temporaryDir } from '../support/disk.ts';
import { drained, idsOf, until, unreadOf } from '../support/messaging.ts';
import { seededRandom, type Random } from '../support/random.ts';
import { spawnDiskServer, type SpawnedServer } from '../support/server.ts';
import { groupKey, Numbers, pairKey, Stream } from '../support/streams.ts';

type Hooks = { after(fn: () => void): void };

async function start(t: Hooks, dir: string, ...args: string[]): Promise<SpawnedServer> {
  const server = await spawnDiskServer(dir, ['--log-level', 'fatal', ...args]);
  t.after(() => void server.child.kill('SIGKILL'));
  return server;
}

const TALKERS = [101, 102, 103, 104, 105];
/** They never connect before the end, and then get everything. */
const SLEEPERS = [201, 202, 203];
const GROUPS = [301, 302, 303];
const WINDOW = 8;

interface Target {
  readonly key: string;
  readonly to: number;
  readonly isGroup: boolean;
}

const targetsOf = (mid: number): Target[] => [
  ...[...TALKERS, ...SLEEPERS]
    .filter((other) => other !== mid)
    .map((to) => ({ key: pairKey(mid, to), to, isGroup: false })),
  ...GROUPS.map((to) => ({ key: groupKey(to), to, isGroup: true })),
];

/** What is acknowledged while servers come and go. */
class Load {
  readonly numbers = new Numbers();
  readonly #random: Random;
  acknowledged = 0;
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Talks until `enough`, and then goes on while the server is ended by `end`. */
  async talk(server: SpawnedServer, enough: number, end: () => Promise<unknown>): Promise<void> {
    const clients: CometClient[] = [];
    for (const mid of TALKERS) clients.push(await connectComet(this.#random.pick(cometKinds), server, mid));
    const begin = this.acknowledged;
    const talking = clients.flatMap((client, i) =>
      Array.from({ length: WINDOW }, () => this.#talk(client, TALKERS[i] ?? 0)),
    );
    await until(() => this.acknowledged - begin >= enough, `${enough} acknowledged`, 30_000);
    await end();
    await Promise.all(talking);
  }

  async #talk(client: CometClient, mid: number): Promise<void> {
    for (;;) {
      const target = this.#random.pick(targetsOf(mid));
      if ((await this.say(client, mid, target)) === undefined) return;
    }
  }

  /** Undefined when the connection ended. */
  async say(client: CometClient, mid: number, { key, to, isGroup }: Target): Promise<number | undefined> {
    const text = `${mid} ${(this.#count += 1)} ${'x'.repeat(this.#random.int(0, 300))}`;
    try {
      const chatId = await (isGroup ? client.sendToGroup(to, text) : client.send(to, text));
      this.numbers.add(key, chatId, text);
      this.acknowledged += 1;
      return chatId;
    } catch {
      return undefined;
    }
  }
}

const members = async (server: SpawnedServer, gid: number): Promise<unknown> =>
  ((await adminRequest(server.adminAddress, 'GET', `/v1/groups/${gid}`)).body as { members: unknown })
    .members;

for (const fsync of ['always', 'everysec', 'no']) {
  test(`Killed under load and started with other numbers of workers, it has all that it acknowledged (fsync ${fsync}).`, async (t) => {
    const dir = join(temporaryDir(t), 'data');
    const load = new Load(seededRandom('disk-restart'));
    const everybody = [...TALKERS, ...SLEEPERS];
    const workers = fsync === 'always' ? [1, 4, 2, 3] : [2, 1];
    for (const [i, count] of workers.entries()) {
      const server = await start(t, dir, '--workers', String(count), '--fsync', fsync);
      if (i === 0) for (const gid of GROUPS) await putGroup(server, gid, everybody);
      else for (const gid of GROUPS) assert.deepEqual(await members(server, gid), everybody);
      // Every other end is one that the operator asked for.
      const signal = i % 2 === 0 ? 'SIGKILL' : 'SIGTERM';
      await load.talk(server, 1_000, async () => {
        const { code } = await server.stop(signal);
        assert.equal(code, signal === 'SIGKILL' ? null : 0);
      });
    }
    const server = await start(t, dir, '--workers', '2', '--fsync', fsync);
    const lasts = new Map<string, number>();
    for (const mid of TALKERS) {
      const client = await connectTcp(server, mid);
      // One more for each conversation is its last number.
      for (const target of targetsOf(mid))
        lasts.set(target.key, (await load.say(client, mid, target)) ?? assert.fail('it is stored'));
      await client.close();
    }
    for (const mid of SLEEPERS) {
      const stream = new Stream(mid, await connectTcp(server, mid));
      const keys = [...TALKERS.map((other) => pairKey(mid, other)), ...GROUPS.map(groupKey)];
      const wanted = keys.reduce((sum, key) => sum + (lasts.get(key) ?? 0), 0);
      await stream.begin();
      await until(() => stream.seen.length >= wanted, `${mid} has everything`);
      load.numbers.addStream(stream);
      for (const key of keys) load.numbers.assertDense(key, lasts.get(key) ?? 0);
      load.numbers.assertStream(stream, () => false);
      await stream.client.close();
    }
    assert.equal((await server.stop()).code, 0);
  });
}

/** How far a user has come, as the journal of a running server has it. */
function delivered(dir: string, mid: number, key: string): number {
  let found = 0;
  for (const { path } of listSegments(dir)) {
    const { users } = replaySegment(path, () => 0).table;
    found = Math.max(found, users.get(mid)?.cursors.get(key)?.delivered ?? 0);
  }
  return found;
}

test('After a kill a connected client is sent nothing again that its saved cursor has passed.', async (t) => {
  const dir = join(temporaryDir(t), 'data');
  const server = await start(t, dir);
  const [from, to] = [await connectTcp(server, 101), await connectTcp(server, 102)];
  for (let i = 1; i <= 20; i++) assert.equal(await from.send(102, `m${i}`), i);
  await to.nextMessages(20);
  await until(() => delivered(dir, 102, 'p:101:102') === 20, 'the cursor is saved');
  await server.stop('SIGKILL');
  const again = await start(t, dir, '--workers', '3');
  const [fromAgain, toAgain] = [await connectTcp(again, 101), await connectTcp(again, 102)];
  assert.equal(await fromAgain.send(102, 'next'), 21);
  assert.equal((await toAgain.nextMessage()).chatId, 21);
  assert.equal((await again.stop()).code, 0);
});

test('Mailboxes, what is read in them, and devices are there after a kill.', async (t) => {
  const dir = join(temporaryDir(t), 'data');
  const server = await start(t, dir, '--workers', '3');
  const ann = await connectMessaging(server, 'ann');
  const send = ['m1', 'm2', 'm3', 'm4'].map((id) => ({ id, sid: 'ann', rid: 'bob', text: id }));
  ann.sendSections({ send });
  const bob = await connectMessaging(server, 'bob');
  assert.deepEqual(idsOf(await drained(bob, ann)), ['m1', 'm2', 'm3', 'm4']);
  bob.read({ id: 'm2' });
  bob.read({ id: 'm4' });
  await drained(bob, ann); // they were handled before
  const from = await connectTcp(server, 21);
  const phone = await connectTcp(server, 22, { device: 'phone' });
  for (let i = 1; i <= 3; i++) await from.send(22, `m${i}`);
  await phone.nextMessages(3);
  await phone.close();
  await until(() => delivered(dir, 22, 'p:21:22') === 3, 'the cursor is saved');
  await from.send(22, 'm4');
  await server.stop('SIGKILL');
  const again = await start(t, dir, '--workers', '2');
  const annAgain = await connectMessaging(again, 'ann');
  assert.deepEqual(idsOf(await unreadOf(again, 'bob', annAgain)), ['m1', 'm3']);
  const phoneAgain = await connectTcp(again, 22, { device: 'phone' });
  assert.deepEqual((await phoneAgain.nextMessage()).chatId, 4);
  assert.equal((await again.stop()).code, 0);
});
