import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { decodePackages, encodePackage, PackageReader } from '../../src/client/frames.ts';
import type { CometMessage } from '../../src/client/index.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { cometKinds } from '../support/clients.ts';
import { onWorkers, range, within, type Bench, type Wire } from '../support/comet.ts';

const kindAt = (i: number): (typeof cometKinds)[number] => cometKinds[i % 3] ?? 'tcp';
const chatIdsOf = (messages: readonly CometMessage[]): number[] => messages.map(({ chatId }) => chatId);

/**
 * Sends so many messages without waiting in between; the numbers that they got. `authSeq`: an op 8
 * is to come first.
 */
async function sayMany(
  wire: Wire,
  to: number,
  count: number,
  op: 18 | 20 = 18,
  size = 1,
  authSeq?: number,
): Promise<number[]> {
  for (let seq = 0; seq < count; seq++) wire.message(op, seq, to, 'x'.repeat(size));
  if (authSeq !== undefined) assert.equal((await wire.reply(8, authSeq)).ret, 0);
  const chatIds: number[] = [];
  for (let seq = 0; seq < count; seq++) chatIds.push((await wire.replyAmongBatches(op + 1, seq)).chatId ?? 0);
  return chatIds;
}

/** A TCP connection that ends its side after `enough` messages and reads on to the server's FIN: nothing is lost. */
async function visit(
  bench: Bench,
  mid: number,
  device: string | undefined,
  enough: number,
): Promise<number[]> {
  const socket = connect({ ...bench.tcpAddress, allowHalfOpen: true });
  const body = Buffer.from(JSON.stringify({ mid, mkey: '', device }));
  socket.write(encodePackage({ ver: 1, op: 7, seq: 1, body }));
  const reader = new PackageReader();
  const chatIds: number[] = [];
  socket.on('data', (chunk: Buffer) => {
    for (const frame of reader.read(chunk)) {
      if (frame.op !== 9) continue;
      for (const message of decodePackages(frame.body)) chatIds.push(Number(message.body.readBigInt64BE(0)));
    }
    if (chatIds.length >= enough && !socket.writableEnded) socket.end();
  });
  await within(once(socket, 'end'), 'FIN');
  return chatIds;
}

onWorkers('coming and going', (bench) => {
  for (const device of [undefined, 'phone']) {
    const name = device === undefined ? 'without a name' : 'of one device';
    test(`connections ${name} that follow each other get every message once between them, in order`, async () => {
      const [from, to, total] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1), 4_000];
      await sayMany(from, to, 1); // the device is known from its first message on
      const got: number[] = [...(await visit(bench, to, device, 1))];
      const sending = (async () => {
        for (let i = 0; i < 40; i++) await sayMany(from, to, 100, 18, 100);
      })();
      while (got.length < total)
        got.push(...(await visit(bench, to, device, Math.min(150, total + 1 - got.length))));
      await sending;
      if (got.length < total + 1) got.push(...(await visit(bench, to, device, 1)));
      assert.deepEqual(got, range(1, total + 1));
      await from.end();
    });
  }

  for (const op of [18, 20] as const) {
    for (const kind of cometKinds) {
      const what = op === 18 ? 'pair' : 'group';
      test(`who sends into a ${what} while its backlog is fed gets all but its own, in order, over ${kind}`, async () => {
        const [one, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
        const gid = bench.mid(2);
        await putGroup(bench, gid, [one.mid, mid]);
        await sayMany(one, op === 18 ? mid : gid, 1_500, op, 300);
        const wire = await bench.open(kind);
        wire.auth(mid, 10_000);
        const own = sayMany(wire, op === 18 ? one.mid : gid, 500, op, 1, 10_000);
        await Promise.all([sayMany(one, op === 18 ? mid : gid, 500, op, 300), own]);
        const mine = new Set(await own);
        assert.equal(mine.size, 500);
        const messages = await wire.messages(2_000);
        assert.deepEqual(
          chatIdsOf(messages),
          range(1, 2_500).filter((chatId) => !mine.has(chatId)),
        );
        await wire.beat();
        await Promise.all([wire.end(), one.end()]);
      });
    }
  }

  for (const kind of cometKinds) {
    test(`a client that is cut while it does not read gets later what it had not, over ${kind}`, async () => {
      const [from, to, count] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1), 400];
      const gone = await bench.connect(kind, to);
      const { socket } = gone.client as unknown as { socket: { pause(): void } };
      socket.pause();
      for (let i = 0; i < count; i += 10) await sayMany(from, to, 10, 18, 50_000); // 20 MB
      const connections = bench.server.connections;
      gone.client.destroy();
      while (bench.server.connections >= connections) await new Promise((resolve) => setImmediate(resolve));
      const later = await bench.connect(kind, to);
      const chatIds: number[] = [];
      while (chatIds.at(-1) !== count) chatIds.push(...chatIdsOf(await later.messages(1)));
      assert.deepEqual(chatIds, range(chatIds[0] ?? 0, count));
      assert.ok((chatIds[0] ?? 0) <= 300, 'the kernel took no 15 MB');
      await Promise.all([from.end(), later.end()]);
    });

    test(`a device that is replaced in the middle of its backlog: between the two nothing is missing, over ${kind}`, async () => {
      const [from, to] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
      const known = await bench.connect(kind, to, 'phone');
      await sayMany(from, to, 1);
      await known.messages(1);
      await known.end();
      for (let i = 0; i < 20; i++) await sayMany(from, to, 100, 18, 2_000); // 4 MB
      const first = await bench.connect(kind, to, 'phone');
      const before = new Set(chatIdsOf(await first.batch()));
      const second = await bench.connect(kind, to, 'phone');
      for (;;) {
        const frame = await first.next().catch(() => undefined);
        if (frame === undefined || frame.op === 6) break;
        for (const { chatId } of first.unpack(frame)) before.add(chatId);
      }
      assert.equal((await first.closed).code, 4409);
      const after: number[] = [];
      if (!before.has(2_001))
        while (after.at(-1) !== 2_001) after.push(...chatIdsOf(await second.messages(1)));
      assert.deepEqual(after, after.length === 0 ? [] : range(after[0] ?? 0, 2_001));
      for (const chatId of range(2, 2_001))
        assert.ok(before.has(chatId) || after.includes(chatId), `${chatId} is missing`);
      await Promise.all([from.end(), second.end()]);
    });
  }

  test('of many connections of one device that open at once, one stays and the others get 4409', async () => {
    const mid = bench.mid();
    const wires = await Promise.all(range(0, 11).map((i) => bench.open(kindAt(i))));
    for (const wire of wires) wire.auth(mid, 1, 'phone');
    const left = new Set(wires);
    const codes: number[] = [];
    await new Promise<void>((resolve) => {
      for (const wire of wires) {
        void wire.closed.then(({ code }) => {
          codes.push(code);
          left.delete(wire);
          if (left.size === 1) resolve();
        });
      }
    });
    assert.deepEqual(
      codes,
      Array.from({ length: 11 }, () => 4409),
    );
    const [stays] = left;
    assert.equal((await stays?.reply(8, 1))?.ret, 0);
    await stays?.beat();
    await stays?.end();
  });

  test('several groups with the same members at once: each is dense and in order on every connection', async () => {
    const mids = range(0, 5).map((i) => bench.mid(i));
    const gids = range(0, 4).map((i) => bench.mid(i));
    for (const gid of gids) await putGroup(bench, gid, mids);
    const wires = await Promise.all(mids.map((mid, i) => bench.connect(kindAt(i), mid)));
    const [rounds, each] = [30, gids.length];
    const own = await Promise.all(
      wires.map(async (wire) => {
        const total = rounds * each;
        for (let seq = 0; seq < total; seq++) wire.message(20, seq, gids[seq % each] ?? 0, 'x');
        const sent = new Set<string>();
        for (let seq = 0; seq < total; seq++)
          sent.add(`${gids[seq % each]}:${(await wire.replyAmongBatches(21, seq)).chatId}`);
        return sent;
      }),
    );
    for (const [i, wire] of wires.entries()) {
      const byGroup = new Map<number, number[]>(gids.map((gid) => [gid, []]));
      for (const { to, chatId } of await wire.messages((wires.length - 1) * rounds * each))
        byGroup.get(to)?.push(chatId);
      for (const [gid, chatIds] of byGroup) {
        const others = range(1, wires.length * rounds).filter((chatId) => !own[i]?.has(`${gid}:${chatId}`));
        assert.deepEqual(chatIds, others);
      }
      await wire.end();
    }
  });

  test('who leaves a group in the middle of its backlog gets nothing of it after joining again but what is new', async () => {
    const [host, guest, gid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1), bench.mid(2)];
    await putGroup(bench, gid, [host.mid, guest]);
    await sayMany(host, gid, 2_000, 20, 2_000); // 4 MB
    const wire = await bench.connect('tcp', guest);
    await wire.messages(10);
    const change = (members: object): Promise<unknown> =>
      adminRequest(bench.adminAddress, 'POST', `/v1/groups/${gid}/members`, members);
    await change({ remove: [guest] });
    await sayMany(host, gid, 10, 20);
    await change({ add: [guest] });
    assert.deepEqual(await sayMany(host, gid, 1, 20), [2_011]);
    const chatIds: number[] = [];
    while (chatIds.at(-1) !== 2_011) chatIds.push(...chatIdsOf(await wire.messages(1)));
    assert.deepEqual(chatIds.slice(0, -1), range(11, 10 + chatIds.length - 1), 'up to where it left');
    assert.ok((chatIds.at(-2) ?? 0) <= 2_000, 'and nothing that was said in between');
    await Promise.all([host.end(), wire.end()]);
  });
});
