import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Server } from '../../src/server.ts';
import { putGroup } from '../support/admin.ts';
import { connectMessaging, connectTcp, connectWebSocket } from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import { drained, until } from '../support/messaging.ts';
import { startTestServer } from '../support/server.ts';

for (const workers of [1, 2, 4]) {
  const ids = new Ids(workers);
  let server: Server;

  before(async () => (server = await startTestServer({ workers })));
  after(() => server.close());

  const on = `with ${workers} ${workers === 1 ? 'worker' : 'workers'}`;

  test(`A group is the rid "#7", and its messages go to all members in both protocols, ${on}.`, async () => {
    for (const gid of [ids.mid(0), ids.mid(1)]) {
      const members = Array.from({ length: 4 }, (_, shard) => ids.mid(shard));
      await putGroup(server, gid, members);
      const messaging = await Promise.all(members.map((mid) => connectMessaging(server, mid)));
      const comet = await Promise.all(members.map((mid) => connectTcp(server, mid)));
      const [sender] = messaging;
      const id = sender?.sendToGroup(gid, { text: 'hello' });
      const whole = { text: 'hello', id, sid: members[0], rid: `#${gid}` };
      for (const client of messaging.slice(1)) assert.deepEqual(await client.nextMessage(), whole);
      for (const client of comet) {
        const { group, chatId, from, to, text } = await client.nextMessage();
        assert.deepEqual([group, chatId, from, to, JSON.parse(text)], [true, 1, members[0], gid, whole]);
      }
      assert.equal(await comet[1]?.sendToGroup(gid, 'from comet'), 2);
      const expected = { id: `g:${gid}:2`, sid: members[1], rid: `#${gid}`, chatId: 2, text: 'from comet' };
      for (const client of messaging) assert.deepEqual(await client.nextMessage(), expected); // not its own before
      for (const client of comet)
        if (client !== comet[1]) assert.equal((await client.nextMessage()).chatId, 2);
      await Promise.all([...messaging, ...comet].map((client) => client.close()));
    }
  });

  test(`Group messages come once, by cursor: what was delivered is not unread, and reading one is no error, ${on}.`, async () => {
    const gid = ids.mid(0);
    const [a, b] = [ids.mid(0), ids.mid(1)];
    await putGroup(server, gid, [a, b]);
    const open = server.connections;
    const sender = await connectWebSocket(server, a);
    const first = await connectMessaging(server, b);
    await sender.sendToGroup(gid, 'one');
    const one = await first.nextMessage();
    assert.equal(one['text'], 'one');
    first.read(one);
    await first.close();
    await until(() => server.connections === open + 1, 'the connection is gone');
    for (const text of ['two', 'three']) await sender.sendToGroup(gid, text);
    const second = await connectMessaging(server, b);
    assert.deepEqual(
      (await second.nextMessages(2)).map(({ text }) => text),
      ['two', 'three'],
    );
    second.sendSections({ read: [{ id: `g:${gid}:2` }], send: 1 });
    assert.equal((await second.nextError()).section, 'send'); // the only error
    await second.close();
    await until(() => server.connections === open + 1, 'the connection is gone');
    await sender.sendToGroup(gid, 'four');
    const third = await connectMessaging(server, b);
    assert.equal((await third.nextMessage())['text'], 'four');
    assert.deepEqual(await drained(third, sender), []);
    await Promise.all([third.close(), sender.close()]);
  });

  test(`Group messages and unread messages come together on connecting, ${on}.`, async () => {
    const gid = ids.mid(1);
    const [a, b] = [ids.mid(0), ids.mid(1)];
    await putGroup(server, gid, [a, b]);
    const sender = await connectWebSocket(server, a);
    for (let i = 0; i < 10; i++) {
      await sender.sendToGroup(gid, `group ${i}`);
      await sender.send(b, `pair ${i}`);
    }
    const receiver = await connectMessaging(server, b);
    const texts = (await receiver.nextMessages(20)).map(({ text }) => String(text));
    const numbers = Array.from({ length: 10 }, (_, i) => i);
    assert.deepEqual(
      texts.filter((text) => text.startsWith('group')),
      numbers.map((i) => `group ${i}`),
    );
    assert.deepEqual(
      texts.filter((text) => text.startsWith('pair')),
      numbers.map((i) => `pair ${i}`),
    );
    await Promise.all([receiver.close(), sender.close()]);
  });

  test(`The same id sent twice to a group is two messages, ${on}.`, async () => {
    const gid = ids.mid(0);
    const [a, b] = [ids.mid(1), ids.mid(0)];
    await putGroup(server, gid, [a, b]);
    const [sender, receiver] = await Promise.all([connectMessaging(server, a), connectMessaging(server, b)]);
    const message = { id: 1, sid: a, rid: `#${gid}` };
    sender.sendSections({ send: [message, message] });
    assert.deepEqual(await receiver.nextMessages(2), [message, message]);
    await Promise.all([sender.close(), receiver.close()]);
  });

  test(`A group that is not there, or has another membership, refuses with its code, ${on}.`, async () => {
    for (const shard of [0, 1]) {
      const gid = ids.mid(shard);
      await putGroup(server, gid, [ids.mid(0)]);
      const client = await connectMessaging(server, ids.mid(0));
      const rids = { [`#${gid}`]: 'not_member', [`#${ids.mid(shard)}`]: 'no_such_group' };
      for (const [rid, code] of Object.entries(rids)) {
        const id = client.send(rid, {});
        const { section, id: told, error } = await client.nextError();
        assert.deepEqual([section, told, error], ['send', id, code]);
      }
      await client.close();
    }
  });
}

const ids = new Ids(2);
let server: Server;
before(async () => (server = await startTestServer()));
after(() => server.close());

test('A string client can send to no group.', async () => {
  const client = await connectMessaging(server, ids.name());
  const gid = ids.mid();
  await putGroup(server, gid, [ids.mid()]);
  const id = client.send(`#${gid}`, {});
  const { id: told, error } = await client.nextError();
  assert.deepEqual([told, error], [id, 'not_supported']);
  await client.close();
});

for (const rid of ['#news', '#', '#0', '#07', '#2147483648', '#7 ', '#-7', '##7']) {
  test(`The rid "${rid}" is not supported yet, and is no string client either.`, async () => {
    const client = await connectMessaging(server, ids.mid());
    const id = client.send(rid, {});
    const { section, id: told, error } = await client.nextError();
    assert.deepEqual([section, told, error], ['send', id, 'not_supported']);
    await client.close();
  });
}
