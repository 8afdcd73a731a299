/** A server in this process that tells a receiver what happens. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Server, ServerOptions } from '../../src/server.ts';
import { eventLogOf } from '../../src/store/conversation.ts';
import { inspect } from '../../src/store/disk/inspect.ts';
import type { WebhookOptions } from '../../src/webhook/options.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { connectComet, connectMessaging, connectTcp, connectWebSocket } from '../support/clients.ts';
import { storeOptions, storeNames } from '../support/disk.ts';
import { Ids } from '../support/ids.ts';
import { until } from '../support/messaging.ts';
import { Receiver, signatureOf, type WebhookEvent } from '../support/receiver.ts';
import { startTestServer } from '../support/server.ts';

const secret = 'not so secret';

async function start(
  t: TestContext,
  receiver: Receiver,
  more: Partial<ServerOptions> & { readonly bounds?: WebhookOptions['bounds'] } = {},
): Promise<Server> {
  const { bounds = {}, ...options } = more;
  const webhooks: WebhookOptions = {
    url: receiver.url,
    secrets: [secret],
    bounds: { webhookRetryMs: 5, webhookRetryMsMax: 20, ...bounds },
  };
  const server = await startTestServer({ webhooks, ...options });
  t.after(() => server.close());
  return server;
}

/** Without what differs from run to run. */
const plain = ({ id: _id, time: _time, ...rest }: WebhookEvent): object => rest;

for (const store of storeNames) {
  test(`A message of either protocol, to a user or a group, is an event when it is stored (store ${store}).`, async (t) => {
    const receiver = await Receiver.start(t);
    const server = await start(t, receiver, storeOptions(t, store));
    await putGroup(server, 7, [21, 31]);
    const comet = await connectWebSocket(server, 21);
    const binary = await connectTcp(server, 31);
    const named = await connectMessaging(server, 'ann');
    await comet.send(31, { a: 'json' });
    await binary.send(21, Buffer.from([0xff, 0x00]));
    await comet.sendToGroup(7, 'to all');
    named.sendSections({ send: [{ id: 'x1', sid: 'ann', rid: 21, text: 'from ann' }] });
    const events = await receiver.waitFor('message', 4);
    const pair = events.filter(({ to, from }) => from !== 'ann' && to !== undefined);
    assert.deepEqual(pair.map(plain), [
      { type: 'message', chatId: 1, from: 21, to: 31, protocol: 'comet', msg: { a: 'json' } },
      { type: 'message', chatId: 2, from: 31, to: 21, protocol: 'comet', msg: '/wA=', enc: 'base64' },
    ]);
    const byGroup = events.find(({ group }) => group === 7);
    assert.deepEqual(plain(byGroup!), {
      type: 'message',
      chatId: 1,
      from: 21,
      group: 7,
      protocol: 'comet',
      msg: 'to all',
    });
    const byName = events.find(({ from }) => from === 'ann');
    assert.deepEqual(plain(byName!), {
      type: 'message',
      chatId: 1,
      from: 'ann',
      to: 21,
      protocol: 'messaging',
      msg: { id: 'x1', sid: 'ann', rid: 21, text: 'from ann' },
    });
    assert.ok(events.every(({ time }) => Math.abs(Date.now() - Number(time)) < 60_000));
  });
}

test('A change of a group is told with its members, in parts if there are many; no change is not told.', async (t) => {
  const receiver = await Receiver.start(t);
  const server = await start(t, receiver, { workers: 1, bounds: { webhookGroupMembersMax: 2 } });
  await putGroup(server, 7, [1, 2, 3]);
  await putGroup(server, 7, [1, 2, 3]);
  await adminRequest(server.adminAddress, 'POST', '/v1/groups/7/members', { add: [4], remove: [1] });
  await adminRequest(server.adminAddress, 'DELETE', '/v1/groups/7');
  await putGroup(server, 8, []);
  const group = { type: 'group', group: 7, exists: true };
  assert.deepEqual((await receiver.waitFor('group', 6)).map(plain), [
    { ...group, joined: [1, 2], left: [] },
    { ...group, joined: [3], left: [] },
    { ...group, joined: [4], left: [1] },
    { ...group, exists: false, joined: [], left: [2, 3] },
    { ...group, exists: false, joined: [], left: [4] },
    { ...group, group: 8, joined: [], left: [] },
  ]);
});

test('A user is told online with the first connection, offline after the last and a grace.', async (t) => {
  const receiver = await Receiver.start(t);
  const server = await start(t, receiver, { bounds: { presenceGraceMs: 200 } });
  const first = await connectTcp(server, 21);
  const second = await connectMessaging(server, 21);
  await first.close();
  await second.close();
  const again = await connectTcp(server, 21); // within the grace
  const other = await connectMessaging(server, 'bob');
  await receiver.waitFor('online', 2); // one that is gone before it was opened is not told at all
  await other.close();
  await receiver.waitFor('offline', 1);
  const told = (event: WebhookEvent): string => `${event.type} ${String(event['user'])}`;
  assert.deepEqual(receiver.events.map(told).toSorted(), ['offline bob', 'online 21', 'online bob']);
  await again.close();
  await until(() => receiver.eventsOf('offline').length === 2, '21 offline');
  assert.deepEqual(told(receiver.eventsOf('offline')[1]!), 'offline 21');
});

test('When too many users leave at once, the first of them are told offline before the grace is over.', async (t) => {
  const receiver = await Receiver.start(t);
  const bounds = { presenceGraceMs: 600_000, presenceLeavingMax: 2 };
  const server = await start(t, receiver, { workers: 1, bounds });
  const clients = await Promise.all([1, 2, 3, 4].map((mid) => connectTcp(server, mid)));
  await receiver.waitFor('online', 4);
  for (const client of clients) {
    const open = server.connections;
    await client.close();
    await until(() => server.connections < open, 'the connection is gone');
  }
  const offline = await receiver.waitFor('offline', 2);
  assert.deepEqual(
    offline.map(({ user }) => user),
    [1, 2],
  );
});

test('Every request is signed with each secret, and bears its id and time.', async (t) => {
  const receiver = await Receiver.start(t);
  const secrets = ['new secret', `whsec_${Buffer.from('old').toString('base64')}`];
  const server = await start(t, receiver, { webhooks: { url: receiver.url, secrets } });
  const client = await connectTcp(server, 21);
  await client.send(22, 'signed');
  await receiver.waitFor('message', 1);
  for (const request of receiver.requests) {
    const expected = [signatureOf(request, 'new secret'), signatureOf(request, 'old')];
    assert.deepEqual(String(request.headers['webhook-signature']).split(' '), expected);
    assert.ok(Math.abs(Date.now() / 1_000 - Number(request.headers['webhook-timestamp'])) < 60);
    assert.equal(request.headers['content-type'], 'application/json');
  }
  assert.equal(
    new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size,
    receiver.requests.length,
  );
});

test('What the receiver does not take comes again, until it does, in order and as it was.', async (t) => {
  const receiver = await Receiver.start(t);
  const server = await start(t, receiver, { workers: 1, bounds: { webhookTimeoutMs: 100 } });
  const client = await connectTcp(server, 21);
  const failures: Receiver['answer'][] = [
    () => 500,
    () => 301,
    (_received, response) => void response.destroy(),
    () => undefined, // no answer
    (_received, response) => void response.writeHead(503).write('x'.repeat(1_000_000)),
    () => 404,
  ];
  let failed = 0;
  receiver.answer = (received, response) => {
    const fail = receiver.requests.length % 2 === 1 ? failures[failed] : undefined;
    if (fail === undefined) return 200;
    failed += 1;
    return fail(received, response);
  };
  for (let i = 1; i <= 40; i++) {
    await client.send(22, `message ${i}`);
    if (i % 5 === 0) await receiver.waitFor('message', i);
  }
  assert.ok(failed >= failures.length, `${failed} failures`);
  assert.deepEqual(
    receiver.eventsOf('message').map(({ chatId }) => chatId),
    Array.from({ length: 40 }, (_none, i) => i + 1),
  );
  const ids = receiver.requests.map(({ headers }) => headers['webhook-id']);
  assert.ok(new Set(ids).size < ids.length, 'a request that comes again has its id');
});

test('A receiver that was away for long gets everything, in bounded requests, and costs little memory.', async (t) => {
  const receiver = await Receiver.start(t);
  await receiver.close();
  const bounds = { webhookBatchEventsMax: 50, webhookBatchBytesMax: 20_000 };
  const server = await start(t, receiver, { ...storeOptions(t, 'disk'), bounds });
  const count = 500;
  const [a, b] = [await connectTcp(server, 21), await connectTcp(server, 31)];
  for (let i = 1; i <= count; i += 10) {
    const text = 'x'.repeat(100);
    await Promise.all(Array.from({ length: 10 }, () => [a.send(22, text), b.send(32, text)]).flat());
  }
  await receiver.open();
  const events = await receiver.waitFor('message', 2 * count);
  for (const from of [21, 31]) {
    const numbers = events.filter((event) => event['from'] === from).map(({ chatId }) => chatId);
    assert.deepEqual(
      numbers,
      Array.from({ length: count }, (_none, i) => i + 1),
    );
  }
  for (const { body } of receiver.requests) {
    assert.ok((JSON.parse(body) as { events: unknown[] }).events.length <= 50);
    assert.ok(body.length < 40_000);
  }
});

test('When the event log is full the oldest events are given up, and the receiver is told how many.', async (t) => {
  const receiver = await Receiver.start(t);
  const server = await start(t, receiver, {
    store: 'memory',
    workers: 1,
    memoryStoreBytesMax: 16 * 65_536,
    bounds: { webhookRetryMs: 10, webhookRetryMsMax: 10 },
  });
  const client = await connectTcp(server, 21);
  await receiver.waitFor('online', 1);
  await receiver.close();
  const text = 'x'.repeat(4_000);
  for (let i = 0; i < 600; i++) await client.send(22, text);
  await receiver.open();
  await until(() => receiver.eventsOf('message').at(-1)?.['chatId'] === 600, 'the last message');
  const [lost] = receiver.eventsOf('lost');
  assert.ok(Number(lost?.['records']) > 0);
  const numbers = receiver.eventsOf('message').map(({ chatId }) => Number(chatId));
  // What is not among the messages was lost, or the log has given up the message before its event.
  const removed = receiver
    .eventsOf('removed')
    .reduce((sum, { first, last }) => sum + Number(last) - Number(first) + 1, 0);
  assert.equal(numbers.length + removed + Number(lost?.['records']) >= 600, true);
  assert.deepEqual(
    numbers,
    numbers.toSorted((x, y) => x - y),
  );
});

test("Over --webhook's bound the oldest tenth of the event log is given up, told in its place, and counted.", async (t) => {
  const receiver = await Receiver.start(t);
  const options = { ...storeOptions(t, 'disk'), workers: 1 };
  const server = await start(t, receiver, { ...options, bounds: { webhookBacklogMax: 100 } });
  const client = await connectTcp(server, 21);
  await receiver.waitFor('online', 1);
  await receiver.close();
  for (let i = 1; i <= 300; i++) await client.send(22, `message ${i}`);
  await receiver.open();
  await until(() => receiver.eventsOf('message').at(-1)?.['chatId'] === 300, 'the last message');
  const lost = receiver.eventsOf('lost').reduce((sum, { records }) => sum + Number(records), 0);
  const numbers = receiver.eventsOf('message').map(({ chatId }) => Number(chatId));
  // What was in memory when it was given up is told as well: as much as came before the first post.
  assert.ok(lost > 0 && lost <= 210, `${lost} are lost`);
  assert.ok(numbers.length + lost >= 300, `${numbers.length} are told and ${lost} lost`);
  assert.deepEqual(receiver.events.at(-1)?.['chatId'], 300);
});

test('Without --webhook there is no event log.', async (t) => {
  const kept = storeOptions(t, 'disk');
  const server = await startTestServer(kept);
  t.after(() => server.close());
  await putGroup(server, 7, [21, 22]);
  const client = await connectComet('tcp', server, 21);
  await client.send(22, 'quiet');
  await client.sendToGroup(7, 'quiet');
  await client.close();
  await server.close();
  const found = await inspect(kept.data!, 10);
  assert.deepEqual([found.events, found.conversations, found.damageCount], [0, 2, 0]);
  assert.ok(found.largest.every(({ conversation }) => conversation !== eventLogOf(0).key));
});

test('With it the event log is counted by itself, is no damage, and is removed when it was posted.', async (t) => {
  const receiver = await Receiver.start(t);
  const kept = storeOptions(t, 'disk');
  const ids = new Ids(2);
  const first = await start(t, receiver, kept);
  const clients = await Promise.all([ids.mid(0), ids.mid(1)].map((mid) => connectTcp(first, mid)));
  for (const client of clients) await client.send(99, 'one');
  await receiver.waitFor('message', 2);
  await first.drain();
  const found = await inspect(kept.data!, 10);
  assert.deepEqual([found.conversations, found.messages, found.damageCount], [2, 2, 0]);
  assert.ok(found.events > 0);
  assert.equal(found.users, 2, 'and nobody else');
  assert.deepEqual(receiver.eventsOf('offline').length, 2, 'a stop tells who is gone');
  const second = await start(t, receiver, kept);
  t.after(() => second.close());
  await until(async () => (await inspect(kept.data!, 10)).events <= 4, 'what was posted is removed');
  assert.equal(receiver.eventsOf('lost').length, 0);
});
