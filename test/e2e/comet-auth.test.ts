import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { encodePackage } from '../../src/client/frames.ts';
import type { Authenticator } from '../../src/auth/auth.ts';
import type { Frame, JsonValue } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { cometKinds } from '../support/clients.ts';
import { Bench, Wire } from '../support/comet.ts';
import { startTestServer } from '../support/server.ts';

const bad = { ret: -1, error: 'bad_body' };

for (const kind of cometKinds) {
  describe(`authentication over ${kind}`, () => {
    const bench = new Bench(2);

    test('op 7 is answered by op 8 with its seq and version, and with the mid', async () => {
      const wire = await bench.open(kind);
      wire.jsonFrame(7, 77, { mid: 21, mkey: 'xxoo' }, 0);
      assert.deepEqual(await wire.reply(8, 77, 0), { ret: 0, mid: 21 });
      await wire.end();
    });

    test('op 7 takes the smallest and the largest mid, any mkey, and members it does not know', async () => {
      for (const mid of [1, 2_147_483_647]) {
        const wire = await bench.open(kind);
        wire.jsonFrame(7, 1, { mid, mkey: '', device: 'a'.repeat(64), more: [null] });
        assert.deepEqual(await wire.reply(8, 1), { ret: 0, mid });
        await wire.end();
      }
    });

    test('op 2 is answered before op 7', async () => {
      const wire = await bench.open(kind);
      wire.frame(2, 5);
      wire.frame(2, -6, undefined, 0);
      const replies = [await wire.next(), await wire.next()];
      assert.deepEqual(
        replies.map(({ op, seq, ver }) => [op, seq, ver]),
        [
          [3, 5, 1],
          [3, -6, 0],
        ],
      );
      wire.auth(bench.mid(), 7);
      assert.equal((await wire.reply(8, 7)).ret, 0);
      await wire.end();
    });

    for (const op of [0, 1, 3, 4, 6, 8, 9, 18, 19, 20, 21, 99, -7]) {
      test(`op ${op} before op 7 ends the connection with 4401`, async () => {
        const wire = await bench.open(kind);
        if (op === 18 || op === 20) wire.message(op, 1, 2, 'x', 1);
        else wire.frame(op, 1);
        const { code, reason } = await wire.closed;
        assert.equal(code, 4401);
        assert.match(reason, /op 7/);
        if (kind === 'tcp') assert.equal((await wire.next()).op, 6);
        await assert.rejects(wire.next(), 'nothing is answered before the end');
      });
    }

    const bodies: [string, JsonValue][] = [
      ['mid 0', { mid: 0, mkey: '' }],
      ['a negative mid', { mid: -1, mkey: '' }],
      ['a mid over int32', { mid: 2_147_483_648, mkey: '' }],
      ['a mid with a fraction', { mid: 1.5, mkey: '' }],
      ['a mid as a string', { mid: '21', mkey: '' }],
      ['no mid', { mkey: '' }],
      ['no mkey', { mid: 21 }],
      ['an mkey that is a number', { mid: 21, mkey: 1 }],
      ['an mkey over 4,096 bytes', { mid: 21, mkey: 'é'.repeat(2_049) }],
      ['an empty device', { mid: 21, mkey: '', device: '' }],
      ['a device of 65 characters', { mid: 21, mkey: '', device: 'd'.repeat(65) }],
      ['a device that does not print', { mid: 21, mkey: '', device: 'a\nb' }],
      ['a device that is a number', { mid: 21, mkey: '', device: 5 }],
      ['an array', [21, 'xxoo']],
      ['null', null],
    ];
    for (const [name, body] of bodies) {
      test(`op 7 with ${name} gets op 8 with ret -1, then the connection ends`, async () => {
        const wire = await bench.open(kind);
        wire.jsonFrame(7, 3, body);
        assert.deepEqual(await wire.reply(8, 3), bad);
        assert.equal((await wire.closed).code, 4400);
      });
    }

    test('op 7 with a version that is not 0 or 1 is refused, then the connection ends', async () => {
      const wire = await bench.open(kind);
      wire.jsonFrame(7, 3, { mid: 21, mkey: '' }, 2);
      assert.deepEqual(await wire.reply(8, 3, 2), { ret: -1, error: 'unsupported_version' });
      assert.equal((await wire.closed).code, 4400);
    });

    test('what follows a refused op 7 is not carried out', async () => {
      const reader = await bench.connect(kind);
      const wire = await bench.open(kind);
      wire.jsonFrame(7, 1, { mid: 0, mkey: '' });
      wire.mid = 21;
      wire.message(18, 2, reader.mid, 'must not arrive');
      assert.deepEqual(await wire.reply(8, 1), bad);
      assert.equal((await wire.closed).code, 4400);
      const other = await bench.connect(kind, 21);
      assert.equal(await other.say(reader.mid, 'the first'), 1);
      assert.deepEqual(await reader.texts(1), ['the first']);
      await Promise.all([reader.end(), other.end()]);
    });

    test('a second op 7 gets op 8 with ret -1, and the connection lives as who it was', async () => {
      const wire = await bench.connect(kind);
      const other = await bench.connect(kind);
      wire.jsonFrame(7, 9, { mid: other.mid, mkey: '' });
      assert.deepEqual(await wire.reply(8, 9), { ret: -1, error: 'already_authenticated' });
      assert.equal(await wire.say(other.mid, 'still me'), 1);
      assert.equal((await other.messages(1))[0]?.from, wire.mid);
      await Promise.all([wire.end(), other.end()]);
    });

    test('requests sent right behind op 7 are answered behind op 8, in order', async () => {
      const wire = await bench.open(kind);
      const to = bench.mid();
      wire.auth(bench.mid(), 1);
      for (let seq = 2; seq <= 20; seq++) {
        if (seq % 5 === 0) wire.frame(2, seq);
        else wire.message(18, seq, to, `m${seq}`);
      }
      assert.equal((await wire.reply(8, 1)).ret, 0);
      let chatId = 0;
      for (let seq = 2; seq <= 20; seq++) {
        if (seq % 5 === 0) assert.deepEqual(await wire.next().then(({ op, seq: s }) => [op, s]), [3, seq]);
        else assert.deepEqual(await wire.reply(19, seq), { ret: 0, chatId: (chatId += 1) });
      }
      await wire.end();
    });
  });
}

test('op 7 and requests in one TCP write are answered, also when it is cut anywhere', async () => {
  const server = await startTestServer();
  try {
    const frames: Frame<Buffer>[] = [
      { ver: 1, op: 2, seq: 1, body: Buffer.alloc(0) },
      { ver: 1, op: 7, seq: 2, body: Buffer.from('{"mid":21,"mkey":""}') },
      { ver: 1, op: 2, seq: 3, body: Buffer.alloc(0) },
      { ver: 1, op: 99, seq: 4, body: Buffer.alloc(0) },
    ];
    const bytes = Buffer.concat(frames.map(encodePackage));
    for (let cut = 1; cut < bytes.length; cut += 3) {
      const wire = await Wire.open('tcp', server);
      wire.client.sendRaw(bytes.subarray(0, cut));
      if (cut >= 16) assert.equal((await wire.next()).op, 3); // so the rest comes as a chunk of its own
      wire.client.sendRaw(bytes.subarray(cut));
      const ops = cut >= 16 ? [3] : [];
      while (ops.length < 4) ops.push((await wire.next()).op);
      assert.deepEqual(ops, [3, 8, 3, 99], `cut at ${cut}`);
      wire.client.destroy();
    }
  } finally {
    await server.close();
  }
});

test('a WebSocket binary message may hold op 7 with requests before and behind it', async () => {
  const server = await startTestServer();
  const wire = await Wire.open('ws-binary', server);
  const packages = [2, 7, 2, 99].map((op, i) =>
    encodePackage({ ver: 1, op, seq: i, body: Buffer.from(op === 7 ? '{"mid":21,"mkey":""}' : '') }),
  );
  wire.client.sendRaw(Buffer.concat(packages));
  const seen = [await wire.next(), await wire.next(), await wire.next(), await wire.next()];
  assert.deepEqual(
    seen.map(({ op, seq }) => [op, seq]),
    [
      [3, 0],
      [8, 1],
      [3, 2],
      [99, 3],
    ],
  );
  await server.close();
});

for (const [name, body] of [
  ['is not JSON', Buffer.from('{"mid":21,')],
  ['is not UTF-8', Buffer.from('{"mid":21,"mkey":"\xff"}', 'latin1')],
  ['is empty', Buffer.alloc(0)],
] as const) {
  test(`a binary op 7 whose body ${name} gets op 8 with ret -1, then the connection ends`, async () => {
    const server = await startTestServer();
    for (const kind of ['tcp', 'ws-binary'] as const) {
      const wire = await Wire.open(kind, server);
      wire.frame(7, 4, body);
      assert.deepEqual(await wire.reply(8, 4), bad);
      assert.equal((await wire.closed).code, 4400);
    }
    await server.close();
  });
}

// At once: each of these waits for the time to pass.
describe('time for authentication', { concurrency: 9 }, () => {
  const bench = new Bench(2, { authTimeoutMs: 200 });

  for (const kind of cometKinds) {
    test(`a connection that says nothing is ended with 4401 over ${kind}`, async () => {
      const wire = await bench.open(kind);
      assert.equal((await wire.closed).code, 4401);
    });

    test(`heartbeats do not make the time longer over ${kind}`, async () => {
      const wire = await bench.open(kind);
      let beats = 0;
      const beat = async (): Promise<never> => {
        for (;;) {
          wire.frame(2, (beats += 1));
          await wire.next();
        }
      };
      await assert.rejects(beat());
      assert.equal((await wire.closed).code, 4401);
      assert.ok(beats > 0);
    });

    test(`an authenticated connection outlives the time over ${kind}`, async () => {
      const [early, late] = [await bench.connect(kind), await bench.open(kind)];
      assert.equal((await late.closed).code, 4401); // as much time as `early` has had, and more
      await early.beat();
      await early.end();
    });
  }
});

describe('an authenticator of its own', () => {
  const asked: object[] = [];
  const authenticator: Authenticator = {
    authenticate: async (credentials, signal) => {
      asked.push(credentials);
      if (credentials.protocol !== 'comet') throw new Error('only comet here');
      if (credentials.mkey === 'fail') throw new Error('the authenticator is broken');
      if (credentials.mkey === 'hang') await once(signal, 'abort');
      if (credentials.mkey === 'good') return { ok: true, user: credentials.mid };
      if (credentials.mkey === 'named') return { ok: true, user: 'ann' }; // comet has room for mids only
      return { ok: false, error: 'not_authenticated', reason: 'wrong mkey' };
    },
  };
  let server: Server;
  before(async () => void (server = await startTestServer({ authenticator, authTimeoutMs: 200 })));
  after(() => server.close());

  for (const kind of cometKinds) {
    test(`is asked with mid, mkey and device over ${kind}`, async () => {
      const wire = await Wire.open(kind, server);
      wire.jsonFrame(7, 1, { mid: 21, mkey: 'good', device: 'phone' });
      assert.deepEqual(await wire.reply(8, 1), { ret: 0, mid: 21 });
      const { remoteAddress, ...rest } = asked.at(-1) as { remoteAddress: string };
      assert.deepEqual(rest, { protocol: 'comet', mid: 21, mkey: 'good', device: 'phone' });
      assert.match(remoteAddress, /127\.0\.0\.1/);
      await wire.end();
    });

    for (const mkey of ['wrong', 'fail', 'hang', 'named']) {
      test(`whose answer is "${mkey}" refuses with op 8, ret -1, then 4401, over ${kind}`, async () => {
        const wire = await Wire.open(kind, server);
        wire.jsonFrame(7, 5, { mid: 21, mkey });
        if (mkey !== 'hang')
          assert.deepEqual(await wire.reply(8, 5), { ret: -1, error: 'not_authenticated' });
        assert.equal((await wire.closed).code, 4401);
      });
    }
  }
});

test('the 257th connection of a user is ended with 4429 and the others live', async () => {
  const server = await startTestServer();
  const wires = await Promise.all(
    Array.from({ length: 256 }, (_, i) => Wire.connect(cometKinds[i % 3] ?? 'tcp', server, 21)),
  );
  const one = await Wire.open('tcp', server);
  one.auth(21, 1);
  assert.equal((await one.closed).code, 4429);
  await wires[0]?.end();
  await wires[1]?.beat();
  await server.close();
});
