import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CometMessage } from '../../src/client/index.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { cometKinds } from '../support/clients.ts';
import { leave, onWorkers, range, type Wire } from '../support/comet.ts';

const kindAt = (i: number): (typeof cometKinds)[number] => cometKinds[i % 3] ?? 'tcp';
const chatIdsOf = (messages: readonly CometMessage[]): number[] => messages.map(({ chatId }) => chatId);

/** Sends so many messages without waiting in between. */
async function sayMany(wire: Wire, to: number, texts: readonly string[], op: 18 | 20 = 18): Promise<void> {
  for (const [seq, text] of texts.entries()) wire.message(op, seq, to, text);
  for (const seq of texts.keys()) assert.equal((await wire.replyAmongBatches(op + 1, seq)).ret, 0);
}

const numbered = (prefix: string, first: number, last: number): string[] =>
  range(first, last).map((i) => `${prefix}${i}`);

onWorkers('offline', (bench) => {
  for (const kind of cometKinds) {
    test(`what was missed comes right after op 8, oldest first, over ${kind}`, async () => {
      for (const shard of range(0, bench.workers - 1)) {
        const [from, to] = [await bench.connect('tcp', bench.mid(0)), bench.mid(shard)];
        const texts = numbered('m', 1, 1_000);
        await sayMany(from, to, texts);
        const wire = await bench.connect(kind, to);
        const messages = await wire.messages(1_000);
        assert.deepEqual(chatIdsOf(messages), range(1, 1_000));
        assert.deepEqual(
          messages.map(({ text }) => text),
          texts,
        );
        await Promise.all([from.end(), wire.end()]);
      }
    });

    test(`what comes while the backlog is fed comes behind it, over ${kind}`, async () => {
      const [from, to] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
      const padding = 'x'.repeat(1_000);
      await sayMany(
        from,
        to,
        Array.from({ length: 1_000 }, () => padding),
      ); // a megabyte: many steps
      const [wire] = await Promise.all([bench.connect(kind, to), sayMany(from, to, numbered('new', 1, 500))]);
      assert.deepEqual(chatIdsOf(await wire.messages(1_500)), range(1, 1_500));
      await Promise.all([from.end(), wire.end()]);
    });

    test(`what was delivered does not come again, over ${kind}`, async () => {
      const [from, to] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
      await sayMany(from, to, numbered('m', 1, 10));
      const first = await bench.connect(kind, to);
      await first.messages(10);
      await from.say(to, 'live');
      await first.messages(1);
      await leave(bench, first);
      await from.say(to, 'away');
      const second = await bench.connect(kind, to);
      assert.deepEqual(chatIdsOf(await second.messages(1)), [12]);
      await leave(bench, second);
      const third = await bench.connect(kind, to);
      await third.beat(); // nothing is left
      await from.say(to, 'once more');
      assert.deepEqual(chatIdsOf(await third.messages(1)), [13]);
      await Promise.all([from.end(), third.end()]);
    });
  }

  test('the backlogs of many conversations, pairs and groups, each come in order', async () => {
    const to = bench.mid(1);
    const senders = await Promise.all(range(0, 7).map((i) => bench.connect(kindAt(i), bench.mid(i))));
    const gids = range(0, 3).map((i) => bench.mid(i));
    for (const gid of gids) await putGroup(bench, gid, [to, ...senders.map(({ mid }) => mid)]);
    for (const wire of senders) await sayMany(wire, to, numbered('p', 1, 100));
    const groupTexts = numbered('g', 1, 25);
    for (const gid of gids) for (const wire of senders) await sayMany(wire, gid, groupTexts, 20);
    const wire = await bench.connect('tcp', to);
    const byConversation = new Map<string, number[]>();
    for (const { group, from, to: target, chatId } of await wire.messages(8 * 100 + 4 * 8 * 25)) {
      const key = group ? `g${target}` : `p${from}`;
      byConversation.set(key, [...(byConversation.get(key) ?? []), chatId]);
    }
    assert.deepEqual(
      [...byConversation.keys()].sort(),
      [...gids.map((gid) => `g${gid}`), ...senders.map(({ mid }) => `p${mid}`)].sort(),
    );
    for (const [key, chatIds] of byConversation)
      assert.deepEqual(chatIds, range(1, key.startsWith('g') ? 200 : 100), key);
    await wire.beat();
    await Promise.all([...senders, wire].map((each) => each.end()));
  });

  test('delivered is kept for a user as a whole: any connection counts for those without a name', async () => {
    const [from, to] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    const named = await bench.connect('ws-json', to, 'phone');
    await from.say(to, 'to the phone');
    assert.deepEqual(await named.texts(1), ['to the phone']);
    await leave(bench, named);
    const unnamed = await bench.connect('tcp', to);
    await unnamed.beat();
    await from.say(to, 'second');
    assert.deepEqual(await unnamed.texts(1), ['second']);
    await Promise.all([from.end(), unnamed.end()]);
  });

  test('delivered is kept for each named device by itself', async () => {
    const [from, to] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    const [phone, laptop] = [
      await bench.connect('tcp', to, 'phone'),
      await bench.connect('ws-json', to, 'laptop'),
    ];
    await from.say(to, 'both');
    assert.deepEqual([await phone.texts(1), await laptop.texts(1)], [['both'], ['both']]);
    await leave(bench, phone);
    await sayMany(from, to, ['laptop 1', 'laptop 2']);
    await laptop.messages(2);
    await leave(bench, laptop);
    await from.say(to, 'nobody');
    const again = await bench.connect('ws-binary', to, 'phone');
    assert.deepEqual(chatIdsOf(await again.messages(3)), [2, 3, 4]);
    const later = await bench.connect('tcp', to, 'laptop');
    assert.deepEqual(chatIdsOf(await later.messages(1)), [4]);
    await Promise.all([from.end(), again.end(), later.end()]);
  });

  test('a device that was never seen starts where the user stands', async () => {
    const [from, to] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    const first = await bench.connect('tcp', to);
    await sayMany(from, to, ['seen', 'seen too']);
    await first.messages(2);
    await leave(bench, first);
    await from.say(to, 'unseen');
    const tablet = await bench.connect('ws-json', to, 'tablet');
    assert.deepEqual(await tablet.texts(1), ['unseen']);
    await Promise.all([from.end(), tablet.end()]);
  });

  test('a named device gets what its user sent from elsewhere while it was away', async () => {
    const [mid, peer] = [bench.mid(0), bench.mid(1)];
    const phone = await bench.connect('tcp', mid, 'phone');
    const laptop = await bench.connect('ws-json', mid, 'laptop');
    await leave(bench, phone);
    await laptop.say(peer, 'sent from the laptop');
    const again = await bench.connect('tcp', mid, 'phone');
    const [message] = await again.messages(1);
    assert.deepEqual([message?.from, message?.to, message?.text], [mid, peer, 'sent from the laptop']);
    await Promise.all([laptop.end(), again.end()]);
  });

  test('a connection is not sent later what it sent itself', async () => {
    const [one, two] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    await sayMany(one, two, numbered('m', 1, 50));
    await leave(bench, one);
    const again = await bench.connect('tcp', one.mid);
    await again.beat();
    assert.equal(await again.say(two, 'next'), 51);
    await again.end();
  });

  test('a group message from while away comes later, one from before joining or after leaving does not', async () => {
    const gid = bench.mid();
    const [host, guest] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    await putGroup(bench, gid, [host.mid]);
    await host.say(gid, 'before', 20);
    await putGroup(bench, gid, [host.mid, guest]);
    await sayMany(host, gid, numbered('between', 1, 300), 20);
    const wire = await bench.connect('ws-json', guest);
    assert.deepEqual(chatIdsOf(await wire.messages(300)), range(2, 301));
    await leave(bench, wire);
    await host.say(gid, 'missed', 20);
    await adminRequest(bench.adminAddress, 'POST', `/v1/groups/${gid}/members`, { remove: [guest] });
    await host.say(gid, 'after', 20);
    const later = await bench.connect('tcp', guest);
    await later.beat();
    await adminRequest(bench.adminAddress, 'POST', `/v1/groups/${gid}/members`, { add: [guest] });
    assert.equal(await host.say(gid, 'again', 20), 304);
    assert.deepEqual(chatIdsOf(await later.messages(1)), [304]);
    await Promise.all([host.end(), later.end()]);
  });
});
