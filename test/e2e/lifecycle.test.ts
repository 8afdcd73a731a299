import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { encodePackage, PackageReader } from '../../src/client/frames.ts';
import { adminRequest } from '../support/admin.ts';
import {
  connectMessaging,
  connectTcp,
  connectWebSocket,
  connectWebSocketBinary,
  openTcp,
} from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import { spawnServer, startTestServer } from '../support/server.ts';
import type { Address } from '../support/server.ts';

const ids = new Ids(2);

/** A TCP client that is authenticated and, at the end, does not close its side. */
async function stubborn(
  { host, port }: Address,
  mid: number,
): Promise<{ end: Promise<unknown>; destroy: () => void }> {
  const socket = connect({ host, port, allowHalfOpen: true });
  const reader = new PackageReader();
  const opened = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      for (const { op, body } of reader.read(chunk)) {
        if (op === 8) resolve();
        if (op === 6) socket.emit('op6', JSON.parse(String(body)));
      }
    });
  });
  const end = once(socket, 'op6').then(([closed]) => closed as unknown);
  socket.on('error', () => {});
  socket.write(
    encodePackage({ ver: 1, op: 7, seq: 1, body: Buffer.from(JSON.stringify({ mid, mkey: '' })) }),
  );
  await opened;
  return { end, destroy: () => socket.destroy() };
}

async function refusesConnections({ host, port }: Address): Promise<boolean> {
  const socket = connect({ host, port });
  const code = await once(socket, 'connect').then(
    () => 'connected',
    (error: NodeJS.ErrnoException) => error.code,
  );
  socket.destroy();
  return code === 'ECONNREFUSED';
}

test('A drain answers every request that was read, on every shard, and tells all clients 1001.', async () => {
  const server = await startTestServer();
  // Lower mids own their pairs: some on the sender's shard, some on the other one.
  const lower = [ids.mid(0), ids.mid(1), ids.mid(0)];
  const tcp = await connectTcp(server, ids.mid(1));
  const binary = await connectWebSocketBinary(server, ids.mid(0));
  const json = await connectWebSocket(server, ids.mid(1));
  const messaging = await connectMessaging(server, ids.name(0));
  const idle = await connectTcp(server, ids.mid(0));
  const nobody = await openTcp(server);
  const requests = [tcp, binary, json].map((client) => {
    const sent: Promise<number>[] = [];
    // One write: the server has read all of it when it answers the first, and cannot have handled it.
    if (client === tcp) tcp.socket.cork();
    for (let i = 0; i < (client === tcp ? 2_100 : 300); i++)
      sent.push(client.send(lower[i % 3] ?? 0, `m${i}`));
    if (client === tcp) tcp.socket.uncork();
    return sent;
  });
  await requests[0]?.[0];
  const end = server.drain();
  const numbers = await Promise.all(requests[0] ?? []);
  assert.deepEqual(
    numbers,
    Array.from({ length: 2_100 }, (_, i) => Math.floor(i / 3) + 1),
  );
  for (const some of requests.slice(1)) {
    // On a WebSocket each is a message: what was read is a part, without gaps, from the first on.
    const outcomes = (await Promise.allSettled(some)).map(({ status }) => status);
    const answered = outcomes.filter((status) => status === 'fulfilled').length;
    assert.deepEqual(
      outcomes.slice(0, answered),
      Array.from({ length: answered }, () => 'fulfilled'),
    );
  }
  const clients = [tcp, binary, json, messaging, idle, nobody];
  const codes = await Promise.all(clients.map(async ({ closed }) => (await closed).code));
  assert.deepEqual(codes, [1001, 1001, 1001, 1001, 1001, 1001]);
  await end;
  assert.equal(server.connections, 0);
});

test('What is acknowledged during a drain was stored and delivered to receivers that are still there.', async () => {
  const server = await startTestServer({ workers: 1 });
  const [a, b] = [ids.mid(), ids.mid()];
  const receiver = await connectTcp(server, b);
  const sender = await connectTcp(server, a);
  sender.socket.cork();
  const sent = Array.from({ length: 200 }, (_, i) => sender.send(b, `m${i}`));
  sender.socket.uncork();
  await sent[0];
  await Promise.all([server.drain(), Promise.all(sent), receiver.closed]);
  const got = await receiver.nextMessages(receiver.waitingMessages);
  assert.deepEqual(
    got.map(({ chatId }) => chatId),
    got.map((_, i) => i + 1),
  );
  assert.ok(got.length > 0);
});

test('While a server drains it takes no connections, says so on readyz, and cuts a client that does not leave.', async () => {
  const server = await startTestServer({ drainTimeoutMs: 1_000 });
  const client = await stubborn(server.tcpAddress, ids.mid());
  const { tcpAddress, httpAddress, adminAddress } = server;
  const begin = Date.now();
  const end = server.drain();
  const why = await client.end;
  assert.equal((why as { code: number }).code, 1001);
  assert.ok(await refusesConnections(tcpAddress));
  assert.ok(await refusesConnections(httpAddress));
  const { status, body } = await adminRequest(adminAddress, 'GET', '/readyz');
  assert.deepEqual([status, body], [503, { status: 'draining' }]);
  await end;
  const tookMs = Date.now() - begin;
  assert.ok(tookMs >= 900 && tookMs < 5_000, `${tookMs} ms`);
  assert.ok(await refusesConnections(adminAddress));
  client.destroy();
});

test('A server that nobody is connected to drains at once.', async () => {
  const server = await startTestServer({ drainTimeoutMs: 60_000 });
  const { tcpAddress } = server;
  const begin = Date.now();
  await server.drain();
  assert.ok(Date.now() - begin < 5_000);
  assert.ok(await refusesConnections(tcpAddress));
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} drains the process: requests are answered, clients get 1001, it exits with 0.`, async () => {
    const server = await spawnServer();
    const [a, b] = [ids.mid(0), ids.mid(1)];
    const tcp = await connectTcp(server, b);
    const webSocket = await connectWebSocket(server, a);
    const messaging = await connectMessaging(server, 'ann');
    tcp.socket.cork();
    const sent = Array.from({ length: 200 }, (_, i) => tcp.send(a, `m${i}`));
    tcp.socket.uncork();
    assert.equal(await sent[0], 1);
    const exit = server.stop(signal);
    assert.deepEqual(
      await Promise.all(sent),
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
    const codes = await Promise.all(
      [tcp, webSocket, messaging].map(async ({ closed }) => (await closed).code),
    );
    assert.deepEqual(codes, [1001, 1001, 1001]);
    const { code, signal: killedBy, stdout } = await exit;
    assert.deepEqual([code, killedBy, stdout], [0, null, `${server.readyLine}\n`]);
  });
}

test('A second signal ends the process at once.', async () => {
  const server = await spawnServer(['--drain-timeout', '60']);
  const client = await stubborn(server.tcpAddress, ids.mid());
  const begin = Date.now();
  const exit = server.stop('SIGTERM');
  await client.end; // the first one was heard
  server.child.kill('SIGINT');
  const { code } = await exit;
  assert.equal(code, 130);
  assert.ok(Date.now() - begin < 2_000);
  client.destroy();
});

test('The process exits within the drain timeout although a client does not leave.', async () => {
  const server = await spawnServer(['--drain-timeout', '0.5']);
  const client = await stubborn(server.tcpAddress, ids.mid());
  const begin = Date.now();
  const { code } = await server.stop('SIGTERM');
  assert.equal(code, 0);
  assert.ok(Date.now() - begin < 3_000);
  client.destroy();
});
