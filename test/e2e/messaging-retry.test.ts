import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Id, MessagingClient } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { connectMessaging, connectWebSocket } from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import { drained, idsOf, settled, unreadOf, watchMessaging } from '../support/messaging.ts';
import { startTestServer } from '../support/server.ts';

for (const workers of [1, 2, 4]) {
  const ids = new Ids(workers);
  let server: Server;

  before(async () => (server = await startTestServer({ workers })));
  after(() => server.close());

  const on = `with ${workers} ${workers === 1 ? 'worker' : 'workers'}`;

  /** Sender and receiver; the lower one owns the conversation, so both ways are both directions. */
  const directions = (): (readonly [Id, Id])[] => {
    const pairs = [
      [ids.mid(0), ids.mid(1)],
      [ids.name(0), ids.name(1)],
      [ids.mid(1), ids.name(0)],
      [ids.mid(0), ids.mid(0)],
    ] as const;
    return pairs.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]);
  };

  function say(sender: MessagingClient, rid: Id, id: Id, text: string): void {
    sender.sendSections({ send: [{ id, sid: sender.clientId, rid, text }] });
  }

  test(`The same sid and id sent again while the first is unread is kept once, as it was first, ${on}.`, async () => {
    for (const [from, to] of directions()) {
      const opening = await connectMessaging(server, to); // so that a mid has a mailbox
      await settled(server, opening); // attached, not only open
      await opening.close();
      const sender = await connectMessaging(server, from);
      say(sender, to, 5, 'first');
      say(sender, to, '5', 'again');
      const receiver = await connectMessaging(server, to);
      say(sender, to, 5, 'again while it is connected');
      assert.deepEqual(
        (await drained(receiver, sender)).map(({ text }) => text),
        ['first'],
      );
      await Promise.all([receiver.close(), sender.close()]);
      // On another connection of the sender as well, and the first is still there.
      const anew = await connectMessaging(server, from);
      say(anew, to, 5, 'again on another connection');
      assert.deepEqual(
        (await unreadOf(server, to, anew)).map(({ text }) => text),
        ['first'],
      );
      await anew.close();
    }
  });

  test(`After the first was read the same id is a new message, ${on}.`, async () => {
    for (const [from, to] of directions()) {
      const receiver = await connectMessaging(server, to);
      const sender = await connectMessaging(server, from);
      await drained(receiver, sender);
      for (let round = 0; round < 3; round++) {
        say(sender, to, 'id', `round ${round}`);
        say(sender, to, 'id', 'again');
        assert.deepEqual(
          (await drained(receiver, sender)).map(({ text }) => text),
          [`round ${round}`],
        );
        receiver.read({ id: 'id' });
        // Whoever owns the conversation knows of the reading when something from behind it has come.
        await drained(receiver, sender);
        receiver.send(from, { text: 'I have read it' });
        await sender.nextMessage();
      }
      await Promise.all([receiver.close(), sender.close()]);
    }
  });

  test(`Different senders may use the same id, and both sides of a conversation too, ${on}.`, async () => {
    const receiverId = ids.name(1);
    const senders = await Promise.all(
      [ids.name(0), ids.mid(0), ids.name(1)].map((id) => connectMessaging(server, id)),
    );
    const receiver = await connectMessaging(server, receiverId);
    for (const sender of senders) {
      say(sender, receiverId, 'same', 'to');
      assert.equal((await receiver.nextMessage()).sid, sender.clientId);
      say(receiver, sender.clientId, 'same', 'back');
      assert.equal((await sender.nextMessage()).sid, receiverId);
    }
    await Promise.all([...senders, receiver].map((client) => client.close()));
  });

  test(`A retry within one frame is kept once as well, ${on}.`, async () => {
    for (const [from, to] of [
      [ids.name(0), ids.name(1)],
      [ids.name(1), ids.name(0)],
    ] as const) {
      const sender = await connectMessaging(server, from);
      const message = { id: 1, sid: from, rid: to };
      sender.sendSections({ send: [message, message, { ...message, id: 2 }, message] });
      assert.deepEqual(idsOf(await unreadOf(server, to, sender)), [1, 2]);
      await sender.close();
    }
  });

  test(`Ids that differ only beyond the precision of a double are two messages, ${on}.`, async () => {
    const [from, to] = [ids.name(0), ids.name(1)];
    const { client: receiver, texts } = await watchMessaging(server, to);
    const sender = await connectMessaging(server, from);
    const messages = ['9007199254740992', '9007199254740993', '9007199254740992', '"9007199254740993"'].map(
      (id) => `{"id":${id},"sid":"${from}","rid":"${to}"}`,
    );
    for (const message of messages) sender.sendRaw(`{"send":[${message}]}`);
    assert.equal((await drained(receiver, sender)).length, 2);
    const ids64 = texts.join('').match(/"id":\d+/g);
    assert.deepEqual(ids64, ['"id":9007199254740992', '"id":9007199254740993']);
    await Promise.all([sender.close(), receiver.close()]);
  });

  test(`To a mid that has only comet clients the same id sent twice is two messages, ${on}.`, async () => {
    for (const [from, to] of [
      [ids.name(0), ids.mid(1)],
      [ids.mid(0), ids.mid(1)],
      [ids.mid(1), ids.mid(0)],
    ] as const) {
      const sender = await connectMessaging(server, from);
      const receiver = await connectWebSocket(server, to);
      say(sender, to, 'same', 'first');
      say(sender, to, 'same', 'second');
      const texts = (await receiver.nextMessages(2)).map(({ msg }) => (msg as { text: string }).text);
      assert.deepEqual(texts, ['first', 'second']);
      await Promise.all([sender.close(), receiver.close()]);
    }
  });
}
