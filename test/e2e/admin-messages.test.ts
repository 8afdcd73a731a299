import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { cometKinds, connectMessaging, connectTcp } from '../support/clients.ts';
import { onStores, range, type Bench } from '../support/comet.ts';
import { settled, unreadOf, until } from '../support/messaging.ts';
import { killShard, untilReady } from '../support/shards.ts';
import { startTestServer } from '../support/server.ts';

interface Outcome {
  readonly status: string;
  readonly chatId: number;
  readonly connections: number;
  readonly user?: number | string;
  readonly group?: number;
  readonly error?: string;
}

interface Answer {
  readonly results: readonly Outcome[];
  readonly counts: Record<string, number>;
  readonly users?: number;
  readonly missingShards?: readonly number[];
}

type Admin = Pick<Bench, 'adminAddress'>;

async function send(admin: Admin, message: Record<string, unknown>): Promise<Answer> {
  const { status, body } = await adminRequest(admin.adminAddress, 'POST', '/v1/messages', message);
  assert.equal(status, 200, JSON.stringify(body));
  return body as Answer;
}

/** The outcome for the only receiver. */
async function sendOne(admin: Admin, message: Record<string, unknown>): Promise<Outcome> {
  const { results } = await send(admin, message);
  assert.equal(results.length, 1);
  return results[0]!;
}

/** A messaging connection is open before its user has it. */
async function online(admin: Admin, user: number | string, connections = 1): Promise<void> {
  const path = `/v1/users/${encodeURIComponent(user)}`;
  await until(async () => {
    const { body } = await adminRequest(admin.adminAddress, 'GET', path);
    return (body as { connections: unknown[] }).connections.length === connections;
  }, 'online');
}

onStores('messages of the admin port', (bench) => {
  test('as a user: numbered with what the user sends, given to the receiver and the own connections', async () => {
    const [from, to] = [bench.mid(), bench.mid()];
    const own = await bench.connect('tcp', from);
    const wires = await Promise.all(cometKinds.map((kind) => bench.connect(kind, to)));
    assert.equal(await own.say(to, 'first'), 1);
    const sent = await sendOne(bench, { from, to: { users: [to] }, msg: 'second' });
    assert.deepEqual(sent, { user: to, status: 'delivered', chatId: 2, connections: 3 });
    assert.equal(await own.say(to, 'third'), 3);
    for (const wire of wires) {
      const messages = await wire.messages(3);
      assert.deepEqual(
        messages.map(({ chatId, from: sender, text }) => [chatId, sender, text]),
        [
          [1, from, 'first'],
          [2, from, 'second'],
          [3, from, 'third'],
        ],
      );
    }
    assert.deepEqual(await own.texts(1), ['second']);
    // The other one owns the pair now.
    const back = await sendOne(bench, { from: to, to: { users: [from] }, msg: { n: 1 } });
    assert.deepEqual(back, { user: from, status: 'delivered', chatId: 4, connections: 1 });
    assert.deepEqual(await own.texts(1), ['{"n":1}']);
    for (const wire of wires) assert.deepEqual(await wire.texts(1), ['{"n":1}']);
    await Promise.all([own, ...wires].map((wire) => wire.end()));
  });

  test('as the system: from 0, in a conversation of its own that the receiver can look back into', async () => {
    const to = bench.mid();
    const offline = await sendOne(bench, { to: { users: [to] }, msg: 'one' });
    assert.deepEqual(offline, { user: to, status: 'offline', chatId: 1, connections: 0 });
    const binary = await bench.connect('tcp', to);
    const json = await bench.connect('ws-json', to);
    const [missed] = await binary.messages(1);
    assert.deepEqual([missed?.chatId, missed?.from, missed?.to, missed?.text], [1, 0, to, 'one']);
    const live = await sendOne(bench, { to: { users: [to] }, msg: '/wAB', enc: 'base64' });
    assert.equal(live.chatId, 2);
    const [bytes] = await binary.messages(1);
    assert.deepEqual([bytes?.from, bytes?.msg], [0, Buffer.from([255, 0, 1])]);
    const page = await json.pageOf({ with: '0' });
    assert.deepEqual(
      page.messages.map(({ chatId, from }) => [chatId, from]),
      [
        [1, 0],
        [2, 0],
      ],
    );
    assert.equal(await json.acked({ with: '0' }, 2), 2);
    assert.equal((await binary.pageOf({ with: '0' })).last, 2);
    json.message(18, 50, 0, 'to the system');
    assert.deepEqual(await json.replyAmongBatches(19, 50), { ret: -1, chatId: 0, error: 'bad_recipient' });
    await Promise.all([binary.end(), json.end()]);
  });

  test('in messaging the system is sid 0; its messages stay in the mailbox until they are read', async () => {
    const mid = bench.mid();
    const name = bench.ids.name();
    const clients = [await connectMessaging(bench, mid), await connectMessaging(bench, name)];
    await Promise.all([online(bench, mid), online(bench, name)]);
    const { results } = await send(bench, { to: { users: [mid, name] }, msg: 'hi', id: 'note' });
    assert.deepEqual(results, [
      { user: mid, status: 'delivered', chatId: 1, connections: 1 },
      { user: name, status: 'delivered', chatId: 1, connections: 1 },
    ]);
    assert.deepEqual(await clients[0]!.nextMessage(), {
      id: `c:0:${mid}:1`,
      sid: 0,
      rid: mid,
      chatId: 1,
      text: 'hi',
    });
    assert.deepEqual(await clients[1]!.nextMessage(), { id: 'note', sid: 0, rid: name, text: 'hi' });
    await Promise.all(clients.map((client) => client.close()));
    for (const [user, id] of [
      [mid, `c:0:${mid}:1`],
      [name, 'note'],
    ] as const) {
      const again = await connectMessaging(bench, user);
      assert.equal((await again.nextMessage()).id, id);
      again.read({ id, sid: 0 });
      await settled(bench, again);
      await again.close();
      // Behind what is unread of the same conversation, which is nothing.
      await send(bench, { to: { users: [user] }, msg: 'mark' });
      const last = await connectMessaging(bench, user);
      assert.equal((await last.nextMessage())['text'], 'mark');
      await last.close();
    }
  });

  test('between string clients a message is what messaging would have sent, and a known id is kept once', async () => {
    const [from, to] = [bench.ids.name(), bench.ids.name()];
    const mid = bench.mid();
    const sender = await connectMessaging(bench, from);
    await online(bench, from);
    const message = { from, to: { users: [to] }, msg: { text: 'x', n: 1 }, id: 'i1' };
    const first = await sendOne(bench, message);
    assert.deepEqual(first, { user: to, status: 'offline', chatId: 1, connections: 0 });
    assert.equal((await sendOne(bench, message)).chatId, 1);
    const expected = { id: 'i1', sid: from, rid: to, text: 'x', n: 1 };
    assert.deepEqual(await sender.nextMessage(), expected);
    assert.deepEqual(await unreadOf(bench, to, sender), [expected]);
    // To a mid, in either protocol.
    const wire = await bench.connect('ws-json', mid);
    await sendOne(bench, { from, to: { users: [mid] }, msg: 'hi', id: 'i2' });
    const [got] = await wire.messages(1);
    assert.deepEqual([got?.from, got?.msg], [0, { id: 'i2', sid: from, rid: mid, text: 'hi' }]);
    assert.equal((await sendOne(bench, { from: mid, to: { users: [to] }, msg: 'hi' })).status, 'offline');
    const [own] = await wire.messages(1);
    assert.ok(own !== undefined);
    assert.deepEqual([own.from, (own.msg as { rid: string }).rid], [mid, to]);
    assert.equal((await sendOne(bench, { from, to: { groups: [7] }, msg: 'hi' })).error, 'not_supported');
    await Promise.all([wire.end(), sender.close()]);
  });

  test('to groups: as a member or as the system, and each refusal says why', async () => {
    const [gid, other, none] = [bench.mid(), bench.mid(), bench.mid()];
    const mids = Array.from({ length: 4 }, (_, i) => bench.mid(i));
    await putGroup(bench, gid, mids);
    await putGroup(bench, other, [bench.mid()]);
    const wires = await Promise.all(mids.map((mid, i) => bench.connect(cometKinds[i % 3]!, mid)));
    const groups = [gid, other, none];
    const { results, counts } = await send(bench, { from: mids[0], to: { groups }, msg: 'as one' });
    assert.deepEqual(
      results.map(({ reason: _reason, ...rest }: Outcome & { reason?: string }) => rest),
      [
        { group: gid, status: 'delivered', chatId: 1, connections: 4 },
        { group: other, status: 'failed', chatId: 0, connections: 0, error: 'not_member' },
        { group: none, status: 'failed', chatId: 0, connections: 0, error: 'no_such_group' },
      ],
    );
    assert.deepEqual(counts, { delivered: 1, stored: 0, offline: 0, failed: 2 });
    const system = await send(bench, { to: { groups }, msg: 'as the system' });
    assert.deepEqual(
      system.results.map(({ status, chatId }) => [status, chatId]),
      [
        ['delivered', 2],
        ['offline', 1],
        ['failed', 0],
      ],
    );
    for (const wire of wires) {
      const messages = await wire.messages(2);
      assert.deepEqual(
        messages.map(({ from, to, text }) => [from, to, text]),
        [
          [mids[0], gid, 'as one'],
          [0, gid, 'as the system'],
        ],
      );
      await wire.end();
    }
  });

  test('to many: in batches, each receiver answered in the order of the request', async () => {
    // More than one batch for one shard at least.
    const count = limits.publishBatchMessagesMax * bench.workers + 10;
    const users = range(1_000_000, 1_000_000 + count - 1);
    const wire = await bench.connect('tcp', users[count - 1]);
    const { results, counts } = await send(bench, { from: 999_999, to: { users }, msg: 'all' });
    assert.deepEqual(
      results.map(({ user }) => user),
      users,
    );
    assert.ok(results.every(({ chatId }) => chatId === 1));
    assert.deepEqual(counts, { delivered: 1, stored: 0, offline: count - 1, failed: 0 });
    assert.deepEqual(await wire.texts(1), ['all']);
    await wire.end();
  });

  test('to everyone: each user that is online once, on all of its connections', async () => {
    const mids = Array.from({ length: 6 }, (_, i) => bench.mid(i));
    const away = bench.mid();
    const wires = await Promise.all(
      [...mids, mids[0]!].map((mid, i) => bench.connect(cometKinds[i % 3]!, mid)),
    );
    const name = bench.ids.name();
    const client = await connectMessaging(bench, name);
    await online(bench, name);
    await until(async () => {
      const { body } = await adminRequest(bench.adminAddress, 'GET', '/v1/online');
      return (body as { users: number }).users === 7;
    }, 'only these');
    const everyone = await send(bench, { to: { everyone: true }, msg: 'news' });
    assert.deepEqual(everyone, {
      users: 7,
      counts: { delivered: 7, stored: 0, offline: 0, failed: 0 },
      missingShards: [],
    });
    for (const wire of wires) assert.deepEqual(await wire.texts(1), ['news']);
    assert.equal((await client.nextMessage())['text'], 'news');
    const late = await bench.connect('tcp', away);
    await late.beat(); // it got nothing
    await Promise.all([client.close(), ...[late, ...wires].map((wire) => wire.end())]);
  });
});

test('what a client that does not read will get from the log counts as stored, not as delivered', async (t) => {
  const server = await startTestServer({ workers: 2 });
  t.after(() => server.close());
  const client = await connectTcp(server, 31);
  const { socket } = client as unknown as { socket: { pause(): void; resume(): void } };
  socket.pause();
  const msg = 'x'.repeat(60_000);
  let last: Outcome;
  do {
    last = await sendOne(server, { from: 21, to: { users: [31] }, msg });
    assert.ok(last.status === 'stored' || last.connections === 1, JSON.stringify(last));
  } while (last.status === 'delivered');
  assert.deepEqual([last.status, last.connections], ['stored', 0]);
  socket.resume();
  for (let chatId = 1; chatId <= last.chatId; chatId++) {
    assert.equal((await client.nextMessage()).chatId, chatId);
  }
  await client.close();
});

test('messages to a shard that dies are answered, and what was answered as stored is there', async (t) => {
  const server = await startTestServer({ workers: 2 });
  t.after(() => server.close());
  const users = range(1, 2_000);
  const sending = send(server, { to: { users }, msg: 'x' });
  await killShard(server, 0);
  const { results } = await sending;
  assert.equal(results.length, users.length);
  for (const { status, error } of results) {
    assert.ok(status === 'offline' || status === 'stored' || error === 'unavailable', `${status} ${error}`);
  }
  await untilReady(server);
  for (const { user, chatId } of results.filter((one) => one.chatId > 0).slice(0, 20)) {
    const client = await connectTcp(server, Number(user));
    assert.equal((await client.nextMessage()).chatId, chatId);
    await client.close();
  }
});
