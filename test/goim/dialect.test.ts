import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { putGroup } from '../support/admin.ts';
import { connectComet, connectMessaging } from '../support/clients.ts';
import { Bench } from '../support/comet.ts';
import { GoimConnection, goimKinds, goimPush } from '../support/goim.ts';

const bench = new Bench(2);

/** The body of a message: int32s, then a text. */
function message(values: readonly number[], text: string): Buffer {
  const numbers = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) numbers.writeInt32BE(value, i * 4);
  return Buffer.concat([numbers, Buffer.from(text)]);
}

for (const kind of goimKinds) {
  const connect = (hello: Parameters<typeof GoimConnection.connect>[2]): Promise<GoimConnection> =>
    GoimConnection.connect(kind, bench, hello);

  test(`${kind}: a client gets what is pushed to its key, its mid and everyone in operations that it accepts, and to its room in any.`, async () => {
    const mid = bench.mid();
    const key = `key ${mid}`;
    const client = await connect({ mid, key, room_id: `live://${mid}`, accepts: [1000, -5] });
    for (const operation of [1000, 1001, -5]) {
      await goimPush(bench, `keys?operation=${operation}&keys=${encodeURIComponent(key)}`, 'to the key');
      await goimPush(bench, `mids?operation=${operation}&mids=${mid}`, 'to the mid');
      await goimPush(bench, `all?operation=${operation}`, 'to everyone');
      await goimPush(bench, `room?operation=${operation}&type=live&room=${mid}`, 'to the room');
    }
    const expected = [1000, 1001, -5].flatMap((operation) =>
      (operation === 1001 ? ['room'] : ['key', 'mid', 'everyone', 'room']).map((to) =>
        to === 'everyone' ? `${operation} to everyone` : `${operation} to the ${to}`,
      ),
    );
    for (const push of expected) assert.equal(await client.push(), push);
    assert.equal(await client.online(), 1);
    client.close();
  });

  test(`${kind}: op 12 moves a client into another room, and with an empty body out of any; its body comes back.`, async () => {
    const mid = bench.mid();
    const [first, second] = [`a${mid}`, `b${mid}`];
    const client = await connect({ mid, room_id: `live://${first}` });
    client.frame(12, 5, `live://${second}`);
    assert.deepEqual(await client.reply(), { ver: 1, op: 13, seq: 5, body: `live://${second}` });
    await goimPush(bench, `room?operation=1&type=live&room=${first}`, 'the room before');
    await goimPush(bench, `room?operation=1&type=live&room=${second}`, 'the room now');
    assert.equal(await client.push(), '1 the room now');
    assert.equal(await client.online(), 1);
    client.frame(12, 6, '', 0);
    assert.deepEqual(await client.reply(), { ver: 0, op: 13, seq: 6, body: '' });
    await goimPush(bench, `room?operation=1&type=live&room=${second}`, 'nobody is there');
    assert.equal(await client.online(), 0);
    client.frame(12, 7, 'live://again');
    assert.equal((await client.reply()).op, 13);
    assert.equal(await client.online(), 1);
    client.frame(12, 8, 'x'.repeat(limits.goimNameCharsMax + 1));
    assert.deepEqual(await client.reply(), {
      ver: 1,
      op: 13,
      seq: 8,
      body: '{"ret":-1,"error":"bad_body"}',
    });
    assert.equal(await client.online(), 1); // still where it was
    client.close();
  });

  test(`${kind}: op 14 and 16 change what a client accepts; what cannot be read changes nothing.`, async () => {
    const mid = bench.mid();
    const client = await connect({ mid, accepts: [101] });
    const push = (operation: number): Promise<void> =>
      goimPush(bench, `mids?operation=${operation}&mids=${mid}`, 'x');
    const change = async (op: number, body: string): Promise<void> => {
      client.frame(op, 9, body);
      assert.deepEqual(await client.reply(), { ver: 1, op: op + 1, seq: 9, body });
    };
    await change(14, '102,103');
    await change(14, '104,five');
    for (const operation of [101, 102, 103, 104]) await push(operation);
    assert.deepEqual(
      [await client.push(), await client.push(), await client.push()],
      ['101 x', '102 x', '103 x'],
    );
    await change(16, '103,101,77');
    for (const operation of [101, 102, 103, 104]) await push(operation);
    assert.equal(await client.push(), '102 x');
    assert.equal(await client.online(), 0);
    const many = Array.from({ length: limits.goimAcceptsMax }, (_, i) => 200 + i);
    client.frame(14, 9, many.join(','));
    assert.equal((await client.reply()).body, '{"ret":-1,"error":"bad_body"}');
    await push(200);
    assert.equal(await client.online(), 0);
    client.close();
  });

  test(`${kind}: what goim's clients send to nobody is answered with its own operation and nothing, in any version.`, async () => {
    const client = await connect({ mid: bench.mid(), accepts: [] });
    for (const [op, ver] of [
      [4, 1],
      [1_000, 0],
      [-1, 102],
      [9, 1],
    ] as const) {
      client.frame(op, 3, 'whatever', ver);
      assert.deepEqual(
        await client.reply().catch(() => 'op 9'),
        op === 9 ? 'op 9' : { ver, op, seq: 3, body: '' },
      );
    }
    client.close();
  });

  test(`${kind}: a later connection of a user with the same key takes over; another user with it does not.`, async () => {
    const mid = bench.mid(0);
    const key = `shared-${mid}`;
    const earlier = await connect({ mid, key, accepts: [1] });
    const other = await connect({ mid: bench.mid(0), key, accepts: [1] });
    const later = await connect({ mid, key, accepts: [1] });
    // goim's clients know no op 6: on TCP there is nothing but the end.
    assert.equal(await earlier.closed, kind === 'ws' ? 4409 : 0);
    assert.ok(!earlier.hasMore);
    await goimPush(bench, `keys?operation=1&keys=${key}&keys=nobody`, 'hello');
    assert.deepEqual([await later.push(), await other.push()], ['1 hello', '1 hello']);
    later.close();
    other.close();
  });

  test(`${kind}: a client may have no mid, or one that is no int32.`, async () => {
    const key = `anonymous ${kind}`;
    const anonymous = [await connect({ key, accepts: [1] }), await connect({ mid: 0, key, accepts: [1] })];
    const large = await connect({ mid: 5_000_000_000, accepts: [1] });
    await goimPush(bench, `keys?operation=1&keys=${encodeURIComponent(key)}`, 'both');
    await goimPush(bench, 'mids?operation=1&mids=0&mids=5000000000', 'the large one');
    assert.equal(await large.push(), '1 the large one');
    for (const client of anonymous) {
      assert.equal(await client.push(), '1 both');
      assert.equal(await client.online(), 0); // and nothing else
    }
    for (const client of [...anonymous, large]) client.close();
  });

  test(`${kind}: messages of Encke reach a goim client that accepts their operation, and only count as delivered then.`, async () => {
    const [sender, mid] = [bench.mid(), bench.mid()];
    const encke = await connectComet('tcp', bench, sender);
    assert.equal(await encke.send(mid, 'before'), 1);
    const without = await connect({ mid, accepts: [1000] });
    assert.equal(await encke.send(mid, 'for later'), 2);
    assert.equal(await without.online(), 0);
    without.frame(18, 4, message([mid, sender], 'own')); // an own message moves nothing past the one before
    assert.equal((await without.reply()).op, 19);
    without.close();
    const accepting = await connect({ mid, accepts: [18] });
    await encke.send(mid, 'live');
    const expected = [
      message([0, 1, sender, mid], 'before'),
      message([0, 2, sender, mid], 'for later'),
      message([0, 3, mid, sender], 'own'),
      message([0, 4, sender, mid], 'live'),
    ];
    for (const body of expected) assert.equal(await accepting.push('hex'), `18 ${body.toString('hex')}`);
    accepting.close();
    await encke.close();
  });

  test(`${kind}: messages of groups reach a goim client that accepts operation 20, also when they are multicast.`, async () => {
    const [sender, mid, gid] = [bench.mid(), bench.mid(), bench.mid()];
    await putGroup(bench, gid, [sender, mid]);
    const encke = await connectComet('tcp', bench, sender);
    const clients = await Promise.all([[20], [20], [18]].map((accepts) => connect({ mid, accepts })));
    for (const text of ['one', 'two']) {
      await encke.sendToGroup(gid, text);
      for (const client of clients.slice(0, 2)) {
        const push = await client.push();
        assert.ok(push.startsWith('20 ') && push.endsWith(text), push);
      }
    }
    for (const client of clients) assert.equal(await client.online(), 0); // and nothing else
    for (const client of clients) client.close();
    await encke.close();
  });

  test(`${kind}: a bad op 7 is told why, and ends the connection.`, async () => {
    const long = 'x'.repeat(limits.goimNameCharsMax + 1);
    const bad: Record<string, unknown>[] = [
      { mid: -1, accepts: [] },
      { mid: 1.5, accepts: [] },
      { mid: '7', accepts: [] },
      { mid: 1, accepts: 'all' },
      { mid: 1, accepts: [1.5] },
      { mid: 1, accepts: [2_147_483_648] },
      { mid: 1, accepts: Array.from({ length: limits.goimAcceptsMax + 1 }, (_, i) => i) },
      { mid: 1, key: 7 },
      { mid: 1, key: long },
      { mid: 1, room_id: long },
      { mid: 1, platform: 'web', mkey: 5 },
    ];
    for (const body of bad) {
      const client = await GoimConnection.open(kind, bench);
      client.frame(7, 1, JSON.stringify(body));
      const { op, body: reply } = await client.reply();
      assert.deepEqual([op, reply], [8, '{"ret":-1,"error":"bad_body"}'], JSON.stringify(body));
      assert.equal(await client.closed, kind === 'ws' ? 4400 : 0);
    }
  });
}

test('A goim client sends and asks in operations of Encke as any other.', async () => {
  const [mid, other] = [bench.mid(), bench.mid()];
  const client = await GoimConnection.connect('tcp', bench, { mid, accepts: [1] });
  const receiver = await connectMessaging(bench, other);
  client.frame(18, 2, message([mid, other], 'hello'));
  client.frame(2, 3);
  const replies = [await client.reply(), await client.reply()];
  assert.deepEqual(
    replies.map(({ op, seq, body: bytes }) => [op, seq, Buffer.from(bytes).toString('hex')]),
    [
      [19, 2, '000000000000000001'],
      [3, 3, '00000000'],
    ],
  );
  assert.equal((await receiver.nextMessage()).text, 'hello');
  client.close();
  await receiver.close();
});

test('The JSON encoding has no dialect: what members of goim say there plays no part.', async () => {
  const mid = bench.mid();
  const client = await connectComet('ws-json', bench, mid);
  await goimPush(bench, `mids?operation=1000&mids=${mid}`, 'not for it');
  await client.heartbeat();
  assert.equal(client.waitingMessages, 0);
  await client.close();
});

test('Over WebSocket every reply is a message of its own, and so is a batch: clients of goim read one package of each.', async () => {
  const [sender, mid] = [bench.mid(), bench.mid()];
  const encke = await connectComet('tcp', bench, sender);
  await encke.send(mid, 'missed');
  const client = await GoimConnection.open('ws', bench);
  // All of it goes out before the first answer comes back; the support refuses two packages in one.
  client.frame(7, 1, JSON.stringify({ mid, accepts: [18] }));
  client.frame(2, 2);
  client.frame(12, 3, 'live://1');
  client.frame(18, 4, message([mid, sender], 'hello'));
  client.frame(4, 5);
  const ops: number[] = [];
  while (ops.length < 5) {
    const frame = await client.any();
    if (frame.op !== 9) ops.push(frame.op);
  }
  assert.deepEqual(ops, [8, 3, 13, 19, 4]);
  client.close();
  await encke.close();
});
