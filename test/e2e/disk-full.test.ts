/** A disk that fails for a while, under a server process that never stops being asked. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RequestRefused, type CometClient } from '../../src/client/index.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import {
  connectMessaging,
  connectTcp,
  connectWebSocket,
  connectWebSocketBinary,
} from '../support/clients.ts';
import { temporaryDir } from '../support/disk.ts';
import type { Fault } from '../support/failing-disk.ts';
import { Ids } from '../support/ids.ts';
import { drained, idsOf, until, unreadOf, watchMessaging } from '../support/messaging.ts';
import { spawnDiskServer, type SpawnedServer } from '../support/server.ts';

const preload = new URL('../support/failing-disk.js', import.meta.url).href;

class FailingServer {
  readonly dir: string;
  readonly #faultFile: string;

  constructor(t: { after(fn: () => void): void }) {
    this.dir = join(temporaryDir(t), 'data');
    this.#faultFile = join(temporaryDir(t), 'fault');
  }

  start(...args: string[]): Promise<SpawnedServer> {
    return spawnDiskServer(this.dir, ['--log-level', 'fatal', ...args], {
      NODE_OPTIONS: `--import=${preload}`,
      ENCKE_TEST_FAULT: this.#faultFile,
    });
  }

  fail(fault: Fault): void {
    writeFileSync(this.#faultFile, fault);
  }

  work(): void {
    rmSync(this.#faultFile, { force: true });
  }
}

/** One sender to one conversation, always some requests in flight. */
class Sender {
  readonly numbers: number[] = [];
  refused = 0;
  /** The next outcome is looked at only when it is not `refused` for this reason. */
  quiet = false;
  readonly done: Promise<unknown>;
  readonly #send: () => Promise<number>;

  constructor(client: CometClient, to: number, group: boolean, window: number) {
    this.#send = () => (group ? client.sendToGroup(to, 'text') : client.send(to, 'text'));
    this.done = Promise.all(Array.from({ length: window }, () => this.#run()));
  }

  async #run(): Promise<void> {
    while (!this.quiet) {
      try {
        this.numbers.push(await this.#send());
      } catch (error) {
        assert.ok(error instanceof RequestRefused, String(error));
        assert.ok(['storage_unavailable', 'refused'].includes(error.code), error.code);
        this.refused += 1;
      }
    }
  }
}

const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

for (const fault of ['full', 'short', 'late'] as const satisfies Fault[]) {
  test(`Under constant load a disk that fails (${fault}) refuses messages, and conversations go on by themselves.`, async (t) => {
    const failing = new FailingServer(t);
    const server = await failing.start();
    t.after(() => void server.child.kill('SIGKILL'));
    const ids = new Ids(2);
    const [a, b, c] = [ids.mid(0), ids.mid(1), ids.mid(1)];
    const gid = ids.mid(0);
    await putGroup(server, gid, [a, b, c]);
    const [clientA, clientB] = [await connectWebSocket(server, a), await connectTcp(server, b)];
    const clientC = await connectWebSocketBinary(server, c);
    const pair = [new Sender(clientA, b, false, 16), new Sender(clientB, a, false, 16)];
    const group = [new Sender(clientA, gid, true, 16), new Sender(clientC, gid, true, 16)];
    const all = [...pair, ...group];
    const progress = async (count: number): Promise<void> => {
      const wanted = all.map(({ numbers }) => numbers.length + count);
      await until(
        () => all.every(({ numbers }, i) => numbers.length >= (wanted[i] ?? 0)),
        `${count} more each`,
      );
    };
    await progress(100);
    for (let round = 0; round < 3; round++) {
      const before = all.map(({ refused }) => refused);
      failing.fail(fault);
      await until(() => all.every(({ refused }, i) => refused > (before[i] ?? 0) + 50), 'all are refused');
      failing.work();
      await progress(100);
    }
    for (const sender of all) sender.quiet = true;
    await Promise.all(all.map(({ done }) => done));
    // Every number was given once, and none was left out: what was refused has none.
    const expected = (senders: Sender[]): number[] => sorted(senders.flatMap(({ numbers }) => numbers));
    for (const senders of [pair, group]) {
      const numbers = expected(senders);
      assert.deepEqual(
        numbers,
        Array.from(numbers, (_, i) => i + 1),
      );
    }
    server.child.kill('SIGKILL');
    await server.exit;
    const again = await failing.start('--workers', '3');
    t.after(() => void again.child.kill('SIGKILL'));
    const offline = await connectTcp(again, c, { device: 'new' });
    assert.equal(await offline.sendToGroup(gid, 'more'), expected(group).length + 1);
    const last = await connectTcp(again, a);
    assert.equal(await last.send(b, 'more'), expected(pair).length + 1);
    assert.equal((await again.stop()).code, 0);
  });
}

test('While the disk fails the admin port answers 503, read marks are refused, and nothing of it is kept.', async (t) => {
  const failing = new FailingServer(t);
  const server = await failing.start();
  t.after(() => void server.child.kill('SIGKILL'));
  const { adminAddress } = server;
  const members = (path = '/v1/groups/7'): Promise<unknown> =>
    adminRequest(adminAddress, 'GET', path).then(({ body }) => (body as { members?: number[] }).members);
  await putGroup(server, 7, [101, 102]);
  const [ann, bob] = [await connectMessaging(server, 'ann'), await watchMessaging(server, 'bob')];
  ann.sendSections({
    send: [
      { id: 'm1', sid: 'ann', rid: 'bob' },
      { id: 'm2', sid: 'ann', rid: 'bob' },
    ],
  });
  assert.deepEqual([(await bob.client.nextMessage()).id, (await bob.client.nextMessage()).id], ['m1', 'm2']);
  failing.fail('full');
  const calls = [
    adminRequest(adminAddress, 'PUT', '/v1/groups/7', { members: [103] }),
    adminRequest(adminAddress, 'PUT', '/v1/groups/8', { members: [103] }),
    adminRequest(adminAddress, 'POST', '/v1/groups/7/members', { add: [104] }),
    adminRequest(adminAddress, 'DELETE', '/v1/groups/7'),
  ];
  for (const { status, body } of await Promise.all(calls)) {
    assert.deepEqual([status, (body as { error: string }).error], [503, 'storage_unavailable']);
  }
  assert.deepEqual(await members(), [101, 102]);
  const before = bob.texts.length;
  bob.client.read({ id: 'm1' });
  await until(() => bob.texts.length > before, 'an answer');
  assert.deepEqual(JSON.parse(bob.texts[before] ?? ''), {
    errors: [
      {
        section: 'read',
        id: 'm1',
        error: 'storage_unavailable',
        reason: 'the message could not be stored: try again later',
      },
    ],
  });
  failing.work();
  assert.deepEqual(idsOf(await unreadOf(server, 'bob', ann)), ['m1', 'm2']);
  const reader = await connectMessaging(server, 'bob');
  reader.read({ id: 'm1' });
  await drained(reader, ann); // the read mark was handled before
  assert.deepEqual(idsOf(await unreadOf(server, 'bob', ann)), ['m2']);
  await putGroup(server, 7, [103]);
  assert.deepEqual(await members(), [103]);
  assert.deepEqual(await members('/v1/groups/8'), undefined);
  assert.equal((await server.stop()).code, 0);
  const again = await failing.start();
  t.after(() => void again.child.kill('SIGKILL'));
  const annAgain = await connectMessaging(again, 'ann');
  assert.deepEqual(idsOf(await unreadOf(again, 'bob', annAgain)), ['m2']);
  assert.equal((await again.stop()).code, 0);
});

test('Cursors that could not be saved are saved when the disk works again: nothing comes twice.', async (t) => {
  const failing = new FailingServer(t);
  const server = await failing.start();
  t.after(() => void server.child.kill('SIGKILL'));
  const ids = new Ids(2);
  const [a, b] = [ids.mid(0), ids.mid(1)];
  const from = await connectTcp(server, a);
  const [phone, plain] = [
    await connectTcp(server, b, { device: 'phone' }),
    await connectWebSocket(server, b),
  ];
  for (let i = 1; i <= 5; i++) assert.equal(await from.send(b, `m${i}`), i);
  await Promise.all([phone.nextMessages(5), plain.nextMessages(5)]);
  failing.fail('full');
  await Promise.all([phone.close(), plain.close()]);
  // The user is told to save, cannot, and still takes connections, new devices too.
  const tablet = await connectTcp(server, b, { device: 'tablet' });
  await assert.rejects(tablet.send(a, 'refused'), RequestRefused);
  failing.work();
  await until(
    () =>
      tablet.send(a, 'stored').then(
        () => true,
        () => false,
      ),
    'it works again',
  );
  await tablet.close();
  const { code } = await server.stop();
  assert.equal(code, 0);
  const again = await failing.start();
  t.after(() => void again.child.kill('SIGKILL'));
  for (const device of ['phone', undefined]) {
    const client = await connectTcp(again, b, device === undefined ? {} : { device });
    const sender = await connectTcp(again, a);
    const number = await sender.send(b, 'next');
    for (;;) {
      const { chatId, from: sentBy } = await client.nextMessage();
      assert.ok(chatId > 5, `${device} gets ${chatId} again`);
      if (chatId === number && sentBy === a) break;
    }
    await Promise.all([client.close(), sender.close()]);
  }
  assert.equal((await again.stop()).code, 0);
});
