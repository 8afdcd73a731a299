import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { encodePackage, PackageReader } from '../../src/client/frames.ts';
import { CometTcpClient, CometWebSocketClient } from '../../src/client/index.ts';
import { Bench, within, type Wire } from '../support/comet.ts';

const max = 65_536;
const none = Buffer.alloc(0);
const beat = (seq: number): Buffer => encodePackage({ ver: 1, op: 2, seq, body: none });

/** A header that says what it likes. */
function header(packageLength: number, headerLength: number, op = 2, seq = 0): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32BE(packageLength, 0);
  bytes.writeInt16BE(headerLength, 4);
  bytes.writeInt16BE(1, 6);
  bytes.writeInt32BE(op, 8);
  bytes.writeInt32BE(seq, 12);
  return bytes;
}

/** Op 18 with a header of this length, the rest of which is noise. */
function longHeader(length: number, seq: number, from: number, to: number, msg: string): Buffer {
  const body = Buffer.alloc(8 + Buffer.byteLength(msg));
  body.writeInt32BE(from, 0);
  body.writeInt32BE(to, 4);
  body.write(msg, 8);
  return Buffer.concat([
    header(length + body.length, length, 18, seq),
    Buffer.alloc(length - 16, 0xee),
    body,
  ]);
}

const impossible: [string, Buffer][] = [
  ['a package of 0 bytes', header(0, 16)],
  ['a package of 15 bytes', header(15, 16)],
  ['a package of -1 bytes', header(-1, 16)],
  ['a package of -2147483648 bytes', header(-2_147_483_648, 16)],
  ['a header of 15 bytes', header(32, 15)],
  ['a header of 0 bytes', header(32, 0)],
  ['a header of -1 bytes', header(32, -1)],
  ['a header longer than its package', header(20, 21)],
];

for (const kind of ['tcp', 'ws-binary'] as const) {
  describe(`frames over ${kind}`, () => {
    const bench = new Bench(2);

    for (const length of [17, 20, 1_000, 32_767]) {
      test(`a header of ${length} bytes is skipped over`, async () => {
        const [from, to] = [await bench.connect(kind), await bench.connect(kind)];
        from.client.sendRaw(longHeader(length, 3, from.mid, to.mid, 'behind it'));
        assert.deepEqual(await from.reply(19, 3), { ret: 0, chatId: 1 });
        const [message] = await to.messages(1);
        assert.deepEqual([message?.from, message?.to, message?.text], [from.mid, to.mid, 'behind it']);
      });
    }

    test('several packages in one write are each answered, in order', async () => {
      const wire = await bench.connect(kind);
      wire.client.sendRaw(Buffer.concat(Array.from({ length: 500 }, (_, seq) => beat(seq))));
      for (let seq = 0; seq < 500; seq++) assert.deepEqual(await seen(wire), [3, seq]);
    });

    test('a package of exactly the limit is taken', async () => {
      const [from, to] = [await bench.connect(kind), await bench.connect(kind)];
      const content = Buffer.alloc(max - 24, 'x');
      assert.equal(await from.say(to.mid, content), 1);
      assert.equal((await to.messages(1))[0]?.text, content.toString());
    });

    test('a package of one byte more ends the connection with 1009', async () => {
      const wire = await bench.connect(kind);
      wire.frame(2, 1, Buffer.alloc(max - 15));
      const { code, reason } = await wire.closed;
      assert.deepEqual([code, reason], [1009, 'package of 65537 bytes, at most 65536']);
    });

    for (const [name, bytes] of impossible) {
      test(`${name} ends the connection with 1002, and what came before is answered`, async () => {
        const [wire, to] = [await bench.connect(kind), bench.mid()];
        const send = encodePackage({ ver: 1, op: 18, seq: 2, body: ids(wire.mid, to) });
        wire.client.sendRaw(Buffer.concat([beat(1), send, bytes, beat(3)]));
        assert.deepEqual(await seen(wire), [3, 1]);
        assert.deepEqual(await wire.reply(19, 2), { ret: 0, chatId: 1 });
        if (kind === 'tcp') assert.equal((await wire.next()).op, 6);
        await assert.rejects(wire.next(), 'the package behind it is not read');
        assert.equal((await wire.closed).code, 1002);
      });

      test(`${name} as the first thing ends the connection with 1002`, async () => {
        const wire = await bench.open(kind);
        wire.client.sendRaw(bytes);
        assert.equal((await wire.closed).code, 1002);
      });
    }

    test('a package over the limit as the first thing ends the connection with 1009', async () => {
      const wire = await bench.open(kind);
      wire.client.sendRaw(header(max + 1, 16));
      assert.equal((await wire.closed).code, 1009);
    });
  });
}

describe('the TCP stream', () => {
  const bench = new Bench(2);

  test('a package that comes byte by byte is put together', async () => {
    const [from, to] = [await bench.connect('tcp'), await bench.connect('tcp')];
    const bytes = Buffer.concat([longHeader(19, 4, from.mid, to.mid, 'bit by bit'), beat(5)]);
    for (const byte of bytes) await written(from, Buffer.of(byte));
    assert.deepEqual(await from.reply(19, 4), { ret: 0, chatId: 1 });
    assert.deepEqual(await seen(from), [3, 5]);
    assert.deepEqual(await to.texts(1), ['bit by bit']);
  });

  test('packages cut at every place are put together', async () => {
    const wire = await bench.connect('tcp');
    const bytes = Buffer.concat([beat(1), longHeader(17, 2, wire.mid, 0, 'xyz'), beat(3)]);
    for (let cut = 1; cut < bytes.length; cut++) {
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
      for (const piece of pieces) {
        await written(wire, piece);
        if (cut >= 16 && piece === pieces[0]) assert.deepEqual(await seen(wire), [3, 1]); // it was read by itself
      }
      if (cut < 16) assert.deepEqual(await seen(wire), [3, 1]);
      assert.deepEqual(await wire.reply(19, 2), { ret: -1, chatId: 0 });
      assert.deepEqual(await seen(wire), [3, 3]);
    }
  });

  for (const opened of [true, false]) {
    const when = opened ? 'of an open connection' : 'before op 7';
    test(`a package over the limit ends it with 1009 as soon as its header is read, ${when}`, async () => {
      const wire = opened ? await bench.connect('tcp') : await bench.open('tcp');
      wire.client.sendRaw(header(1_000_000, 16)); // and never a byte of its body
      assert.equal((await wire.closed).code, 1009);
    });

    test(`the server says why in op 6, then ends its side, ${when}`, async () => {
      const { host, port } = bench.tcpAddress;
      const socket = connect({ host, port, allowHalfOpen: true });
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      const auth = Buffer.from(JSON.stringify({ mid: bench.mid(), mkey: '' }));
      if (opened) socket.write(encodePackage({ ver: 1, op: 7, seq: 1, body: auth }));
      socket.write(header(20, 21));
      await within(once(socket, 'end'), 'FIN'); // the server's FIN; this side has not ended
      const frames = new PackageReader().read(Buffer.concat(chunks));
      const last = frames.at(-1);
      assert.deepEqual(
        frames.map(({ op }) => op),
        opened ? [8, 6] : [6],
      );
      assert.deepEqual([last?.ver, last?.seq], [1, 0]);
      const body = JSON.parse(String(last?.body)) as { code: number; reason: string };
      assert.deepEqual(Object.keys(body), ['code', 'reason']);
      assert.equal(body.code, 1002);
      assert.notEqual(body.reason, '');
      socket.end();
      await within(once(socket, 'close'), 'end');
    });
  }

  test('a client that does not close after op 6 is cut off', async () => {
    const { host, port } = bench.tcpAddress;
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.on('data', () => {}).on('error', () => {});
    socket.write(header(20, 21));
    await within(once(socket, 'end'), 'FIN');
    const cut = new Promise((resolve) => socket.once('close', resolve));
    const busy = setInterval(() => socket.write('x'), 50); // a reset shows only to one that writes
    await within(cut, 'end').finally(() => clearInterval(busy));
  });
});

describe('WebSocket messages', () => {
  const bench = new Bench(2);

  const broken: [string, Buffer][] = [
    ['an empty binary message', none],
    ['half a header', beat(1).subarray(0, 9)],
    ['a package that runs past the message', header(17, 16)],
    ['whole packages and a cut one', Buffer.concat([beat(1), beat(2), beat(3).subarray(0, 15)])],
  ];
  for (const [name, bytes] of broken) {
    test(`${name} ends the connection with 1002 after what was whole is answered`, async () => {
      const wire = await bench.connect('ws-binary');
      wire.client.sendRaw(bytes);
      for (let seq = 1; seq <= Math.floor(bytes.length / 16) && name.startsWith('whole'); seq++) {
        assert.deepEqual(await seen(wire), [3, seq]);
      }
      assert.equal((await wire.closed).code, 1002);
      const early = await bench.open('ws-binary');
      early.client.sendRaw(bytes);
      assert.equal((await early.closed).code, 1002);
    });
  }

  const notObjects = ['', ' ', 'hello', '{"op":2', '{"op":2}x', '[{"op":2}]', '"2"', '2', 'null', "{'op':2}"];
  for (const text of notObjects) {
    test(`the text ${JSON.stringify(text)} ends the connection with 1007, and requests before it are answered`, async () => {
      const wire = await bench.connect('ws-json');
      wire.message(18, 1, bench.mid(), 'before');
      wire.client.sendRaw(text);
      wire.frame(2, 2);
      assert.deepEqual(await wire.reply(19, 1), { ret: 0, chatId: 1 });
      await assert.rejects(wire.next(), 'the frame behind it is not read');
      assert.equal((await wire.closed).code, 1007);
      const early = await bench.open('ws-json');
      early.client.sendRaw(text);
      assert.equal((await early.closed).code, 1007);
    });
  }

  test('a text that is not UTF-8 ends the connection with 1007', async () => {
    const wire = await bench.connect('ws-json');
    assert.ok('send' in wire.client.socket);
    wire.client.socket.send(Buffer.from('{"op":2,"\xff":1}', 'latin1'), { binary: false });
    assert.equal((await wire.closed).code, 1007);
  });

  const wrongTypes = ['{"seq":1}', '{"op":"2"}', '{"op":2.5}', '{"op":null}', '{"op":2147483648}'];
  wrongTypes.push('{"op":2,"seq":"1"}', '{"op":2,"seq":null}', '{"op":2,"ver":"1"}', '{"op":2,"ver":1.5}');
  for (const text of wrongTypes) {
    test(`the frame ${text} ends the connection with 4400`, async () => {
      for (const wire of [await bench.connect('ws-json'), await bench.open('ws-json')]) {
        wire.client.sendRaw(text);
        assert.equal((await wire.closed).code, 4400);
      }
    });
  }

  test('ver and seq may be absent, members that are not known are ignored', async () => {
    const wire = await bench.connect('ws-json');
    wire.client.sendRaw(' {"x":[1],"op":2}\n');
    assert.deepEqual(await wire.next(), { ver: 1, op: 3, seq: 0 });
  });

  test('a JSON text of exactly the limit is taken, one byte more ends the connection with 1009', async () => {
    for (const opened of [true, false]) {
      const wire = opened ? await bench.connect('ws-json') : await bench.open('ws-json');
      const text = '{"op":2,"seq":7}';
      wire.client.sendRaw(text.padEnd(max, ' '));
      assert.deepEqual(await seen(wire), [3, 7]);
      wire.client.sendRaw(text.padEnd(max + 1, ' '));
      assert.equal((await wire.closed).code, 1009);
    }
  });

  test('messages may come in fragments', async () => {
    for (const kind of ['ws-json', 'ws-binary'] as const) {
      const { client, ...wire } = await bench.connect(kind);
      assert.ok(client instanceof CometWebSocketClient, wire.kind);
      const message =
        kind === 'ws-json' ? Buffer.from('{"op":2,"seq":9}') : Buffer.concat([beat(9), beat(10)]);
      for (const [i, byte] of message.entries()) {
        client.socket.send(Buffer.of(byte), { binary: kind === 'ws-binary', fin: i === message.length - 1 });
      }
      assert.equal((await client.nextFrame()).seq, 9);
      if (kind === 'ws-binary') assert.equal((await client.nextFrame()).seq, 10);
    }
  });

  test('a message over the limit for a whole message ends the connection with 1009', async () => {
    const wire = await bench.connect('ws-binary');
    wire.client.sendRaw(Buffer.alloc(1_048_577));
    assert.equal((await wire.closed).code, 1009);
  });

  test('the answers are in the encoding of op 7, whatever the requests are in', async () => {
    const json = await bench.connect('ws-json');
    json.client.sendRaw(Buffer.concat([beat(1), beat(2)]));
    assert.deepEqual(await json.next(), { ver: 1, op: 3, seq: 1 });
    assert.deepEqual(await json.next(), { ver: 1, op: 3, seq: 2 });
    const binary = await bench.connect('ws-binary');
    binary.client.sendRaw('{"ver":1,"op":2,"seq":3}');
    assert.deepEqual(await binary.next(), { ver: 1, op: 3, seq: 3, body: none });
    binary.client.sendRaw(
      JSON.stringify({ ver: 1, op: 18, seq: 4, body: { from: json.mid, to: 1, msg: '' } }),
    );
    assert.deepEqual(await binary.reply(19, 4), { ret: -1, chatId: 0 });
  });
});

describe('--max-package-bytes', () => {
  const bench = new Bench(2, { packageBytesMax: 200 });

  for (const kind of ['tcp', 'ws-json', 'ws-binary'] as const) {
    test(`is the limit over ${kind}`, async () => {
      const wire = await bench.connect(kind);
      const length = kind === 'ws-json' ? 200 - '{"ver":1,"op":2,"seq":1,"body":""}'.length : 184;
      wire.frame(2, 1, kind === 'ws-json' ? 'x'.repeat(length) : Buffer.alloc(length));
      assert.deepEqual(await seen(wire), [3, 1]);
      wire.frame(2, 2, kind === 'ws-json' ? 'x'.repeat(length + 1) : Buffer.alloc(length + 1));
      assert.equal((await wire.closed).code, 1009);
    });
  }
});

async function seen(wire: Wire): Promise<[number, number]> {
  const { op, seq } = await wire.next();
  return [op, seq];
}

function ids(from: number, to: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32BE(from, 0);
  bytes.writeInt32BE(to, 4);
  return bytes;
}

/** The kernel has taken the bytes, so they leave before what is written next. */
async function written(wire: Wire, bytes: Buffer): Promise<void> {
  assert.ok(wire.client instanceof CometTcpClient);
  const { socket } = wire.client;
  await new Promise((resolve) => socket.write(bytes, resolve));
}
