import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Accepted, Id, MessagingClient } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { putGroup } from '../support/admin.ts';
import { connectMessaging, connectTcp } from '../support/clients.ts';
import { within } from '../support/comet.ts';
import { Ids } from '../support/ids.ts';
import {
  getRequest,
  rawHttp,
  settled,
  statusOf,
  upgradeRequest,
  watchMessaging,
} from '../support/messaging.ts';
import { startTestServer } from '../support/server.ts';

/** The next entries of `accepted`. */
function accepts(client: MessagingClient, count: number): Promise<Accepted[]> {
  const entries: Accepted[] = [];
  const all = new Promise<Accepted[]>((resolve) => {
    client.on('accepted', (entry) => {
      if (entries.push(entry) === count) resolve(entries);
    });
  });
  return within(all, `${count} accepted`);
}

for (const workers of [1, 2, 4]) {
  const ids = new Ids(workers);
  let server: Server;

  before(async () => (server = await startTestServer({ workers })));
  after(() => server.close());

  const on = `with ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
  const ackQuery = (clientId: Id): string => `client_id=${encodeURIComponent(clientId)}&ack=1`;

  test(`With ack=1 what is stored is told with its number, by the id with its type, ${on}.`, async () => {
    for (const [from, to] of [
      [ids.mid(0), ids.mid(1)],
      [ids.mid(1), ids.name(0)],
      [ids.name(1), ids.name(0)],
      [ids.name(0), ids.mid(0)],
    ] as const) {
      const { client, texts } = await watchMessaging(server, from, ackQuery(from));
      const send = [11, 'x3', 1.5, '11 "quoted"'].map((id) => ({ id, sid: from, rid: to }));
      const accepted = accepts(client, 5);
      client.sendSections({ send });
      client.sendSections({ send: [{ id: 12, sid: from, rid: from }] });
      // Two conversations, so the last one may be stored first: replies come in order all the same.
      assert.deepEqual(await accepted, [
        { id: 11, chatId: 1 },
        { id: 'x3', chatId: 2 },
        { id: 1.5, chatId: 3 },
        { id: '11 "quoted"', chatId: 4 },
        { id: 12, chatId: 1 },
      ]);
      for (const text of texts)
        assert.ok(text.startsWith('{"accepted":[') || text.startsWith('{"messages":['), text);
      await client.close();
    }
  });

  test(`Without ack=1 success stays silent, ${on}.`, async () => {
    const [from, to] = [ids.mid(0), ids.mid(1)];
    const { client, texts } = await watchMessaging(server, from);
    client.sendSections({ send: [{ id: 1, sid: from, rid: to }] });
    await settled(server, client);
    assert.deepEqual(
      texts.filter((text) => !text.startsWith('{"messages":')),
      [],
    );
    await client.close();
  });

  test(`A retry of a message that is unread is accepted with the number of the first, ${on}.`, async () => {
    const [from, to] = [ids.name(0), ids.mid(1)];
    const opening = await connectMessaging(server, to); // so that the mid has a mailbox
    await settled(server, opening);
    await opening.close();
    const first = await connectMessaging(server, from, { ack: true });
    const accepted = accepts(first, 3);
    for (const id of [5, 6, '5']) first.sendSections({ send: [{ id, sid: from, rid: to }] });
    assert.deepEqual(await accepted, [
      { id: 5, chatId: 1 },
      { id: 6, chatId: 2 },
      { id: '5', chatId: 1 },
    ]);
    await first.close();
    const second = await connectMessaging(server, from, { ack: true });
    const again = accepts(second, 1);
    second.sendSections({ send: [{ id: 6, sid: from, rid: to }] });
    assert.deepEqual(await again, [{ id: 6, chatId: 2 }]);
    await second.close();
  });

  test(`What is sent to a group is accepted, what is refused is in errors, ${on}.`, async () => {
    const [from, gid] = [ids.mid(0), ids.mid(1)];
    await putGroup(server, gid, [from]);
    const client = await connectMessaging(server, from, { ack: true });
    const accepted = accepts(client, 2);
    client.sendSections({
      send: [
        { id: 1, sid: from, rid: `#${gid}` },
        { id: 2, sid: from, rid: `#${ids.mid()}` },
        { id: 3, sid: 'somebody', rid: from },
        { id: 4, sid: from, rid: `#${gid}` },
      ],
    });
    assert.deepEqual(await accepted, [
      { id: 1, chatId: 1 },
      { id: 4, chatId: 2 },
    ]);
    const errors = [await client.nextError(), await client.nextError()];
    assert.deepEqual(errors.map(({ id, error }) => `${id} ${error}`).sort(), [
      '2 no_such_group',
      '3 bad_sender',
    ]);
    await client.close();
  });

  test(`No text has more than 256 accepted messages, and none is left out, ${on}.`, async () => {
    const [from, to] = [ids.mid(0), ids.mid(0)];
    const { client, texts } = await watchMessaging(server, from, ackQuery(from));
    const count = 1_000;
    const accepted = accepts(client, count);
    const send = Array.from({ length: count }, (_, i) => ({ id: i + 1, sid: from, rid: to }));
    client.sendSections({ send });
    assert.deepEqual(
      (await accepted).map(({ chatId }) => chatId),
      Array.from({ length: count }, (_, i) => i + 1),
    );
    const sizes = texts.map((text) => (JSON.parse(text) as { accepted: unknown[] }).accepted.length);
    assert.ok(Math.max(...sizes) === 256, sizes.join(' '));
    await client.close();
  });

  test(`Messages to a client with ack=1 stay until they are read, and comet sees what it sent, ${on}.`, async () => {
    const [mid, other] = [ids.mid(0), ids.mid(1)];
    const comet = await connectTcp(server, other);
    const first = await connectMessaging(server, mid, { ack: true });
    assert.equal(await first.sendAccepted(other, { text: 'hello' }), 1);
    assert.equal((await comet.nextMessage()).chatId, 1);
    assert.equal(await comet.send(mid, 'unread'), 2);
    assert.equal((await first.nextMessage())['text'], 'unread');
    await first.close();
    const second = await connectMessaging(server, mid, { ack: true });
    assert.equal((await second.nextMessage())['text'], 'unread');
    await Promise.all([comet.close(), second.close()]);
  });

  test(`Another value of ack than 1 is HTTP 400, ${on}.`, async () => {
    const address = server.httpAddress;
    for (const value of ['', '0', '2', 'true', '01']) {
      const answer = await rawHttp(address, upgradeRequest(`/messaging?client_id=a&ack=${value}`));
      assert.equal(statusOf(answer), 400, `ack=${value}`);
    }
    assert.equal(statusOf(await rawHttp(address, upgradeRequest('/messaging?ack=1'))), 401);
    assert.equal(statusOf(await rawHttp(address, getRequest('/messaging?client_id=a&ack=1'))), 426);
  });
}
