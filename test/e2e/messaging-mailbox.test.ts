import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Notification } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { connectMessaging, connectTcp, connectWebSocket } from '../support/clients.ts';
import { storeOptions } from '../support/disk.ts';
import { Ids } from '../support/ids.ts';
import {
  drained,
  idsOf,
  nextMillisecond,
  settled,
  unreadOf,
  until,
  watchMessaging,
} from '../support/messaging.ts';
import { startTestServer } from '../support/server.ts';

for (const [workers, store] of [
  [1, 'memory'],
  [2, 'memory'],
  [4, 'memory'],
  [2, 'disk'],
] as const) {
  const ids = new Ids(workers);
  let server: Server;
  const atEnd: (() => void)[] = [];

  before(async () => {
    const kept = storeOptions({ after: (hook) => void atEnd.push(hook) }, store);
    server = await startTestServer({ ...kept, workers });
  });
  after(async () => {
    await server.close();
    for (const hook of atEnd) hook();
  });

  const on = `with ${workers} ${workers === 1 ? 'worker' : 'workers'}, ${store} store`;

  test(`Unread messages come again on each connection, oldest first across their senders, ${on}.`, async () => {
    for (const receiverId of [ids.mid(0), ids.name(workers - 1)]) {
      const mids = [ids.mid(1), ids.mid(2)];
      const senders = await Promise.all(
        [...mids, ids.name(0), ids.name(1)].map((id) => connectMessaging(server, id)),
      );
      const first = await connectMessaging(server, receiverId);
      const sent = [];
      for (let i = 0; i < 24; i++) {
        const sender = senders[(i * 7) % 4];
        sent.push(sender?.send(receiverId, { text: `message ${i}` }));
        await first.nextMessage();
        await nextMillisecond();
      }
      await first.close();
      for (let i = 0; i < 2; i++) {
        const again = await connectMessaging(server, receiverId);
        assert.deepEqual(idsOf(await again.nextMessages(24)), sent);
        assert.deepEqual(await drained(again, ...senders), []); // each once
        await again.close();
      }
      await Promise.all(senders.map((sender) => sender.close()));
    }
  });

  test(`Messages sent while nobody is there wait, and come before anything new, ${on}.`, async () => {
    for (const [from, to] of [
      [ids.name(0), ids.name(1)],
      [ids.mid(1), ids.name(0)],
      [ids.name(1), ids.name(0)],
    ] as const) {
      const sender = await connectMessaging(server, from);
      const sent = Array.from({ length: 20 }, () => sender.send(to, {}));
      const receiver = await connectMessaging(server, to);
      sent.push(sender.send(to, {}));
      assert.deepEqual(idsOf(await drained(receiver, sender)), sent);
      await Promise.all([sender.close(), receiver.close()]);
    }
  });

  test(`A message is deleted when it is read, by the string form of its id, ${on}.`, async () => {
    for (const receiverId of [ids.name(0), ids.name(1)]) {
      const sender = await connectMessaging(server, ids.name(1));
      const send = [1, '2', 'three', 4.5, 1e21, 6, '7'].map((id) => ({
        id,
        sid: sender.clientId,
        rid: receiverId,
      }));
      sender.sendSections({ send });
      const receiver = await connectMessaging(server, receiverId);
      await receiver.nextMessages(7);
      receiver.sendSections({
        read: [{ id: '1' }, { id: 2 }, { id: 'three' }, { id: 'unknown' }, { id: '4.5' }],
      });
      await receiver.close();
      assert.deepEqual(idsOf(await unreadOf(server, receiverId, sender)), [1e21, 6, '7']);
      const last = await connectMessaging(server, receiverId);
      last.read({ id: 6 }, { id: '1e+21' }, { id: 7, sid: sender.clientId });
      await last.close();
      assert.deepEqual(await unreadOf(server, receiverId, sender), []);
      await sender.close();
    }
  });

  test(`Reading an id deletes all messages with it, a sid narrows it to one sender, ${on}.`, async () => {
    const receiverId = ids.name(0);
    const mid = ids.mid(1);
    const senders = await Promise.all(
      [mid, ids.name(0), ids.name(1)].map((id) => connectMessaging(server, id)),
    );
    for (const sender of senders) {
      const { clientId: sid } = sender;
      sender.sendSections({
        send: [
          { id: 'same', sid, rid: receiverId },
          { id: 'all', sid, rid: receiverId },
        ],
      });
    }
    const receiver = await connectMessaging(server, receiverId);
    await receiver.nextMessages(6);
    // The sid of a mid in the other JSON type, and one that sent nothing.
    receiver.sendSections({
      read: [
        { id: 'same', sid: String(mid) },
        { id: 'same', sid: 'nobody' },
      ],
    });
    await receiver.close();
    const left = await unreadOf(server, receiverId, ...senders);
    const kept = left.filter(({ id }) => id === 'same').map(({ sid }) => sid);
    assert.deepEqual(new Set(kept), new Set(senders.slice(1).map(({ clientId }) => clientId)));
    assert.equal(left.length, 5);
    const again = await connectMessaging(server, receiverId);
    again.read({ id: 'all' });
    await again.close();
    const rest = await unreadOf(server, receiverId, ...senders);
    assert.deepEqual(idsOf(rest), ['same', 'same']);
    await Promise.all(senders.map((sender) => sender.close()));
  });

  test(`An id that was not sent on any connection yet can be read, ${on}.`, async () => {
    const receiverId = ids.name(0);
    const senders = await Promise.all([ids.mid(1), ids.name(1)].map((id) => connectMessaging(server, id)));
    for (const sender of senders) {
      // Another device of the sender sees what is stored.
      const mirror = await connectMessaging(server, sender.clientId, { deviceId: 'mirror' });
      await settled(server, mirror);
      const send = Array.from({ length: 400 }, (_, i) => ({
        id: `n${i}`,
        sid: sender.clientId,
        rid: receiverId,
      }));
      sender.sendSections({ send });
      await mirror.nextMessages(400);
      await mirror.close();
    }
    const query = `client_id=${receiverId}`;
    const read = { read: [{ id: 'n399' }, { id: 'n398', sid: senders[0]?.clientId }, { id: 'n1000' }] };
    const { client } = await watchMessaging(server, receiverId, query, read);
    await drained(client, ...senders);
    await client.close();
    // The log is searched for it: there is no event for the end of that.
    await until(
      async () => (await unreadOf(server, receiverId, ...senders)).length === 797,
      'three messages are read',
    );
    const left = await unreadOf(server, receiverId, ...senders);
    assert.deepEqual(
      left.filter(({ id }) => id === 'n398').map(({ sid }) => sid),
      [senders[1]?.clientId],
    );
    assert.deepEqual(
      left.filter(({ id }) => id === 'n399'),
      [],
    );
    await Promise.all(senders.map((sender) => sender.close()));
  });

  test(`The mailbox of a mid begins at its first messaging connection, with what was undelivered then, ${on}.`, async () => {
    const [a, b] = [ids.mid(0), ids.mid(1)];
    for (const [from, to] of [
      [a, b],
      [b, ids.mid(0)],
      [ids.mid(1), a],
    ] as const) {
      const open = server.connections;
      const sender = await connectWebSocket(server, from);
      const comet = await connectWebSocket(server, to);
      await sender.send(to, 'delivered to comet');
      assert.equal((await comet.nextMessage()).text, 'delivered to comet');
      await comet.close();
      await until(() => server.connections === open + 1, 'the connection is gone');
      await sender.send(to, 'undelivered');
      const first = await connectMessaging(server, to);
      assert.equal((await first.nextMessage())['text'], 'undelivered');
      await first.close();
      await sender.send(to, 'later');
      // From now on it is kept, delivered to comet or not.
      const later = await connectWebSocket(server, to);
      assert.equal((await later.nextMessage()).text, 'later');
      await sender.send(to, 'live');
      assert.equal((await later.nextMessage()).text, 'live');
      await later.close();
      const texts = (await unreadOf(server, to, sender)).map(({ text }) => text);
      assert.deepEqual(texts, ['undelivered', 'later', 'live']);
      await sender.close();
    }
  });

  test(`A mid that was delivered nothing gets everything at its first messaging connection, ${on}.`, async () => {
    const [a, b] = [ids.mid(0), ids.mid(1)];
    const sender = await connectWebSocket(server, a);
    for (let i = 0; i < 5; i++) await sender.send(b, `m${i}`);
    const texts = (await unreadOf(server, b, sender)).map(({ text }) => text);
    assert.deepEqual(texts, ['m0', 'm1', 'm2', 'm3', 'm4']);
    await sender.close();
  });

  test(`What a client sends is not in its own mailbox, except what it sends to itself, ${on}.`, async () => {
    for (const clientId of [ids.name(0), ids.mid(0)]) {
      const client = await connectMessaging(server, clientId);
      const other = await connectMessaging(server, ids.name(1));
      client.send(other.clientId, {});
      await other.nextMessage();
      const note = client.send(clientId, { text: 'a note' });
      await drained(client, other);
      await client.close();
      const again = await connectMessaging(server, clientId);
      assert.deepEqual(idsOf([await again.nextMessage()]), [note]);
      assert.deepEqual(await drained(again, other), []);
      await Promise.all([again.close(), other.close()]);
    }
  });

  test(`Messages that grow in JSON come in notifications of at most 256 KiB, a larger one alone, ${on}.`, async () => {
    const [from, to] = [ids.mid(0), ids.mid(1)];
    const sender = await connectTcp(server, from);
    // Each byte becomes six characters.
    const control = (bytes: number): Buffer => Buffer.alloc(bytes, 1);
    for (let i = 0; i < 60; i++) await sender.send(to, control(3_000));
    await sender.send(to, control(60_000));
    const { client, texts } = await watchMessaging(server, to);
    await client.nextMessages(61);
    for (const text of texts) {
      const { messages = [] } = JSON.parse(text) as Notification;
      assert.ok(
        messages.length === 1 || Buffer.byteLength(text) <= 262_144,
        `${messages.length} in ${text.length}`,
      );
    }
    await Promise.all([client.close(), sender.close()]);
  });

  test(`Unread messages come in notifications of at most 256 messages and 256 KiB, ${on}.`, async () => {
    const receiverId = ids.name(0);
    const sender = await connectMessaging(server, ids.name(1));
    const sid = sender.clientId;
    const small = Array.from({ length: 700 }, (_, i) => ({ id: i, sid, rid: receiverId }));
    sender.sendSections({ send: small });
    for (let i = 700; i < 720; i++) {
      sender.sendSections({ send: [{ id: i, sid, rid: receiverId, text: 'é'.repeat(30_000) }] });
    }
    const whole = Array.from({ length: 720 }, (_, i) => i);
    for (const live of [false, true]) {
      const { client, texts } = await watchMessaging(server, receiverId);
      if (live)
        sender.sendSections({ send: small.map((message) => ({ ...message, id: `live ${message.id}` })) });
      const got = await drained(client, sender);
      await client.close();
      const expected = live ? [...whole, ...whole.slice(0, 700).map((i) => `live ${i}`)] : whole;
      assert.deepEqual(idsOf(got), expected);
      for (const text of texts) {
        const { messages = [] } = JSON.parse(text) as Notification;
        assert.ok(messages.length <= 256, `${messages.length} messages`);
        assert.ok(Buffer.byteLength(text) <= 262_144, `${Buffer.byteLength(text)} bytes`);
      }
    }
    await sender.close();
  });
}
