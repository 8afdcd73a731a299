import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { decodePackages, encodePackage, PackageReader } from '../../src/client/frames.ts';
import { putGroup } from '../support/admin.ts';
import { cometKinds, connectComet, connectTcp, type CometKind } from '../support/clients.ts';
import { Wire, within } from '../support/comet.ts';
import { CometWebSocketClient } from '../../src/client/index.ts';
import type { CometClient, Frame } from '../../src/client/index.ts';
import { spawnServer, type SpawnedServer } from '../support/server.ts';

const MIB = 1_048_576;
let server: SpawnedServer;
before(async () => void (server = await spawnServer(['--workers', '2', '--log-level', 'warn'])));
after(() => server.stop('SIGKILL'));

function residentBytes(): number {
  const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1_024;
}

/** The kernel keeps what comes for it from now on, and no more than that. */
function stopReading(client: CometClient): () => void {
  const { socket } = client as unknown as { socket: { pause(): void; resume(): void } };
  socket.pause();
  return () => socket.resume();
}

/** Resolves when so many messages came; each must follow the one before it. */
function inOrder(client: CometClient, count: number, first: number, length: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = first;
    client.on('message', ({ chatId, text }) => {
      if (chatId !== next || text.length !== length || !text.startsWith(`${chatId}:`)) {
        reject(new Error(`message ${chatId} of ${text.length} characters where ${next} was due`));
      }
      next += 1;
      if (next === first + count) resolve();
    });
    void client.closed.then(({ code, reason }) =>
      reject(new Error(`closed: ${code} ${reason} before ${next}`)),
    );
  });
}

const length = 60_000;
const messages = 870; // 50 MiB, far over what kernels keep for a socket

for (const target of ['a user', 'a group'] as const) {
  test(`clients of ${target} that do not read cost no memory, and get everything in order when they read again`, async () => {
    const [mid, to] = target === 'a user' ? [101, 201] : [102, 202];
    const sender = await connectTcp(server, mid);
    if (target === 'a group') await putGroup(server, to, [mid, 203]);
    const receiver = target === 'a user' ? to : 203;
    const kinds: CometKind[] = [...cometKinds, ...cometKinds];
    const slow = await Promise.all(kinds.map((kind) => connectComet(kind, server, receiver)));
    const complete = slow.map((client) => inOrder(client, messages, 1, length));
    const readAgain = slow.map(stopReading);
    const quick = await connectTcp(server, receiver);
    const quickComplete = inOrder(quick, messages, 1, length);
    const atFirst = residentBytes();
    let most = atFirst;
    for (let chatId = 1; chatId <= messages; chatId += 10) {
      const group = Array.from({ length: 10 }, (_, i) => `${chatId + i}:`.padEnd(length, 'x'));
      const given = await Promise.all(
        group.map((text) => (target === 'a user' ? sender.send(to, text) : sender.sendToGroup(to, text))),
      );
      assert.equal(given[0], chatId);
      most = Math.max(most, residentBytes());
    }
    await within(quickComplete, 'everything', 30_000); // one that reads is not held up by those that do not
    const grown = (Math.max(most, residentBytes()) - atFirst) / MIB;
    // The store has 50 MiB and its segments' slack; six queues would be 300 more.
    assert.ok(grown < 200, `the server grew by ${grown.toFixed()} MiB`);
    for (const again of readAgain) again();
    await within(Promise.all(complete), 'everything', 30_000);
    await Promise.all([sender, quick, ...slow].map((client) => client.close()));
  });
}

test('a client that does not read, and reads again now and then, misses nothing and gets nothing twice', async () => {
  const count = 1_200;
  const [sender, receiver] = [await connectTcp(server, 111), await connectComet('ws-json', server, 211)];
  const complete = inOrder(receiver, count, 1, 20_000);
  let seen = 0;
  receiver.on('message', () => (seen += 1));
  let again = stopReading(receiver);
  for (let chatId = 1; chatId <= count; chatId += 20) {
    const texts = Array.from({ length: 20 }, (_, i) => `${chatId + i}:`.padEnd(20_000, 'y'));
    await Promise.all(texts.map((text) => sender.send(211, text)));
    if (chatId % 240 !== 1) continue;
    const wanted = Math.min(seen + 40, chatId);
    again();
    while (seen < wanted) await once(receiver, 'message');
    again = stopReading(receiver);
  }
  again();
  await within(complete, 'everything', 30_000);
  await Promise.all([sender.close(), receiver.close()]);
});

test('a slow client still gets its replies, and others are served', async () => {
  const [slow, other] = [await Wire.connect('tcp', server, 121), await connectTcp(server, 221)];
  const again = stopReading(slow.client);
  const text = 'z'.repeat(length);
  for (let i = 0; i < 300; i += 10)
    await Promise.all(Array.from({ length: 10 }, () => other.send(121, text)));
  for (let seq = 1; seq <= 50; seq++) slow.message(18, seq, 222, 'sent while not reading');
  await other.heartbeat();
  again();
  let replies = 0;
  let received = 0;
  while (replies < 50 || received < 300) {
    const frame = await slow.next();
    if (frame.op === 19) assert.equal(frame.seq, (replies += 1));
    else received += new PackageReader().read(frame.body as Buffer).length;
  }
  assert.deepEqual([replies, received], [50, 300]);
  await Promise.all([slow.end(), other.close()]);
});

async function openRaw(mid: number): Promise<{ socket: Socket; frames: AsyncGenerator<Buffer> }> {
  const socket = connect(server.tcpAddress);
  const auth = Buffer.from(JSON.stringify({ mid, mkey: '' }));
  socket.write(encodePackage({ ver: 1, op: 7, seq: 1, body: auth }));
  await once(socket, 'readable');
  assert.equal((socket.read() as Buffer).readInt32BE(8), 8);
  return { socket, frames: socket.iterator({ destroyOnReturn: false }) as unknown as AsyncGenerator<Buffer> };
}

test('a client that sends and does not read its replies is read no further, until it does', async () => {
  const small = 600_000;
  const { socket } = await openRaw(131);
  const other = await connectTcp(server, 132);
  const atFirst = residentBytes();
  // 14 MB of requests whose replies are as long, then 30 MB that have short ones.
  const body = Buffer.alloc(8);
  body.writeInt32BE(131, 0); // to 0: refused, so nothing is stored
  const package_ = encodePackage({ ver: 1, op: 18, seq: 0, body });
  let written = 0;
  let accepted = 0;
  const write = (bytes: Buffer): void => {
    written += 1;
    socket.write(bytes, () => (accepted += 1));
  };
  for (let first = 1; first <= small; first += 2_000) {
    const bytes = Buffer.concat(Array.from({ length: 2_000 }, () => package_));
    for (let i = 0; i < 2_000; i++) bytes.writeInt32BE(first + i, i * 24 + 12);
    write(bytes);
  }
  const large = 500;
  for (let i = 1; i <= large; i++)
    write(encodePackage({ ver: 1, op: 2, seq: small + i, body: Buffer.alloc(60_000) }));
  // Until the kernels' buffers are full nothing is wrong; then nothing is accepted any more.
  for (let still = 0, last = -1; still < 300; still++) {
    await other.heartbeat();
    if (accepted !== last) still = 0;
    last = accepted;
  }
  assert.ok(accepted < written, 'the server went on reading');
  const grown = (residentBytes() - atFirst) / MIB;
  assert.ok(grown < 60, `the server grew by ${grown.toFixed()} MiB`);
  const reader = new PackageReader();
  let seq = 0;
  const complete = new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      for (const frame of reader.read(chunk)) {
        seq += 1;
        if (frame.seq !== seq || frame.op !== (seq <= small ? 19 : 3))
          reject(new Error(`op ${frame.op} seq ${frame.seq} at ${seq}`));
      }
      if (seq === small + large) resolve();
    });
    socket.on('close', () => reject(new Error(`closed at ${seq}`)));
  });
  await within(complete, 'reply to everything', 30_000);
  assert.equal(accepted, written);
  socket.destroy();
  await other.close();
});

for (const kind of ['ws-json', 'ws-binary'] as const) {
  test(`a WebSocket client that sends and does not read is read no further, until it does, over ${kind}`, async () => {
    const count = kind === 'ws-json' ? 200_000 : 600_000; // 12 to 17 MB of requests, and as much of replies
    const each = kind === 'ws-json' ? 1 : 100;
    const wire = await Wire.connect(kind, server, 151);
    const other = await connectTcp(server, 152);
    const { client } = wire;
    assert.ok(client instanceof CometWebSocketClient);
    const { socket } = client;
    socket.removeAllListeners('message'); // frames are counted here, not kept
    let seq = 0;
    const complete = new Promise<void>((resolve, reject) => {
      const take = (found: number, op: number): void => {
        seq += 1;
        if (found !== seq || op !== 19) reject(new Error(`op ${op} seq ${found} at ${seq}`));
        if (seq === count) resolve();
      };
      socket.on('message', (data: Buffer, isBinary: boolean) => {
        if (isBinary) for (const frame of decodePackages(data)) take(frame.seq, frame.op);
        else for (const { seq: found, op } of [JSON.parse(String(data)) as Frame]) take(found, op);
      });
      socket.on('close', (code) => reject(new Error(`closed with ${code} at ${seq}`)));
    });
    socket.pause();
    const body = Buffer.alloc(8);
    body.writeInt32BE(151, 0); // to 0: refused, so nothing is stored
    for (let first = 1; first <= count; first += each) {
      if (each === 1) socket.send(`{"op":18,"seq":${first},"body":{"from":151,"to":0,"msg":""}}`);
      else
        socket.send(
          Buffer.concat(
            Array.from({ length: each }, (_, i) => encodePackage({ ver: 1, op: 18, seq: first + i, body })),
          ),
        );
    }
    for (let still = 0, last = -1; still < 300; still++) {
      await other.heartbeat();
      if (socket.bufferedAmount !== last) still = 0;
      last = socket.bufferedAmount;
    }
    assert.ok(socket.bufferedAmount > 0, 'the server went on reading');
    socket.resume();
    await within(complete, 'everything', 30_000);
    await Promise.all([client.close(), other.close()]);
  });
}

for (const reads of [true, false]) {
  test(`a client that ends its side ${reads ? 'at once' : 'and reads late'} still gets every reply, then the server's FIN and no op 6`, async () => {
    const socket = connect({ ...server.tcpAddress, allowHalfOpen: true });
    const mid = reads ? 141 : 142;
    if (!reads) socket.pause();
    const packages = [
      encodePackage({ ver: 1, op: 7, seq: 0, body: Buffer.from(JSON.stringify({ mid, mkey: '' })) }),
    ];
    const count = 3_000;
    for (let seq = 1; seq <= count; seq++) {
      const body = Buffer.alloc(8);
      body.writeInt32BE(mid, 0);
      body.writeInt32BE(300 + (seq % 3), 4);
      packages.push(encodePackage({ ver: 1, op: 18, seq, body }));
    }
    socket.end(Buffer.concat(packages));
    await once(socket, 'finish');
    const reader = new PackageReader();
    const seen: number[][] = [];
    socket.on('data', (chunk: Buffer) => {
      for (const { op, seq, body } of reader.read(chunk))
        seen.push([op, seq, op === 19 ? Number(body.readBigInt64BE(1)) : 0]);
    });
    socket.resume();
    await within(once(socket, 'end'), 'FIN');
    const replies = Array.from({ length: count }, (_, i) => [19, i + 1, Math.ceil((i + 1) / 3)]);
    assert.deepEqual(seen, [[8, 0, 0], ...replies]);
  });
}
