import assert from 'node:assert/strict';
import { limits } from '../../src/limits.ts';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { encodePackage, PackageReader } from '../../src/client/frames.ts';
import { cometKinds } from '../support/clients.ts';
import { Bench, Wire, within } from '../support/comet.ts';
import { startTestServer } from '../support/server.ts';

// At once: each of these waits for the time to pass.
describe('idle connections', { concurrency: 6 }, () => {
  const bench = new Bench(2, { idleTimeoutMs: 300 });

  for (const kind of cometKinds) {
    test(`no frame for the idle timeout ends the connection with 4408, over ${kind}`, async () => {
      const start = performance.now();
      const wire = await bench.connect(kind);
      assert.equal((await wire.closed).code, 4408);
      const ms = performance.now() - start;
      assert.ok(ms >= 295, `closed after ${ms} ms`);
      if (kind === 'tcp') assert.equal((await wire.next()).op, 6);
    });

    test(`every whole frame keeps the connection, whatever it asks, over ${kind}`, async () => {
      const [idle, busy] = [await bench.connect(kind), await bench.connect(kind)];
      let ended = false;
      void idle.closed.then(() => (ended = true));
      const to = bench.mid();
      for (let i = 0; !ended; i++) {
        if (i % 3 === 0) await busy.beat();
        else if (i % 3 === 1) await busy.say(to, 'x');
        else {
          busy.frame(99, 1);
          assert.equal((await busy.next()).op, 99);
        }
      }
      await busy.beat();
      await busy.end();
    });

    test(`what is pushed to a client does not keep its connection, over ${kind}`, async () => {
      const [to, from] = [await bench.connect(kind), await bench.connect('tcp')];
      let ended = false;
      void to.closed.then(({ code }) => {
        assert.equal(code, 4408);
        ended = true;
      });
      while (!ended) {
        await from.say(to.mid, 'x');
        await new Promise((resolve) => setImmediate(resolve));
      }
      await from.beat();
      await from.end();
    });
  }

  test('parts of a package do not keep a connection', async () => {
    const wire = await bench.connect('tcp');
    let ended = false;
    void wire.closed.then(() => (ended = true));
    const bytes = encodePackage({ ver: 1, op: 2, seq: 1, body: Buffer.alloc(60_000) });
    const other = await bench.connect('tcp');
    for (let i = 0; !ended && i < bytes.length - 1; i++) {
      wire.client.sendRaw(bytes.subarray(i, i + 1));
      await other.beat();
    }
    assert.equal((await wire.closed).code, 4408);
    await other.end();
  });

  test('WebSocket pings do not keep a connection', async () => {
    const [wire, other] = [await bench.connect('ws-json'), await bench.connect('tcp')];
    let ended = false;
    void wire.closed.then(() => (ended = true));
    let pingedAt = 0;
    while (!ended) {
      assert.ok('ping' in wire.client.socket);
      // No more often than limits.webSocketPingsMax allows, however quick the beats are.
      const isDue = performance.now() - pingedAt > 2_000 / limits.webSocketPingsMax;
      if (isDue && wire.client.socket.readyState === 1) {
        pingedAt = performance.now();
        wire.client.socket.ping();
      }
      await other.beat();
    }
    assert.equal((await wire.closed).code, 4408);
    await other.end();
  });
});

test('a server that stops answers what it has read, then says 1001 to everyone', async () => {
  const server = await startTestServer();
  const wires = await Promise.all(cometKinds.map((kind, i) => Wire.connect(kind, server, 21 + i)));
  const waiting = await Promise.all(cometKinds.map((kind) => Wire.open(kind, server)));
  for (const wire of wires) {
    for (let seq = 0; seq < 200; seq++) wire.message(18, seq, 100, 'x');
    assert.equal((await wire.reply(19, 0)).ret, 0); // so the server has begun to read them
  }
  const drained = server.drain();
  for (const wire of wires) {
    let seq = 1;
    for (;;) {
      const frame = await wire.next().catch(() => undefined);
      if (frame === undefined || frame.op === 6) break;
      assert.deepEqual([frame.op, frame.seq], [19, seq]);
      seq += 1;
    }
    assert.equal((await wire.closed).code, 1001);
    assert.ok(seq <= 200);
  }
  for (const wire of waiting) assert.equal((await wire.closed).code, 1001);
  await drained;
});

describe('the client ends first', () => {
  const bench = new Bench(2);

  for (const kind of cometKinds) {
    test(`and gets no reason, over ${kind}`, async () => {
      const wire = await bench.connect(kind);
      const { code } = await wire.client.close();
      assert.equal(code, 1000);
      await assert.rejects(wire.next(), 'no op 6');
    });
  }

  test('a TCP client that ends its side behind op 7 gets op 8 and its replies, then FIN without op 6', async () => {
    const socket = connect({ ...bench.tcpAddress, allowHalfOpen: true });
    const auth = Buffer.from(JSON.stringify({ mid: bench.mid(), mkey: '' }));
    const beat = encodePackage({ ver: 1, op: 2, seq: 2, body: Buffer.alloc(0) });
    socket.end(Buffer.concat([encodePackage({ ver: 1, op: 7, seq: 1, body: auth }), beat]));
    assert.deepEqual(await opsUntilEnd(socket), [8, 3]);
  });

  test('a TCP client that ends its side before op 7, or within it, gets FIN without op 6', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('0000', 'hex')]) {
      const socket = connect({ ...bench.tcpAddress, allowHalfOpen: true });
      socket.end(bytes);
      assert.deepEqual(await opsUntilEnd(socket), []);
    }
  });

  test('what a cut connection had sent before is carried out', async () => {
    const [to, from] = [await bench.connect('tcp'), await bench.connect('tcp')];
    from.message(18, 1, to.mid, 'last words');
    await from.reply(19, 1);
    from.message(18, 2, to.mid, 'really');
    await from.end();
    assert.deepEqual(await to.texts(2), ['last words', 'really']);
    await to.end();
  });
});

async function opsUntilEnd(socket: Socket): Promise<number[]> {
  const reader = new PackageReader();
  const ops: number[] = [];
  socket.on('data', (chunk: Buffer) => ops.push(...reader.read(chunk).map(({ op }) => op)));
  await within(once(socket, 'end'), 'FIN');
  return ops;
}
