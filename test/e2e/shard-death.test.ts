import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { RequestRefused } from '../../src/client/index.ts';
import type { CometClient, Id } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import {
  cometKinds,
  connectComet,
  connectMessaging,
  connectTcp,
  connectWebSocket,
} from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import { drained, idsOf, unreadOf } from '../support/messaging.ts';
import { startTestServer } from '../support/server.ts';
import { killShard, threadIds, untilReady } from '../support/shards.ts';

const workers = 3;
const ids = new Ids(workers);
let server: Server;

before(async () => (server = await startTestServer({ workers })));
after(() => server.close());

const closeAll = (...clients: { close(): Promise<unknown> }[]): Promise<unknown> =>
  Promise.all(clients.map((client) => client.close()));

const codeOf = (error: unknown): string => (error instanceof RequestRefused ? error.code : String(error));

test('When a shard thread dies its clients get 1012, and the others keep working without a loss.', async () => {
  const dying = [
    ...(await Promise.all(cometKinds.map((kind) => connectComet(kind, server, ids.mid(0))))),
    await connectMessaging(server, ids.name(0)),
  ];
  const [a, b] = [ids.mid(1), ids.mid(2)];
  const sender = await connectTcp(server, a);
  const receiver = await connectWebSocket(server, b);
  const threads = threadIds(server);
  const sent = Array.from({ length: 50 }, () => sender.send(b, 'before'));
  const killed = killShard(server, 0);
  for (let i = 0; i < 50; i++) sent.push(sender.send(b, 'during'));
  await killed;
  const codes = await Promise.all(dying.map(async ({ closed }) => (await closed).code));
  assert.deepEqual(codes, [1012, 1012, 1012, 1012]);
  await untilReady(server);
  sent.push(sender.send(b, 'after'));
  const numbers = Array.from({ length: 101 }, (_, i) => i + 1);
  assert.deepEqual(await Promise.all(sent), numbers);
  assert.deepEqual(
    (await receiver.nextMessages(101)).map(({ chatId }) => chatId),
    numbers,
  );
  const now = threadIds(server);
  assert.deepEqual(now.slice(1), threads.slice(1));
  assert.notEqual(now[0], threads[0]);
  await closeAll(sender, receiver);
});

test('readyz says degraded while a shard is away, then ready; its users can connect again.', async () => {
  const mid = ids.mid(1);
  const client = await connectTcp(server, mid);
  await killShard(server, 1);
  assert.equal((await client.closed).code, 1012);
  assert.deepEqual(await untilReady(server), ['degraded', 'ready']);
  const again = await connectTcp(server, mid);
  await again.heartbeat();
  await again.close();
});

test('Members, chat numbers, undelivered messages, mailboxes and read marks outlive their shard.', async () => {
  const gid = ids.mid(0);
  const [a, b, name] = [ids.mid(0), ids.mid(0), ids.name(0)];
  const other = ids.mid(1);
  await putGroup(server, gid, [a, b, other]);
  const sender = await connectWebSocket(server, a);
  const messaging = await connectMessaging(server, other);
  for (let i = 1; i <= 3; i++) {
    assert.equal(await sender.send(b, `pair ${i}`), i);
    assert.equal(await sender.sendToGroup(gid, `group ${i}`), i);
    messaging.sendSections({ send: [{ id: i, sid: other, rid: name }] });
  }
  const reader = await connectMessaging(server, name);
  assert.deepEqual(idsOf(await reader.nextMessages(3)), [1, 2, 3]);
  reader.read({ id: 2 });
  await drained(reader, messaging);
  await killShard(server, 0);
  await untilReady(server);
  const { body } = await adminRequest(server.adminAddress, 'GET', `/v1/groups/${gid}`);
  assert.deepEqual(body, { gid, members: [a, b, other].sort((x, y) => x - y), lastChatId: 3 });
  const again = await connectWebSocket(server, a);
  assert.equal(await again.send(b, 'pair 4'), 4);
  assert.equal(await again.sendToGroup(gid, 'group 4'), 4);
  const receiver = await connectTcp(server, b);
  const texts = (await receiver.nextMessages(8)).map(({ text }) => text);
  for (const what of ['pair', 'group']) {
    assert.deepEqual(
      texts.filter((text) => text.startsWith(what)),
      [1, 2, 3, 4].map((i) => `${what} ${i}`),
    );
  }
  // The mark that was being read when the shard died may be there still.
  const left = async (): Promise<Id[]> =>
    idsOf(await unreadOf(server, name, messaging)).filter((id) => typeof id === 'number');
  assert.deepEqual(await left(), [1, 3]);
  // A retry is still known as one, and what was read is new.
  messaging.sendSections({ send: [1, 2].map((id) => ({ id, sid: other, rid: name })) });
  assert.deepEqual(await left(), [1, 3, 2]);
  await closeAll(again, receiver, messaging);
});

test('Requests in flight to a shard that dies are refused with unavailable or answered, and the connection lives.', async () => {
  for (let round = 0; round < 4; round++) {
    const [owner, mid, gid] = [ids.mid(0), ids.mid(1), ids.mid(0)];
    await putGroup(server, gid, [mid]);
    const client = await connectWebSocket(server, mid);
    const requests: Promise<number>[] = [];
    const ask = (count: number): void => {
      for (let i = 0; i < count; i++) requests.push(client.send(owner, 'x'), client.sendToGroup(gid, 'x'));
      for (const request of requests.slice(-2 * count)) request.catch(() => {}); // looked at below
    };
    await client.send(owner, 'first');
    ask(50);
    const killed = killShard(server, 0);
    ask(100);
    await killed;
    ask(50);
    await untilReady(server);
    ask(5);
    const outcomes = await Promise.allSettled(requests);
    const refused = outcomes
      .filter((outcome) => outcome.status === 'rejected')
      .map(({ reason }) => codeOf(reason));
    assert.deepEqual(
      [...new Set(refused)].filter((code) => code !== 'unavailable'),
      [],
    );
    assert.ok(outcomes.slice(-10).every(({ status }) => status === 'fulfilled'));
    for (const to of [0, 1]) {
      const numbers = outcomes.flatMap((outcome, i) =>
        i % 2 === to && outcome.status === 'fulfilled' ? [outcome.value] : [],
      );
      assert.deepEqual(
        numbers,
        [...new Set(numbers)].sort((x, y) => x - y),
      ); // in order, none twice
    }
    await client.close();
  }
});

test('The fan-out of a group goes on among the surviving shards when its owner died.', async () => {
  const gid = ids.mid(0);
  const members = [ids.mid(1), ids.mid(2), ids.mid(1), ids.mid(2)];
  await putGroup(server, gid, members);
  const clients: CometClient[] = [];
  for (const [i, mid] of members.entries())
    clients.push(await connectComet(cometKinds[i % 3] ?? 'tcp', server, mid));
  const messaging = await connectMessaging(server, members[1] ?? 0);
  const [sender, ...others] = clients;
  let last = (await sender?.sendToGroup(gid, 'before')) ?? 0;
  for (const client of others) assert.equal((await client.nextMessage()).chatId, last);
  await messaging.nextMessage();
  for (let round = 0; round < 3; round++) {
    await killShard(server, 0);
    await untilReady(server);
    for (let i = 0; i < 3; i++) {
      assert.equal(await sender?.sendToGroup(gid, `round ${round}`), (last += 1));
      for (const client of others) assert.equal((await client.nextMessage()).chatId, last);
      assert.equal((await messaging.nextMessage())['chatId'], last);
    }
  }
  assert.equal(sender?.waitingMessages, 0);
  await closeAll(...clients, messaging);
});

test('Messages of conversations that a dead shard owned reach everybody exactly once afterwards.', async () => {
  const [owner, survivor] = [ids.mid(0), ids.mid(1)];
  const phone = await connectWebSocket(server, survivor, { device: 'phone' });
  const sender = await connectTcp(server, survivor);
  const first = await connectTcp(server, owner);
  assert.equal(await first.send(survivor, '1'), 1);
  assert.equal(await sender.send(owner, '2'), 2);
  await killShard(server, 0);
  await first.closed;
  await untilReady(server);
  const second = await connectTcp(server, owner);
  assert.equal(await second.send(survivor, '3'), 3);
  assert.equal(await sender.send(owner, '4'), 4);
  assert.equal(await second.send(survivor, '5'), 5);
  assert.deepEqual(
    (await phone.nextMessages(5)).map(({ chatId }) => chatId),
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual(
    (await sender.nextMessages(3)).map(({ chatId }) => chatId),
    [1, 3, 5],
  );
  // The owner's cursor may be a second behind: what it was sent before may come again, in order.
  const again = (await second.nextMessages(1)).map(({ chatId }) => chatId);
  while (again.at(-1) !== 4) again.push((await second.nextMessage()).chatId);
  assert.deepEqual(again.slice(-1), [4]);
  assert.deepEqual(
    again,
    [...new Set(again)].sort((x, y) => x - y),
  );
  assert.deepEqual(
    [phone, sender, second].map(({ waitingMessages }) => waitingMessages),
    [0, 0, 0],
  );
  await closeAll(phone, sender, second);
});

test('A group made or changed while its owner is away is refused or done, and stands afterwards.', async () => {
  const [gid, mid] = [ids.mid(2), ids.mid(1)];
  const client = await connectTcp(server, mid);
  const killed = killShard(server, 2);
  const change = adminRequest(server.adminAddress, 'PUT', `/v1/groups/${gid}`, { members: [mid] });
  await killed;
  const { status } = await change;
  assert.ok([200, 201, 503].includes(status), `${status}`);
  await untilReady(server);
  await putGroup(server, gid, [mid]);
  assert.equal(await client.sendToGroup(gid, 'hello'), 1);
  await client.close();
});
