import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { ConnectionClosed, RequestRefused, UpgradeRefused } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { putGroup } from '../support/admin.ts';
import { connectMessaging } from '../support/clients.ts';
import { startTestServer } from '../support/server.ts';

let server: Server;
before(async () => void (server = await startTestServer()));
after(() => server.close());

test('a message keeps its fields and comes again until it is read', async () => {
  const ann = await connectMessaging(server, 'ann');
  const id = ann.send('bob', { text: 'hello', tags: [1] });
  const first = await connectMessaging(server, 'bob');
  const message = await first.nextMessage();
  assert.deepEqual(message, { id, sid: 'ann', rid: 'bob', text: 'hello', tags: [1] });
  await first.close();
  const second = await connectMessaging(server, 'bob');
  assert.deepEqual(await second.nextMessage(), message);
  second.read(message);
  await second.close();
  const third = await connectMessaging(server, 'bob');
  const next = ann.send('bob', { text: 'next' });
  assert.equal((await third.nextMessage()).id, next);
  await Promise.all([ann.close(), third.close()]);
});

test('a mid reaches its groups', async () => {
  const [one, two] = [await connectMessaging(server, 1), await connectMessaging(server, '2')];
  await putGroup(server, 7, [1, 2]);
  const id = one.sendToGroup(7, { text: 'all' });
  assert.deepEqual(await two.nextMessage(), { id, sid: 1, rid: '#7', text: 'all' });
  await Promise.all([one.close(), two.close()]);
});

test('what is refused comes from nextError()', async () => {
  const client = await connectMessaging(server, 'carl');
  client.sendSections({ send: [{ id: 4, sid: 'other', rid: 'x' }] });
  const { section, id, error } = await client.nextError();
  assert.deepEqual([section, id, error], ['send', 4, 'bad_sender']);
  const notification = once(client, 'notification');
  client.sendRaw('[]');
  assert.equal((await notification)[0].errors[0].error, 'not_json');
  assert.equal((await client.nextError()).error, 'not_json');
  await client.close();
});

test('with ack each send can be waited for', async () => {
  const client = await connectMessaging(server, 51, { ack: true });
  const accepted = once(client, 'accepted');
  assert.equal(await client.sendAccepted('fred', { text: 'one' }), 1);
  assert.equal((await accepted)[0].chatId, 1);
  const more = ['two', 'three'].map((text) => client.sendAccepted('fred', { text }));
  assert.deepEqual(await Promise.all(more), [2, 3]);
  await assert.rejects(client.sendAccepted('#77', { text: 'nowhere' }), new RequestRefused('no_such_group'));
  client.send('#77', {});
  assert.equal((await client.nextError()).error, 'no_such_group'); // only the one that nobody waits for
  const open = client.sendAccepted('fred', { text: 'four' });
  client.destroy();
  await assert.rejects(open, ConnectionClosed);
  await assert.rejects(client.sendAccepted('fred', {}), ConnectionClosed);
  const plain = await connectMessaging(server, 52);
  await assert.rejects(plain.sendAccepted('fred', {}), TypeError);
  await plain.close();
});

test('a client id that the server does not take is refused with 401', async () => {
  for (const clientId of ['', '0', 'x'.repeat(129)]) {
    await assert.rejects(connectMessaging(server, clientId), new UpgradeRefused(401));
  }
});

test('the latest connection of a client replaces the one before', async () => {
  const first = await connectMessaging(server, 'dora');
  const second = await connectMessaging(server, 'dora');
  assert.equal((await first.closed).code, 4409);
  await assert.rejects(first.nextMessage(), ConnectionClosed);
  const other = await connectMessaging(server, 'dora', { deviceId: 'phone' });
  const sender = await connectMessaging(server, 'emil');
  sender.send('dora', { text: 'both' });
  assert.equal((await second.nextMessage())['text'], 'both');
  assert.equal((await other.nextMessage())['text'], 'both');
  await Promise.all([second.close(), other.close(), sender.close()]);
});
