import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { MessagingClient, MessagingError } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { connectMessaging } from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import { settled, unreadOf, watchMessaging } from '../support/messaging.ts';
import { startTestServer } from '../support/server.ts';

for (const workers of [1, 2, 4]) {
  const ids = new Ids(workers);
  let server: Server;

  before(async () => (server = await startTestServer({ workers })));
  after(() => server.close());

  const on = `with ${workers} ${workers === 1 ? 'worker' : 'workers'}`;

  test(`A message goes to its receiver at once, whoever owns the conversation, ${on}.`, async () => {
    const shards = Array.from({ length: workers }, (_, shard) => shard);
    const clients = await Promise.all(
      shards.flatMap((shard) => [ids.mid(shard), ids.name(shard)]).map((id) => connectMessaging(server, id)),
    );
    for (const sender of clients) {
      for (const receiver of clients) {
        if (sender === receiver) continue;
        const id = sender.send(receiver.clientId, { text: 'hello' });
        const message = await receiver.nextMessage();
        assert.deepEqual(message, { text: 'hello', id, sid: sender.clientId, rid: receiver.clientId });
      }
    }
    for (const client of clients) assert.deepEqual(await settled(server, client), []);
    await Promise.all(clients.map((client) => client.close()));
  });

  test(`One frame sends many messages to many receivers, each in order, ${on}.`, async () => {
    const sender = await connectMessaging(server, ids.name(0));
    const receivers = await Promise.all(
      Array.from({ length: 4 }, (_, shard) => connectMessaging(server, ids.name(shard))),
    );
    const send = Array.from({ length: 100 }, (_, i) => ({
      id: i,
      sid: sender.clientId,
      rid: receivers[i % 4]?.clientId ?? '',
    }));
    sender.sendSections({ send });
    for (const [i, receiver] of receivers.entries()) {
      const numbers = (await receiver.nextMessages(25)).map(({ id }) => id);
      assert.deepEqual(
        numbers,
        Array.from({ length: 25 }, (_, n) => n * 4 + i),
      );
    }
    await Promise.all([sender, ...receivers].map((client) => client.close()));
  });

  test(`Each bad message of a frame gets its own error, and the good ones are sent, ${on}.`, async () => {
    const receiver = await connectMessaging(server, ids.name(1));
    const sender = await connectMessaging(server, ids.name(0));
    const [sid, rid] = [sender.clientId, receiver.clientId];
    sender.sendRaw(
      JSON.stringify({
        send: [
          { id: 'good-1', sid, rid },
          { id: 'b1', sid },
          { id: 2, rid },
          { sid, rid },
          { id: '', sid, rid },
          { id: null, sid, rid },
          { id: 'b3', sid: {}, rid },
          { id: 'b4', sid, rid: '' },
          { id: 'b5', sid: 'somebody-else', rid },
          { id: 'b6', sid, rid: '0' },
          { id: 'b7', sid, rid: 'r'.repeat(129) },
          'no object',
          null,
          [],
          { id: 'good-2', sid, rid },
          { id: 'b8', sid, rid: true },
        ],
      }),
    );
    const errors: MessagingError[] = [];
    while (errors.length < 14) errors.push(await sender.nextError());
    for (const error of errors) {
      assert.equal(error.section, 'send');
      assert.equal(typeof error.reason, 'string');
    }
    const told = errors.map(({ id, error }) => `${JSON.stringify(id)} ${error}`).sort();
    assert.deepEqual(
      told,
      [
        '"b1" missing_field',
        '2 missing_field',
        'undefined missing_field',
        'undefined missing_field',
        'undefined missing_field',
        '"b3" missing_field',
        '"b4" missing_field',
        '"b5" bad_sender',
        '"b6" bad_recipient',
        '"b7" bad_recipient',
        'undefined missing_field',
        'undefined missing_field',
        'undefined missing_field',
        '"b8" missing_field',
      ].sort(),
    );
    assert.deepEqual(
      (await receiver.nextMessages(2)).map(({ id }) => id),
      ['good-1', 'good-2'],
    );
    await settled(server, sender); // it lives
    await Promise.all([sender.close(), receiver.close()]);
  });

  test(`Ids keep their JSON type and all other fields arrive as they were written, ${on}.`, async () => {
    const mid = ids.mid(0);
    const { client: receiver, texts } = await watchMessaging(server, ids.mid(workers - 1));
    const sender = await connectMessaging(server, mid);
    const raw = [
      `{"id":11,"sid":${mid},"rid":${receiver.clientId},"text":"hello"}`,
      `{"id":"12","sid":"${mid}","rid":"${receiver.clientId}","n":12345678901234567890}`,
      `{"a":9007199254740993, "b":1.0,"c":1e999,"d":-0 ,"e":[ ],"id":1.5,"sid":${mid},"rid":"${receiver.clientId}"}`,
      String.raw`{"id":"\u0061é🙂","sid":${mid},"rid":${receiver.clientId},"__proto__":{"x":1},"":null,"t":"\u2028\/"}`,
    ];
    for (const message of raw) {
      sender.sendRaw(`{"send":[ ${message} ]}`);
      await receiver.nextMessage();
    }
    assert.deepEqual(
      texts,
      raw.map((message) => `{"messages":[${message}]}`),
    );
    await Promise.all([sender.close(), receiver.close()]);
  });
}

const ids = new Ids(2);
let server: Server;
before(async () => (server = await startTestServer()));
after(() => server.close());

async function stranger(): Promise<MessagingClient> {
  return connectMessaging(server, ids.name());
}

for (const text of ['', '{', 'null', '[]', '1', '"send"', 'true', '{"send":[}', '\u0000']) {
  test(`The text ${JSON.stringify(text)} is answered with not_json, and the connection lives.`, async () => {
    const one = await stranger();
    one.sendRaw(text);
    const { error, reason, ...others } = await one.nextError();
    assert.deepEqual([error, typeof reason, others], ['not_json', 'string', {}]);
    assert.deepEqual(await settled(server, one), []);
    await one.close();
  });
}

for (const section of ['send', 'read']) {
  for (const value of [null, {}, 1, 'x', true]) {
    test(`The section ${section} as ${JSON.stringify(value)} is answered with bad_section, and the connection lives.`, async () => {
      const one = await stranger();
      one.sendSections({ [section]: value });
      const error = await one.nextError();
      assert.deepEqual([error.error, error.section], ['bad_section', section]);
      assert.deepEqual(await settled(server, one), []);
      await one.close();
    });
  }
}

test('A section of the wrong type does not spoil the other one of its frame.', async () => {
  const [one, other] = [await stranger(), await stranger()];
  one.sendSections({ send: [{ id: 'kept', sid: one.clientId, rid: other.clientId }], read: 7 });
  assert.equal((await other.nextMessage()).id, 'kept');
  assert.equal((await one.nextError()).section, 'read');
  await Promise.all([one.close(), other.close()]);
});

test('Unknown sections are ignored, whatever they hold.', async () => {
  const [one, other] = [await stranger(), await stranger()];
  const send = [{ id: 1, sid: one.clientId, rid: other.clientId }];
  one.sendSections({ typing: true, messages: [{}], errors: 'x', SEND: 1, ['__proto__']: null, send });
  assert.equal((await other.nextMessage()).id, 1);
  one.sendSections({});
  one.sendRaw('{"send":[],"read":[]}');
  one.sendRaw('not JSON');
  assert.equal((await one.nextError()).error, 'not_json'); // the first error there was
  await Promise.all([one.close(), other.close()]);
});

test('A bad entry of read gets its own error with its id, and the good ones are carried out.', async () => {
  const [one, other] = [await stranger(), await stranger()];
  other.sendSections({ send: [{ id: 'r1', sid: other.clientId, rid: one.clientId }] });
  await one.nextMessage();
  one.sendSections({ read: [{}, 3, { id: '' }, { id: 'r1', sid: false }, { id: 'r1' }] });
  const errors = [await one.nextError(), await one.nextError(), await one.nextError(), await one.nextError()];
  assert.deepEqual(
    new Set(errors.map(({ error, section }) => `${section} ${error}`)),
    new Set(['read missing_field']),
  );
  assert.deepEqual(
    errors.map(({ id }) => id),
    [undefined, undefined, undefined, 'r1'],
  );
  await one.close();
  assert.deepEqual(await unreadOf(server, one.clientId, other), []);
  await other.close();
});

test('The sender of a message is the client of the connection, in its string form.', async () => {
  const mid = ids.mid();
  const [one, other] = [await connectMessaging(server, mid), await stranger()];
  for (const [sid, good] of [
    [mid, true],
    [String(mid), true],
    [mid + 1, false],
    [`0${mid}`, false],
    [`${mid}.0`, false],
  ]) {
    one.sendSections({ send: [{ id: `${typeof sid} ${sid}`, sid, rid: other.clientId }] });
    if (good === true) assert.equal((await other.nextMessage()).sid, sid);
    else assert.equal((await one.nextError()).error, 'bad_sender');
  }
  await Promise.all([one.close(), other.close()]);
});

test('What a client sends and reads right before it closes its connection is carried out.', async () => {
  const receiver = await stranger();
  for (let i = 0; i < 20; i++) {
    const clientId = ids.name();
    receiver.send(clientId, { n: i });
    const sender = await connectMessaging(server, clientId);
    const id = sender.send(receiver.clientId, { n: i });
    await sender.close();
    assert.equal((await receiver.nextMessage()).id, id);
    const reader = await connectMessaging(server, clientId);
    const { id: unread } = await reader.nextMessage();
    await reader.close();
    const quick = await connectMessaging(server, clientId);
    quick.read({ id: unread });
    await quick.close();
    assert.deepEqual(await unreadOf(server, clientId, receiver), []);
  }
  await receiver.close();
});
