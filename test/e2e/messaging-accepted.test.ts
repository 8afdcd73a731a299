import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Id } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { putGroup } from '../support/admin.ts';
import { connectMessaging, connectTcp } from '../support/clients.ts';
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

/** Entries of `accepted`, but for those of the helpers, whose ids are long. */
function acceptedIn(texts: readonly string[]): unknown[] {
  const entries = texts.flatMap((text) => (JSON.parse(text) as { accepted?: { id: Id }[] }).accepted ?? []);
  return entries.filter(({ id }) => String(id).length === 1);
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
      const accepted: unknown[] = [];
      const all = new Promise<void>((resolve) => {
        client.on('accepted', (entry) => {
          if (accepted.push(entry) === 5) resolve();
        });
      });
      client.sendSections({ send });
      client.sendSections({ send: [{ id: 12, sid: from, rid: from }] });
      await all;
      // Two conversations, so the last one may be stored first: replies come in order all the same.
      assert.deepEqual(accepted, [
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
    const { client, texts } = await watchMessaging(server, from, ackQuery(from));
    const say = (id: Id): void => client.sendSections({ send: [{ id, sid: from, rid: to }] });
    for (const id of [5, 6, '5']) say(id);
    await settled(server, client);
    await client.close();
    const again = await watchMessaging(server, from, ackQuery(from));
    again.client.sendSections({ send: [{ id: 6, sid: from, rid: to }] });
    await settled(server, again.client);
    assert.deepEqual(acceptedIn([...texts, ...again.texts]), [
      { id: 5, chatId: 1 },
      { id: 6, chatId: 2 },
      { id: '5', chatId: 1 },
      { id: 6, chatId: 2 },
    ]);
    await again.client.close();
  });

  test(`What is sent to a group is accepted, what is refused is in errors, ${on}.`, async () => {
    const [from, gid] = [ids.mid(0), ids.mid(1)];
    await putGroup(server, gid, [from]);
    const { client, texts } = await watchMessaging(server, from, ackQuery(from));
    client.sendSections({
      send: [
        { id: 1, sid: from, rid: `#${gid}` },
        { id: 2, sid: from, rid: `#${ids.mid()}` },
        { id: 3, sid: 'somebody', rid: from },
        { id: 4, sid: from, rid: `#${gid}` },
      ],
    });
    await settled(server, client);
    const sections = texts.map((text) => JSON.parse(text) as { errors?: { id: Id; error: string }[] });
    assert.deepEqual(acceptedIn(texts), [
      { id: 1, chatId: 1 },
      { id: 4, chatId: 2 },
    ]);
    assert.deepEqual(
      sections
        .flatMap(({ errors }) => errors ?? [])
        .map(({ id, error }) => `${id} ${error}`)
        .sort(),
      ['2 no_such_group', '3 bad_sender'],
    );
    await client.close();
  });

  test(`No text has more than 256 accepted messages, and none is left out, ${on}.`, async () => {
    const [from, to] = [ids.mid(0), ids.mid(0)];
    const { client, texts } = await watchMessaging(server, from, ackQuery(from));
    const count = 1_000;
    const chatIds: number[] = [];
    const all = new Promise<void>((resolve) => {
      client.on('accepted', ({ chatId }) => {
        if (chatIds.push(chatId) === count) resolve();
      });
    });
    const send = Array.from({ length: count }, (_, i) => ({ id: i + 1, sid: from, rid: to }));
    client.sendSections({ send });
    await all;
    assert.deepEqual(
      chatIds,
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
