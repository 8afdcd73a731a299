import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { CometTcpClient, ConnectionClosed, RequestRefused, WaitTimeout } from '../../src/client/index.ts';
import { encodePackage } from '../../src/client/frames.ts';
import type { Server } from '../../src/server.ts';
import { putGroup } from '../support/admin.ts';
import {
  cometKinds,
  connectComet,
  connectTcp,
  connectWebSocket,
  openTcp,
  openWebSocket,
} from '../support/clients.ts';
import { startTestServer } from '../support/server.ts';

let server: Server;
before(async () => void (server = await startTestServer()));
after(() => server.close());

let lastMid = 1_000;
const newMid = (): number => (lastMid += 1);

for (const kind of cometKinds) {
  for (const other of cometKinds) {
    test(`text, JSON and bytes go from ${kind} to ${other}`, async () => {
      const from = await connectComet(kind, server, newMid());
      const to = await connectComet(other, server, newMid());
      assert.equal(await from.send(to.mid, 'grüße'), 1);
      assert.equal(await from.send(to.mid, { a: [1, null] }), 2);
      assert.equal(await from.send(to.mid, Uint8Array.of(0xff, 0)), 3);
      const [text, json, bytes] = await to.nextMessages(3);
      assert.deepEqual([text?.group, text?.chatId, text?.from, text?.to], [false, 1, from.mid, to.mid]);
      assert.equal(text?.text, 'grüße');
      assert.equal(json?.text, '{"a":[1,null]}');
      assert.deepEqual(bytes?.msg, Buffer.of(0xff, 0));
      await Promise.all([from.close(), to.close()]);
    });
  }

  test(`a refused request rejects with its code over ${kind}`, async () => {
    const client = await connectComet(kind, server, newMid());
    await client.heartbeat();
    const code = kind === 'ws-json' ? 'no_such_group' : 'refused';
    await assert.rejects(client.sendToGroup(77, 'x'), new RequestRefused(code));
    await assert.rejects(
      client.authenticate({ mid: client.mid }),
      new RequestRefused('already_authenticated'),
    );
    assert.equal((await client.close()).code, 1000);
    await assert.rejects(client.send(1, 'x'), ConnectionClosed);
    await assert.rejects(client.nextMessage(), ConnectionClosed);
  });

  test(`a group's message reaches its other members over ${kind}`, async () => {
    const [one, two] = [
      await connectComet(kind, server, newMid()),
      await connectComet(kind, server, newMid()),
    ];
    await putGroup(server, one.mid, [one.mid, two.mid]);
    assert.equal(await one.sendToGroup(one.mid, 'all'), 1);
    const { group, to, text } = await two.nextMessage();
    assert.deepEqual([group, to, text], [true, one.mid, 'all']);
    assert.equal(one.waitingMessages, 0);
    await Promise.all([one.close(), two.close()]);
  });
}

for (const kind of cometKinds) {
  test(`what is acknowledged does not come again, and history is there to look back, over ${kind}`, async () => {
    const from = await connectTcp(server, newMid());
    const mid = newMid();
    for (const text of ['one', 'two', 'three']) await from.send(mid, text);
    const first = await connectComet(kind, server, mid, { device: 'phone', ack: true });
    const messages = await first.nextMessages(3);
    assert.equal(await first.acknowledge({ with: from.mid }, 2), 2);
    await first.close();
    const second = await connectComet(kind, server, mid, { device: 'phone', ack: true });
    assert.equal((await second.nextMessage()).text, 'three');
    assert.equal(await second.acknowledge({ with: from.mid }, 3), 3);
    assert.deepEqual(await second.history({ with: from.mid }), { messages, last: 3, more: false });
    const newest = await second.history({ with: from.mid }, { order: 'newest', limit: 1, before: 3 });
    assert.deepEqual([newest.messages[0]?.text, newest.more], ['two', true]);
    const code = kind === 'ws-json' ? 'not_member' : 'refused';
    await assert.rejects(second.acknowledge({ group: 77 }, 1), new RequestRefused(code));
    await assert.rejects(second.history({ group: 77 }), new RequestRefused(code));
    await Promise.all([from.close(), second.close()]);
  });
}

test('frames can be sent and read as they are', async () => {
  const client = await openWebSocket(server, 'json', { unpack: false });
  const mid = newMid();
  client.sendFrame({ ver: 1, op: 7, seq: 5, body: { mid, mkey: '' } });
  assert.deepEqual(await client.nextFrame(), { ver: 1, op: 8, seq: 5, body: { ret: 0, mid } });
  const sender = await connectTcp(server, newMid());
  await sender.send(mid, 'hi');
  const message = { chatId: 1, from: sender.mid, to: mid, msg: 'hi' };
  const frame = await client.nextFrame();
  assert.deepEqual(frame, { ver: 1, op: 9, seq: 0, body: [{ ver: 1, op: 18, seq: 0, body: message }] });
  client.sendRaw('not JSON');
  assert.equal((await client.closed).code, 1007);
  await sender.close();
});

test('over TCP the close code comes from op 6', async () => {
  const client = await openTcp(server);
  client.sendRaw(Buffer.alloc(16, 0xff));
  const closed = await client.closed;
  assert.equal(closed.code, 1002);
  assert.notEqual(closed.reason, '');
});

test('a listener gets the messages that nobody waits for', async () => {
  const [from, to] = [await connectTcp(server, newMid()), await connectWebSocket(server, newMid())];
  const heard = once(to, 'message');
  await from.send(to.mid, 'heard');
  assert.equal((await heard)[0].text, 'heard');
  assert.equal(to.waitingMessages, 0);
  await Promise.all([from.close(), to.close()]);
});

test('a listener gets what came before it, with the answer to op 7', async () => {
  for (const kind of cometKinds) {
    const [from, mid] = [await connectTcp(server, newMid()), newMid()];
    await from.send(mid, 'one');
    await from.send(mid, 'two');
    const to = await connectComet(kind, server, mid);
    await to.heartbeat(); // by now both are here, and nobody listens
    const heard: string[] = [];
    const two = new Promise<void>((resolve) => {
      to.on('message', ({ text }) => {
        heard.push(text);
        if (text === 'two') resolve();
      });
    });
    await two;
    assert.deepEqual(heard, ['one', 'two']);
    await Promise.all([from.close(), to.close()]);
  }
});

/** A TCP server that does what a test says, for what the real one never does. */
async function fake(t: TestContext, onSocket: (socket: Socket) => void): Promise<number> {
  const listener = createServer((socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  t.after(() => listener.close());
  await once(listener, 'listening');
  return (listener.address() as AddressInfo).port;
}

test('a server that is silent is an error, not a hang', async (t) => {
  const client = await CometTcpClient.open({
    port: await fake(t, (socket) => socket.resume()),
    timeoutMs: 20,
  });
  await assert.rejects(client.heartbeat(), WaitTimeout);
  await assert.rejects(client.nextFrame(), WaitTimeout);
  await client.close();
});

test('a server that is gone is an error', async (t) => {
  const port = await fake(t, (socket) => socket.destroy());
  await assert.rejects(CometTcpClient.connect({ port, mid: 1 }), ConnectionClosed);
  await assert.rejects(CometTcpClient.open({ port: 1 }), { code: 'ECONNREFUSED' });
});

test('a server that speaks something else is left', async (t) => {
  const other = await fake(t, (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  assert.equal((await (await CometTcpClient.open({ port: other })).closed).code, 1002);
  const frame = encodePackage({ ver: 1, op: 9, seq: 0, body: Buffer.from('x') });
  const badBatch = await fake(t, (socket) => socket.write(frame));
  assert.equal((await (await CometTcpClient.open({ port: badBatch })).closed).code, 1006);
});

test('heartbeats keep an idle connection alive', async () => {
  const short = await startTestServer({ idleTimeoutMs: 400 });
  try {
    const alive = await connectTcp(short, 1, { heartbeatMs: 100 });
    const idle = await connectTcp(short, 2);
    assert.equal((await idle.closed).code, 4408);
    await alive.heartbeat();
    await alive.close();
  } finally {
    await short.close();
  }
});
