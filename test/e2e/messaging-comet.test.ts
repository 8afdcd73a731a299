import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Content } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import {
  cometKinds,
  connectComet,
  connectMessaging,
  connectTcp,
  connectWebSocket,
} from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import { watchMessaging } from '../support/messaging.ts';
import { startTestServer } from '../support/server.ts';

for (const workers of [1, 2, 4]) {
  const ids = new Ids(workers);
  let server: Server;

  before(async () => (server = await startTestServer({ workers })));
  after(() => server.close());

  const on = `with ${workers} ${workers === 1 ? 'worker' : 'workers'}`;

  test(`A message to a mid reaches all its connections in both protocols, from either protocol, ${on}.`, async () => {
    for (const [from, to] of [
      [ids.mid(0), ids.mid(1)],
      [ids.mid(1), ids.mid(0)],
    ] as const) {
      const comet = await Promise.all(cometKinds.map((kind) => connectComet(kind, server, to)));
      const messaging = await connectMessaging(server, String(to));
      const cometSender = await connectComet('tcp', server, from);
      const messagingSender = await connectMessaging(server, from);
      const chatId = await cometSender.send(to, 'from comet');
      for (const client of comet) {
        const message = await client.nextMessage();
        assert.deepEqual(
          [message.chatId, message.from, message.to, message.text],
          [chatId, from, to, 'from comet'],
        );
      }
      const id = `c:${Math.min(from, to)}:${Math.max(from, to)}:${chatId}`;
      const expected = { id, sid: from, rid: to, chatId, text: 'from comet' };
      assert.deepEqual(await messaging.nextMessage(), expected);
      assert.deepEqual(await messagingSender.nextMessage(), expected); // the sender's other connection
      messagingSender.sendSections({ send: [{ id: 9, sid: from, rid: String(to), n: [1] }] });
      const sent = { id: 9, sid: from, rid: String(to), n: [1] };
      assert.deepEqual(await messaging.nextMessage(), sent);
      for (const client of [...comet, cometSender]) {
        const message = await client.nextMessage();
        assert.deepEqual([message.chatId, message.from, message.to], [chatId + 1, from, to]);
        assert.equal(message.text, JSON.stringify(sent));
      }
      await Promise.all([...comet, messaging, cometSender, messagingSender].map((client) => client.close()));
    }
  });

  const conversions: readonly [string, Content, string][] = [
    ['text', 'héllo "\u2028\n🙂', String.raw`"text":"héllo \"${'\u2028'}\n🙂"`],
    ['empty text', '', '"text":""'],
    [
      'a JSON object',
      { title: 'x', id: 'mine', sid: 1, rid: 2, chatId: 3, n: [1, null] },
      '"title":"x","n":[1,null]',
    ],
    ['a JSON array', [1, { a: 'b' }], '"text":[1,{"a":"b"}]'],
    ['a JSON number', 12.5, '"text":12.5'],
    ['JSON null', null, '"text":null'],
    ['JSON true', true, '"text":true'],
    ['bytes that are UTF-8', Buffer.from('é'), '"text":"é"'],
    ['bytes that are not UTF-8', Buffer.from([0xff, 0x00, 0x01]), '"base64":"/wAB"'],
  ];

  test(`Each kind of comet message has its form in messaging, ${on}.`, async () => {
    const [from, to] = [ids.mid(0), ids.mid(1)];
    const { client, texts } = await watchMessaging(server, to);
    const sender = await connectWebSocket(server, from);
    let expected: string[] = [];
    for (const [, content, members] of conversions) {
      const chatId = await sender.send(to, content);
      await client.nextMessage();
      expected.push(
        `{"id":"c:${from}:${to}:${chatId}","sid":${from},"rid":${to},"chatId":${chatId},${members}}`,
      );
    }
    expected = expected.map((message) => `{"messages":[${message}]}`);
    assert.deepEqual(
      texts.map((text) => JSON.parse(text) as unknown),
      expected.map((text) => JSON.parse(text) as unknown),
    );
    // Numbers are not read and written again.
    sender.sendRaw(
      `{"ver":1,"op":18,"seq":70,"body":{"from":${from},"to":${to},"msg":{"n":9007199254740993,"f":1.0}}}`,
    );
    await client.nextMessage();
    assert.match(texts.at(-1) ?? '', /"n":9007199254740993,"f":1\.0\}\]\}$/);
    await Promise.all([client.close(), sender.close()]);
  });

  test(`An empty JSON object from comet has no members of its own in messaging, ${on}.`, async () => {
    const [from, to] = [ids.mid(1), ids.mid(0)];
    const client = await connectMessaging(server, to);
    const sender = await connectWebSocket(server, from);
    const chatId = await sender.send(to, {});
    assert.deepEqual(await client.nextMessage(), {
      id: `c:${from}:${to}:${chatId}`,
      sid: from,
      rid: to,
      chatId,
    });
    await Promise.all([client.close(), sender.close()]);
  });

  test(`Towards comet a messaging message is the whole object as it was written, ${on}.`, async () => {
    const [from, to] = [ids.mid(1), ids.mid(0)];
    const sender = await connectMessaging(server, from);
    const json = await connectWebSocket(server, to, { unpack: false });
    const tcp = await connectTcp(server, to);
    const raw = `{"id":7, "sid":${from},"rid":"${to}","big":12345678901234567890,"e":1.0}`;
    sender.sendRaw(`{"send":[${raw}]}`);
    assert.equal((await tcp.nextMessage()).text, raw);
    const { op, body } = await json.nextFrame();
    const [frame] = body as [
      { op: number; body: { chatId: number; from: number; to: number; msg: { id: number } } },
    ];
    assert.deepEqual(
      [op, frame.op, frame.body.chatId, frame.body.from, frame.body.to, frame.body.msg.id],
      [9, 18, 1, from, to, 7],
    );
    await Promise.all([sender.close(), json.close(), tcp.close()]);
  });

  test(`A string client's message reaches comet with from 0 and is numbered like any other, ${on}.`, async () => {
    const [name, mid] = [ids.name(0), ids.mid(1)];
    const sender = await connectMessaging(server, name);
    const comet = await connectWebSocket(server, mid);
    for (let chatId = 1; chatId <= 3; chatId++) {
      const id = sender.send(mid, { n: chatId });
      const message = await comet.nextMessage();
      assert.deepEqual([message.chatId, message.from, message.to], [chatId, 0, mid]);
      assert.deepEqual(message.msg, { n: chatId, id, sid: name, rid: mid });
    }
    await Promise.all([sender.close(), comet.close()]);
  });

  test(`Both sides count together, whichever protocol they use, ${on}.`, async () => {
    const [a, b] = [ids.mid(0), ids.mid(1)];
    const cometA = await connectTcp(server, a);
    const cometB = await connectTcp(server, b);
    const messagingA = await connectMessaging(server, a);
    const messagingB = await connectMessaging(server, b);
    assert.equal(await cometA.send(b, '1'), 1);
    messagingB.send(a, {});
    const seen = await cometA.nextMessage();
    assert.equal(seen.chatId, 2);
    assert.equal(await cometB.send(a, '3'), 3);
    messagingA.send(b, {});
    const numbers = (await cometB.nextMessages(3)).map(({ chatId }) => chatId);
    assert.deepEqual(numbers, [1, 2, 4]); // 3 is its own
    await Promise.all([cometA, cometB, messagingA, messagingB].map((client) => client.close()));
  });

  test(`What one protocol of a mid read or was sent does not come again in comet, ${on}.`, async () => {
    const [from, to] = [ids.mid(0), ids.mid(1)];
    const sender = await connectTcp(server, from);
    await sender.send(to, 'delivered in messaging');
    const messaging = await connectMessaging(server, to);
    await messaging.nextMessage();
    await sender.send(to, 'live');
    await messaging.nextMessage();
    await messaging.close();
    await sender.send(to, 'for comet');
    const comet = await connectTcp(server, to);
    assert.equal((await comet.nextMessage()).text, 'for comet');
    await Promise.all([sender.close(), comet.close()]);
  });
}

const ids = new Ids(2);
let server: Server;
before(async () => (server = await startTestServer()));
after(() => server.close());

for (const [written, isMid] of [
  ['', true],
  ['0', false],
  ['+', false],
  [' ', false],
] as const) {
  test(`The client_id "${written}21…" is ${isMid ? 'the mid' : 'a string client of its own'}.`, async () => {
    const mid = ids.mid();
    const client = await connectMessaging(server, `${written}${mid}`);
    const sender = await connectWebSocket(server, ids.mid());
    await sender.send(mid, 'to the mid');
    const other = await connectMessaging(server, ids.name());
    other.send(`${written}${mid}`, { text: 'to the name' });
    const expected = isMid ? ['to the mid', 'to the name'] : ['to the name'];
    const got = (await client.nextMessages(expected.length)).map(({ text }) => text);
    assert.deepEqual(new Set(got), new Set(expected));
    await Promise.all([client, sender, other].map((one) => one.close()));
  });
}

test('A mid above 2147483647 is a string client in messaging.', async () => {
  const client = await connectMessaging(server, '2147483648');
  const largest = await connectMessaging(server, '2147483647');
  largest.send(2147483648, { text: 'to a name' });
  assert.equal((await client.nextMessage())['text'], 'to a name');
  client.send('2147483647', { text: 'to a mid' });
  assert.equal((await largest.nextMessage())['text'], 'to a mid');
  const comet = await connectWebSocket(server, 2147483647);
  await comet.send(2147483647, 'a note of comet');
  assert.equal((await largest.nextMessage())['text'], 'a note of comet');
  await Promise.all([client, largest, comet].map((one) => one.close()));
});
