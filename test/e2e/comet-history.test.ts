import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CometTcpClient } from '../../src/client/index.ts';
import type { HistoryOptions, HistoryPage } from '../../src/client/index.ts';
import { limits } from '../../src/limits.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { cometKinds, connectMessaging } from '../support/clients.ts';
import { Bench, leave, onWorkers, range, type Wire } from '../support/comet.ts';
import { killShard, untilReady } from '../support/shards.ts';

/** Sends these texts without waiting in between. */
async function sayAll(wire: Wire, to: number, texts: readonly string[], op: 18 | 20 = 18): Promise<void> {
  for (const [seq, text] of texts.entries()) wire.message(op, seq, to, text);
  for (const seq of texts.keys()) assert.equal((await wire.replyAmongBatches(op + 1, seq)).ret, 0);
}

const numbered = (first: number, last: number): string[] => range(first, last).map((i) => `m${i}`);
const numbersOf = ({ messages }: HistoryPage): number[] => messages.map(({ chatId }) => chatId);
/** As JSON tells it; binary has no room for the code. */
const refusalOf = (wire: Wire, code: string): string => (wire.isJson ? code : 'refused');

/** All that page after page gives, until there is no more. */
async function allPages(
  wire: Wire,
  of: { group: number } | { with: number | string },
  order: 'oldest' | 'newest',
  limit: number,
): Promise<number[]> {
  const numbers: number[] = [];
  for (let more = true; more;) {
    const edge = numbers.at(-1);
    const from: HistoryOptions =
      edge === undefined ? {} : order === 'oldest' ? { after: edge } : { before: edge };
    const page = await wire.pageOf(of, { ...from, order, limit });
    assert.ok(page.messages.length <= limit);
    numbers.push(...numbersOf(page));
    ({ more } = page);
  }
  return numbers;
}

onWorkers('history', (bench) => {
  for (const kind of cometKinds) {
    test(`both sides of a pair page through all of it, in either order, over ${kind}`, async () => {
      for (const shard of range(0, bench.workers - 1)) {
        const [one, two] = [
          await bench.connect(kind, bench.mid(0)),
          await bench.connect(kind, bench.mid(shard)),
        ];
        await sayAll(one, two.mid, numbered(1, 300));
        await sayAll(two, one.mid, numbered(301, 330));
        for (const [wire, other] of [
          [one, two],
          [two, one],
        ] as const) {
          const of = { with: other.mid };
          const page = await wire.pageOf(of);
          assert.deepEqual([numbersOf(page), page.last, page.more], [range(1, 50), 330, true]);
          assert.deepEqual(
            page.messages.map(({ text, from }) => [text, from]),
            numbered(1, 50).map((text) => [text, one.mid]),
          );
          assert.deepEqual(await allPages(wire, of, 'oldest', 97), range(1, 330));
          assert.deepEqual(await allPages(wire, of, 'newest', 256), range(1, 330).reverse());
          const newest = await wire.pageOf(of, { order: 'newest', limit: 2 });
          assert.deepEqual(
            newest.messages.map(({ text, from, to }) => [text, from, to]),
            [
              ['m330', two.mid, one.mid],
              ['m329', two.mid, one.mid],
            ],
          );
          const between = await wire.pageOf(of, { after: 10, before: 13 });
          assert.deepEqual([numbersOf(between), between.more], [[11, 12], false]);
        }
        await Promise.all([one.end(), two.end()]);
      }
    });

    test(`messages of every kind are as they were in op 9, over ${kind}`, async () => {
      const [from, wire] = [await bench.connect('ws-json', bench.mid(0)), await bench.connect(kind)];
      for (const content of ['grüße', '', { a: [1, null] }, null, Uint8Array.of(0xff, 0)])
        await from.say(wire.mid, content);
      const pushed = await wire.messages(5);
      assert.deepEqual((await wire.pageOf({ with: from.mid })).messages, pushed);
      await Promise.all([from.end(), wire.end()]);
    });

    test(`a member sees a group from when it joined, and nothing once it left, over ${kind}`, async () => {
      const [gid, host] = [bench.mid(), await bench.connect('tcp', bench.mid(0))];
      const guest = await bench.connect(kind, bench.mid(1));
      await putGroup(bench, gid, [host.mid]);
      await sayAll(host, gid, numbered(1, 20), 20);
      guest.history(1, { group: gid });
      assert.equal(await guest.page(1), refusalOf(guest, 'not_member'));
      guest.history(2, { group: bench.mid() });
      assert.equal(await guest.page(2), refusalOf(guest, 'not_member'));
      await putGroup(bench, gid, [host.mid, guest.mid]);
      await sayAll(host, gid, numbered(21, 30), 20);
      await guest.messages(10);
      for (const options of [{}, { after: 5 }]) {
        const page = await guest.pageOf({ group: gid }, options);
        assert.deepEqual([numbersOf(page), page.last, page.more], [range(21, 30), 30, false]);
      }
      assert.deepEqual(await allPages(guest, { group: gid }, 'newest', 3), range(21, 30).reverse());
      assert.deepEqual((await guest.pageOf({ group: gid }, { before: 21 })).messages, []);
      assert.deepEqual(await allPages(host, { group: gid }, 'newest', 7), range(1, 30).reverse());
      await adminRequest(bench.adminAddress, 'POST', `/v1/groups/${gid}/members`, { remove: [guest.mid] });
      await host.say(guest.mid, 'you left'); // behind the news that it left, or told by the next one
      await guest.messages(1);
      let refused: HistoryPage | string = '';
      for (let seq = 3; typeof refused !== 'string' || refused === ''; seq++) {
        guest.history(seq, { group: gid });
        refused = await guest.page(seq);
      }
      assert.equal(refused, refusalOf(guest, 'not_member'));
      await Promise.all([host.end(), guest.end()]);
    });

    test(`requests with a bad body are refused over ${kind}, and the connection lives`, async () => {
      const wire = await bench.connect(kind);
      const bad = [
        [{ with: bench.mid() }, { limit: 257 }, 'bad_body'],
        [{ with: bench.mid() }, { limit: -1 }, 'bad_body'],
        [{ with: bench.mid() }, { after: -1 }, 'bad_body'],
        [{ with: bench.mid() }, { before: -1 }, 'bad_body'],
        [{ with: 0 }, {}, 'bad_recipient'],
        [{ group: -5 }, {}, 'bad_recipient'],
        [{ with: '' }, {}, 'bad_recipient'],
      ] as const;
      for (const [of, options, code] of bad) {
        wire.history(3, of, options);
        assert.equal(await wire.page(3), refusalOf(wire, code), JSON.stringify([of, options]));
      }
      wire.frame(24, 4, wire.isJson ? null : Buffer.alloc(25));
      assert.equal(await wire.page(4), refusalOf(wire, 'bad_body'));
      const page = await wire.pageOf({ with: bench.mid() });
      assert.deepEqual(page, { messages: [], last: 0, more: false });
      await wire.end();
    });

    test(`replies keep the order of the requests, whatever is between them, over ${kind}`, async () => {
      const [wire, to] = [await bench.connect(kind, bench.mid(0)), bench.mid(1)];
      await wire.say(to, 'the first'); // or there would be nothing to acknowledge yet
      for (let seq = 1; seq <= 300; seq++) {
        wire.message(18, seq, to, 'x');
        wire.history(seq, { with: to }, { order: 'newest', limit: 1 });
        wire.frame(2, seq);
        wire.history(seq, { group: 1 });
        wire.ack(seq, { with: to }, 1);
      }
      for (let seq = 1; seq <= 300; seq++) {
        assert.equal((await wire.reply(19, seq)).chatId, seq + 1);
        assert.equal(typeof (await wire.page(seq)), 'object');
        assert.deepEqual([(await wire.next()).op], [3]);
        assert.equal(await wire.page(seq), refusalOf(wire, 'not_member'));
        assert.ok(((await wire.reply(23, seq)).chatId ?? 0) >= 1);
      }
      await wire.end();
    });
  }

  test('a page ends at about 64 KiB, and a larger message comes alone', async () => {
    const [from, wire] = [await bench.connect('tcp', bench.mid(0)), await bench.connect('ws-binary')];
    for (let i = 0; i < 5; i++) await from.say(wire.mid, Buffer.alloc(30_000, i));
    await from.say(wire.mid, Buffer.alloc(limits.packageBytesMax - 24));
    await wire.messages(6);
    const pages = [
      await wire.pageOf({ with: from.mid }, { limit: 256 }),
      await wire.pageOf({ with: from.mid }, { after: 4 }),
      await wire.pageOf({ with: from.mid }, { order: 'newest' }),
      await wire.pageOf({ with: from.mid }, { order: 'newest', before: 6 }),
    ];
    assert.deepEqual(
      pages.map((page) => [numbersOf(page), page.more]),
      [
        [[1, 2], true],
        [[5], true],
        [[6], true],
        [[5, 4], true],
      ],
    );
    await Promise.all([from.end(), wire.end()]);
  });

  test('looking back moves no cursor', async () => {
    const [from, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    await sayAll(from, mid, numbered(1, 5));
    const first = await bench.connectAck('ws-json', mid);
    await first.messages(5);
    assert.equal((await first.pageOf({ with: from.mid })).messages.length, 5);
    await leave(bench, first);
    const second = await bench.connectAck('tcp', mid);
    assert.equal((await second.messages(5)).length, 5);
    await Promise.all([from.end(), second.end()]);
  });

  test('a conversation with a messaging client is found by its name', async () => {
    const [name, wire] = [bench.ids.name(1), await bench.connect('tcp', bench.mid(0))];
    const ann = await connectMessaging(bench, name);
    ann.send(wire.mid, { text: 'hello' });
    const pushed = await wire.messages(1);
    assert.deepEqual((await wire.pageOf({ with: name })).messages, pushed);
    await Promise.all([wire.end(), ann.close()]);
  });
});

describe('history under pressure', { timeout: 60_000 }, () => {
  const bench = new Bench(2);

  test('a client that asks for far more than it reads gets all of it when it reads', async () => {
    const [from, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    const [slow, other] = [await bench.connect('tcp', mid), await bench.connect('ws-json', mid)];
    await sayAll(
      from,
      mid,
      Array.from({ length: 30 }, () => 'x'.repeat(2_000)),
    );
    for (const wire of [slow, other]) await wire.messages(30);
    assert.ok(slow.client instanceof CometTcpClient);
    slow.client.socket.pause();
    const requests = limits.sessionRequestsMax + 500; // 60 KB each: far more than the kernel takes
    for (let seq = 0; seq < requests; seq++) slow.history(seq, { with: from.mid });
    // Others are served, the slow one's user included.
    await from.say(mid, 'meanwhile');
    assert.deepEqual(await other.texts(1), ['meanwhile']);
    assert.equal((await other.pageOf({ with: from.mid })).last, 31);
    slow.client.socket.resume();
    for (let seq = 0; seq < requests; seq++) {
      const page = await slow.page(seq);
      assert.ok(typeof page === 'object' && page.messages.length >= 30);
    }
    assert.deepEqual(await slow.texts(1), ['meanwhile']);
    await Promise.all([from, slow, other].map((wire) => wire.end()));
  });

  test('while the shard with the log is away the reply is storage_unavailable, later the page', async () => {
    const [low, mid] = [bench.mid(0), bench.mid(1)]; // the lower one's shard owns the conversation
    const from = await bench.connect('tcp', low);
    await sayAll(from, mid, numbered(1, 3));
    const wire = await bench.connect('ws-json', mid);
    await wire.messages(3);
    await killShard(bench.server, 0);
    wire.history(1, { with: low });
    const refused = await wire.page(1);
    if (typeof refused === 'string') assert.equal(refused, 'storage_unavailable');
    await untilReady(bench.server);
    assert.deepEqual(numbersOf(await wire.pageOf({ with: low })), [1, 2, 3]);
    await wire.end();
  });
});
