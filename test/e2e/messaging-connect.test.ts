import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { MessagingClient, UpgradeRefused } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { connectMessaging } from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import {
  getRequest,
  idsOf,
  rawHttp,
  settled,
  statusOf,
  until,
  upgradeRequest,
} from '../support/messaging.ts';
import { startTestServer } from '../support/server.ts';

const ids = new Ids(2);
let server: Server;

before(async () => (server = await startTestServer()));
after(() => server.close());

const refusedIds: readonly [string, string][] = [
  ['missing', '/messaging'],
  ['empty', '/messaging?client_id='],
  ['0', '/messaging?client_id=0'],
  ['129 characters long', `/messaging?client_id=${'a'.repeat(129)}`],
  ['129 characters long, each of four bytes', `/messaging?client_id=${encodeURIComponent('🙂'.repeat(129))}`],
];

for (const [what, path] of refusedIds) {
  test(`A client_id that is ${what} is refused with 401, before any upgrade.`, async () => {
    assert.equal(statusOf(await rawHttp(server.httpAddress, getRequest(path))), 401);
    assert.equal(statusOf(await rawHttp(server.httpAddress, upgradeRequest(path))), 401);
  });
}

test('The client library tells the status with which an upgrade was refused.', async () => {
  const refused = connectMessaging(server, '0');
  await assert.rejects(refused, (error: Error) => error instanceof UpgradeRefused && error.status === 401);
});

for (const clientId of [
  'a'.repeat(128),
  '🙂'.repeat(128),
  '00',
  '021',
  '2147483648',
  '-1',
  ' ',
  'a&b=c#d/é',
]) {
  test(`The client_id ${JSON.stringify(clientId.slice(0, 20))} of ${clientId.length} code units is taken.`, async () => {
    const client = await connectMessaging(server, clientId);
    const sender = await connectMessaging(server, ids.name());
    sender.sendSections({ send: [{ id: 1, sid: sender.clientId, rid: clientId }] });
    assert.deepEqual(await client.nextMessage(), { id: 1, sid: sender.clientId, rid: clientId });
    await sender.close();
    await client.close();
  });
}

for (const path of [
  '/',
  '/messaging/',
  '/messagin',
  '/Messaging',
  '/sub/x',
  '/messaging/x?client_id=1',
  '//messaging',
]) {
  test(`The path ${path} is answered with 404 and the socket is closed, upgrade or not.`, async () => {
    // rawHttp resolves when the server has closed the socket.
    assert.equal(statusOf(await rawHttp(server.httpAddress, getRequest(path))), 404);
    assert.equal(statusOf(await rawHttp(server.httpAddress, upgradeRequest(path))), 404);
  });
}

test('A request to /messaging that is no upgrade is told to upgrade when its client_id is good.', async () => {
  assert.equal(statusOf(await rawHttp(server.httpAddress, getRequest('/messaging?client_id=21'))), 426);
});

for (const [what, device] of [
  ['has 65 characters', 'd'.repeat(65)],
  ['has a control character', 'a\tb'],
  ['has a line break', 'a\nb'],
] as const) {
  test(`A device_id that ${what} is refused with 400.`, async () => {
    const path = `/messaging?client_id=21&device_id=${encodeURIComponent(device)}`;
    assert.equal(statusOf(await rawHttp(server.httpAddress, upgradeRequest(path))), 400);
  });
}

test('A device_id of 64 printable characters is taken.', async () => {
  const client = await connectMessaging(server, ids.name(), { deviceId: 'é'.repeat(64) });
  await settled(server, client);
  await client.close();
});

for (const kind of ['mid', 'name'] as const) {
  test(`Of two connections of one client the latest takes precedence (a ${kind}).`, async () => {
    const clientId = ids[kind]();
    const sender = await connectMessaging(server, ids.name());
    const first = await connectMessaging(server, clientId);
    await settled(server, first);
    const second = await connectMessaging(server, clientId);
    assert.equal((await first.closed).code, 4409);
    sender.send(clientId, { text: 'to the latest' });
    assert.equal((await second.nextMessage())['text'], 'to the latest');
    const third = await connectMessaging(server, clientId);
    assert.equal((await second.closed).code, 4409);
    assert.equal((await third.nextMessage())['text'], 'to the latest');
    await Promise.all([third.close(), sender.close()]);
  });
}

test('A connection that was replaced no longer sends for its client.', async () => {
  const clientId = ids.name();
  const receiver = await connectMessaging(server, ids.name());
  const first = await connectMessaging(server, clientId);
  await settled(server, first);
  const second = await connectMessaging(server, clientId);
  await first.closed;
  first.send(receiver.clientId, { text: 'from the replaced one' });
  second.send(receiver.clientId, { text: 'from the latest' });
  assert.equal((await receiver.nextMessage())['text'], 'from the latest');
  await Promise.all([second.close(), receiver.close()]);
});

test('Connections with different device_ids live side by side, and the same one is replaced.', async () => {
  const clientId = ids.name();
  const sender = await connectMessaging(server, ids.name());
  const phone = await connectMessaging(server, clientId, { deviceId: 'phone' });
  const tablet = await connectMessaging(server, clientId, { deviceId: 'tablet' });
  const nameless = await connectMessaging(server, clientId);
  const id = sender.send(clientId, { text: 'to all' });
  for (const device of [phone, tablet, nameless]) {
    assert.equal((await device.nextMessage()).id, id);
  }
  const phoneAgain = await connectMessaging(server, clientId, { deviceId: 'phone' });
  assert.equal((await phone.closed).code, 4409);
  const next = sender.send(clientId, { text: 'to all again' });
  assert.equal((await phoneAgain.nextMessage()).id, id); // still unread
  for (const device of [phoneAgain, tablet, nameless]) {
    assert.equal((await device.nextMessage()).id, next);
  }
  await Promise.all([phoneAgain, tablet, nameless, sender].map((client) => client.close()));
});

test('What one device sends reaches the other devices of its client, and not itself.', async () => {
  const clientId = ids.name();
  const receiver = await connectMessaging(server, ids.name());
  const phone = await connectMessaging(server, clientId, { deviceId: 'phone' });
  const tablet = await connectMessaging(server, clientId, { deviceId: 'tablet' });
  // Both are open.
  const hello = receiver.send(clientId, { text: 'hello' });
  for (const device of [phone, tablet]) assert.equal((await device.nextMessage()).id, hello);
  const id = phone.send(receiver.clientId, { text: 'from the phone' });
  assert.equal((await tablet.nextMessage()).id, id);
  const back = receiver.send(clientId, { text: 'answer' });
  assert.deepEqual(idsOf([await phone.nextMessage()]), [back]);
  await Promise.all([phone, tablet, receiver].map((client) => client.close()));
});

test('A binary message ends the connection with 1003.', async () => {
  const client = await connectMessaging(server, ids.name());
  client.sendRaw(Buffer.from('{"send":[]}'));
  assert.equal((await client.closed).code, 1003);
});

test('A text over the limit ends the connection with 1009, and nothing of it is carried out.', async () => {
  const receiver = await connectMessaging(server, ids.name());
  const clientId = ids.name();
  const client = await connectMessaging(server, clientId);
  const whole = { send: [{ id: 1, sid: clientId, rid: receiver.clientId, text: '' }] };
  const room = 65_536 - JSON.stringify(whole).length;
  const textOf = (id: number, length: number): string =>
    JSON.stringify({ send: [{ id, sid: clientId, rid: receiver.clientId, text: 'x'.repeat(length) }] });
  client.sendRaw(textOf(1, room));
  client.sendRaw(textOf(2, room + 1));
  assert.equal((await client.closed).code, 1009);
  const again = await connectMessaging(server, clientId);
  again.send(receiver.clientId, { text: 'last' });
  const [first, second] = await receiver.nextMessages(2);
  assert.equal(first?.id, 1);
  assert.equal(second?.['text'], 'last');
  await Promise.all([again.close(), receiver.close()]);
});

test('A WebSocket message of over 1 MiB ends the connection with 1009.', async () => {
  const client = await connectMessaging(server, ids.name());
  client.sendRaw('x'.repeat(1_048_577));
  assert.equal((await client.closed).code, 1009);
});

test('Text that is not UTF-8 ends the connection with 1007.', async () => {
  const client = await connectMessaging(server, ids.name());
  client.socket.send(Buffer.from([0x7b, 0xff, 0x7d]), { binary: false });
  assert.equal((await client.closed).code, 1007);
});

test(
  'A client that stays silent but answers pings is kept past the idle timeout; one that does not is closed with 4408.',
  { timeout: 10_000 },
  async () => {
    const impatient = await startTestServer({ idleTimeoutMs: 200 });
    try {
      const { host, port } = impatient.httpAddress;
      const deaf = new WebSocket(`ws://${host}:${port}/messaging?client_id=deaf`, { autoPong: false });
      const deafClient = new MessagingClient(deaf, { clientId: 'deaf' });
      const silent = await connectMessaging(impatient, 'silent');
      // Two pings a timeout: eight of them are four timeouts.
      for (let pings = 0; pings < 8; pings++) await once(silent.socket, 'ping');
      assert.equal((await deafClient.closed).code, 4408);
      assert.deepEqual(await settled(impatient, silent), []);
      await silent.close();
      await until(() => impatient.connections === 0, 'all connections are gone');
    } finally {
      await impatient.close();
    }
  },
);
