import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CometTcpClient, type CometMessage } from '../../src/client/index.ts';
import { limits } from '../../src/limits.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { cometKinds, connectMessaging, openTcp } from '../support/clients.ts';
import { Bench, leave, onWorkers, range, refusal, within, type Wire } from '../support/comet.ts';
import { killShard, untilReady } from '../support/shards.ts';

const chatIdsOf = (messages: readonly CometMessage[]): number[] => messages.map(({ chatId }) => chatId);

/** Sends so many messages without waiting in between. */
async function sayMany(wire: Wire, to: number, count: number, op: 18 | 20 = 18, text = 'm'): Promise<void> {
  for (let seq = 0; seq < count; seq++) wire.message(op, seq, to, text);
  for (let seq = 0; seq < count; seq++) assert.equal((await wire.replyAmongBatches(op + 1, seq)).ret, 0);
}

/** The numbers of the messages that a new connection is sent, up to the last one. */
const missed = async (wire: Wire, count: number): Promise<number[]> => {
  const numbers = chatIdsOf(await wire.messages(count));
  await wire.beat(); // and nothing else
  return numbers;
};

onWorkers('receipts', (bench) => {
  for (const kind of cometKinds) {
    test(`what was not acknowledged comes again after a reconnect, over ${kind}`, async () => {
      for (const shard of range(0, bench.workers - 1)) {
        const [from, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(shard)];
        await sayMany(from, mid, 5);
        const first = await bench.connectAck(kind, mid);
        assert.deepEqual(await missed(first, 5), range(1, 5));
        await sayMany(from, mid, 5);
        assert.deepEqual(chatIdsOf(await first.messages(5)), range(6, 10));
        assert.equal(await first.acked({ with: from.mid }, 7), 7);
        await first.end();
        const second = await bench.connectAck(kind, mid);
        assert.deepEqual(await missed(second, 3), [8, 9, 10]);
        await second.end();
        const third = await bench.connectAck(kind, mid);
        assert.deepEqual(await missed(third, 3), [8, 9, 10]);
        assert.equal(await third.acked({ with: from.mid }, 10), 10);
        await third.end();
        const fourth = await bench.connectAck(kind, mid);
        await fourth.beat();
        await from.say(mid, 'new');
        assert.deepEqual(chatIdsOf(await fourth.messages(1)), [11]);
        await Promise.all([from.end(), fourth.end()]);
      }
    });

    test(`what came of a group on an earlier connection is acknowledged first thing on the next, over ${kind}`, async () => {
      const [gid, from, mid] = [bench.mid(), await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
      await putGroup(bench, gid, [from.mid, mid]);
      const first = await bench.connectAck(kind, mid);
      await sayMany(from, gid, 5, 20);
      assert.deepEqual(chatIdsOf(await first.messages(5)), range(1, 5));
      await Promise.all([first.end(), from.end()]); // nobody follows the group any more
      const second = await openTcp(bench);
      const opened = second.authenticate({ mid, ack: true });
      assert.equal(await second.acknowledge({ group: gid }, 4), 4);
      await opened;
      await second.close();
      const third = await bench.connectAck(kind, mid);
      assert.deepEqual(await missed(third, 1), [5]);
      await third.end();
    });

    test(`of a group what was not acknowledged comes again, over ${kind}`, async () => {
      const [gid, from, mid] = [bench.mid(), await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
      const others = await Promise.all(range(0, 3).map((i) => bench.connect(cometKinds[i % 3] ?? 'tcp')));
      await putGroup(bench, gid, [from.mid, mid, ...others.map((other) => other.mid)]);
      const first = await bench.connectAck(kind, mid);
      for (let i = 0; i < 6; i++) await from.say(gid, `live ${i}`, 20);
      assert.deepEqual(chatIdsOf(await first.messages(6)), range(1, 6));
      assert.equal(await first.acked({ group: gid }, 4), 4);
      await first.end();
      await from.say(gid, 'away', 20);
      const second = await bench.connectAck(kind, mid);
      assert.deepEqual(await missed(second, 3), [5, 6, 7]);
      assert.equal(await second.acked({ group: gid }, 7), 7);
      for (const other of others) assert.equal((await other.messages(7)).length, 7);
      await Promise.all([from, second, ...others].map((wire) => wire.end()));
    });

    test(`what cannot be acknowledged is refused by its code over ${kind}, and the connection lives`, async () => {
      const [from, wire] = [await bench.connect('tcp', bench.mid(0)), await bench.connectAck(kind)];
      const gid = bench.mid();
      await putGroup(bench, gid, [from.mid, wire.mid]);
      await sayMany(from, wire.mid, 3);
      await wire.messages(3);
      const name = { with: from.mid };
      assert.equal(await wire.acked(name, 2), 2);
      assert.equal(await wire.acked(name, 1), 2); // no step back
      assert.equal(await wire.acked(name, Number.MAX_SAFE_INTEGER), 3); // nor beyond the newest
      const refused = [
        [{ with: bench.mid() }, 1, 'no_such_conversation'],
        [{ with: 'nobody' }, 1, 'no_such_conversation'],
        [{ group: gid }, 1, 'no_such_conversation'],
        [{ group: bench.mid() }, 1, 'not_member'],
        [{ with: 0 }, 1, 'bad_recipient'],
        [{ group: -1 }, 1, 'bad_recipient'],
        [name, 0, 'bad_body'],
        [name, -1, 'bad_body'],
      ] as const;
      for (const [of, chatId, code] of refused) {
        wire.ack(7, of, chatId);
        assert.deepEqual(await wire.reply(23, 7), refusal(kind, code), `${JSON.stringify(of)} ${chatId}`);
      }
      await adminRequest(bench.adminAddress, 'DELETE', `/v1/groups/${gid}`);
      await wire.beat();
      await Promise.all([from.end(), wire.end()]);
    });
  }

  test('of two devices one acknowledges and one does not: each has its own cursor', async () => {
    const [from, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    const phone = await bench.connectAck('tcp', mid, 'phone');
    const laptop = await bench.connect('ws-json', mid, 'laptop');
    await sayMany(from, mid, 6);
    for (const wire of [phone, laptop]) assert.deepEqual(chatIdsOf(await wire.messages(6)), range(1, 6));
    assert.equal(await phone.acked({ with: from.mid }, 2), 2);
    for (const wire of [phone, laptop]) await leave(bench, wire);
    const again = await bench.connect('tcp', mid, 'laptop');
    await again.beat(); // it has everything
    const back = await bench.connectAck('ws-binary', mid, 'phone');
    assert.deepEqual(await missed(back, 4), [3, 4, 5, 6]);
    await Promise.all([from.end(), again.end(), back.end()]);
  });

  test('what a named device acknowledged was delivered to the user, what it did not was not', async () => {
    const [from, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    const phone = await bench.connectAck('ws-json', mid, 'phone');
    await sayMany(from, mid, 6);
    await phone.messages(6);
    assert.equal(await phone.acked({ with: from.mid }, 4), 4);
    const unnamed = await bench.connectAck('tcp', mid);
    assert.deepEqual(await missed(unnamed, 2), [5, 6]);
    // A device that was never seen starts where the user stands.
    const tablet = await bench.connectAck('tcp', mid, 'tablet');
    assert.deepEqual(await missed(tablet, 2), [5, 6]);
    await Promise.all([from, phone, unnamed, tablet].map((wire) => wire.end()));
  });

  test('a device that was forgotten starts where the user stands', async () => {
    const [from, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    await sayMany(from, mid, 4);
    const phone = await bench.connectAck('tcp', mid, 'phone');
    await phone.messages(4);
    await phone.acked({ with: from.mid }, 1);
    for (let i = 0; i < limits.userDevicesMax; i++) {
      const other = await bench.connectAck('tcp', mid, `device ${i}`);
      assert.deepEqual(await missed(other, 3), [2, 3, 4]);
      await other.end();
    }
    assert.equal(await phone.acked({ with: from.mid }, 2), 2); // of the user now
    await phone.end();
    const again = await bench.connectAck('tcp', mid, 'phone');
    assert.deepEqual(await missed(again, 2), [3, 4]);
    await Promise.all([from.end(), again.end()]);
  });

  test('a device that takes over from itself gets what the earlier connection did not acknowledge', async () => {
    const [from, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    const first = await bench.connectAck('ws-json', mid, 'phone');
    await sayMany(from, mid, 3);
    await first.messages(3);
    await first.acked({ with: from.mid }, 1);
    const second = await bench.connectAck('tcp', mid, 'phone');
    assert.equal((await first.closed).code, 4409);
    assert.deepEqual(await missed(second, 2), [2, 3]);
    await Promise.all([from.end(), second.end()]);
  });

  test('in the middle of a long backlog it can be acknowledged, and goes on from there', async () => {
    const [from, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    await sayMany(from, mid, 2_000, 18, 'x'.repeat(1_000)); // two megabytes: many steps
    const first = await bench.connectAck('tcp', mid, 'phone');
    const some = await first.messages(700);
    assert.equal(await first.acked({ with: from.mid }, some.at(-1)?.chatId ?? 0), 700);
    first.client.destroy(); // most of the rest is on its way
    const second = await bench.connectAck('ws-binary', mid, 'phone');
    const [sending, rest] = [sayMany(from, mid, 100), await second.messages(1_400)];
    await sending;
    assert.deepEqual(chatIdsOf(rest), range(701, 2_100));
    await second.acked({ with: from.mid }, 2_100);
    await Promise.all([from.end(), second.end()]);
  });

  test('a client that does not read and is cut off gets all of it again', async () => {
    const [from, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    const slow = await bench.connectAck('tcp', mid, 'phone');
    assert.ok(slow.client instanceof CometTcpClient);
    slow.client.socket.pause();
    await sayMany(from, mid, 3_000, 18, 'x'.repeat(4_000)); // more than the kernel takes
    slow.client.destroy();
    const back = await bench.connectAck('ws-json', mid, 'phone');
    assert.deepEqual(chatIdsOf(await back.messages(3_000)), range(1, 3_000));
    await Promise.all([from.end(), back.end()]);
  });

  test('its own messages do not come to the connection that sent them, but after a reconnect unless acknowledged', async () => {
    const [peer, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    const first = await bench.connectAck('ws-json', mid, 'phone');
    assert.equal(await first.say(peer.mid, 'own 1'), 1);
    assert.equal(await peer.say(mid, 'theirs'), 2);
    assert.equal(await first.say(peer.mid, 'own 2'), 3);
    assert.equal(await first.say(peer.mid, 'own 3'), 4);
    assert.deepEqual(await first.texts(1), ['theirs']);
    await first.acked({ with: peer.mid }, 2);
    await first.end();
    const second = await bench.connectAck('tcp', mid, 'phone');
    assert.deepEqual(await second.texts(2), ['own 2', 'own 3']);
    await second.acked({ with: peer.mid }, 4);
    await second.end();
    const third = await bench.connectAck('tcp', mid, 'phone');
    await third.beat();
    await Promise.all([peer.end(), third.end()]);
  });

  test('op 22 counts on a connection without ack as well', async () => {
    const [from, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    await sayMany(from, mid, 3);
    const phone = await bench.connectAck('tcp', mid, 'phone');
    await phone.messages(3);
    const plain = await bench.connect('ws-json', mid);
    await plain.messages(3);
    assert.equal(await plain.acked({ with: from.mid }, 3), 3);
    assert.equal(await phone.acked({ with: from.mid }, 2), 2); // a named device has its own
    await Promise.all([from.end(), phone.end(), plain.end()]);
  });

  test('replies to sends, receipts and heartbeats come in the order of the requests', async () => {
    const [from, wire] = [await bench.connect('tcp', bench.mid(0)), await bench.connectAck('ws-binary')];
    await sayMany(from, wire.mid, 200);
    await wire.messages(200);
    const to = bench.mid(1);
    for (let seq = 1; seq <= 200; seq++) {
      wire.message(18, seq, to, 'x');
      wire.ack(seq, { with: from.mid }, seq);
      wire.frame(2, seq);
    }
    for (let seq = 1; seq <= 200; seq++) {
      assert.deepEqual(await wire.reply(19, seq), { ret: 0, chatId: seq });
      const { ret, chatId = 0 } = await wire.reply(23, seq);
      assert.ok(ret === 0 && chatId >= seq);
      assert.deepEqual([(await wire.next()).op], [3]);
    }
    await Promise.all([from.end(), wire.end()]);
  });

  test('a conversation with a messaging client is acknowledged by its name, and its mailbox is not touched', async () => {
    const [name, mid] = [bench.ids.name(1), bench.mid(0)];
    const messaging = await connectMessaging(bench, mid);
    const ann = await connectMessaging(bench, name);
    ann.send(mid, { text: 'first' });
    assert.equal((await messaging.nextMessage())['text'], 'first');
    await leave(bench, { end: () => messaging.close() });
    const phone = await bench.connectAck('ws-json', mid, 'phone');
    await phone.beat(); // delivered to the user already
    ann.send(mid, { text: 'second' });
    ann.send(mid, { text: 'third' });
    assert.deepEqual(chatIdsOf(await phone.messages(2)), [2, 3]);
    assert.equal(await phone.acked({ with: name }, 2), 2);
    await phone.end();
    const again = await bench.connectAck('tcp', mid, 'phone');
    assert.deepEqual(await missed(again, 1), [3]);
    assert.equal(await again.acked({ with: name }, 3), 3);
    const mailbox = await connectMessaging(bench, mid);
    const unread = await mailbox.nextMessages(3);
    assert.deepEqual(
      unread.map(({ text }) => text),
      ['first', 'second', 'third'],
    );
    await Promise.all([again.end(), ann.close(), mailbox.close()]);
  });
});

describe('receipts and a shard that dies', { timeout: 60_000 }, () => {
  const bench = new Bench(2);

  test('what was acknowledged stays so, what was not comes again', async () => {
    const [from, mid] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    await sayMany(from, mid, 5);
    const first = await bench.connectAck('tcp', mid, 'phone');
    await first.messages(5);
    assert.equal(await first.acked({ with: from.mid }, 3), 3);
    await killShard(bench.server, 1);
    assert.equal((await first.closed).code, 1012);
    await within(untilReady(bench.server), 'ready');
    const second = await bench.connectAck('tcp', mid, 'phone');
    assert.deepEqual(await missed(second, 2), [4, 5]);
    await Promise.all([from.end(), second.end()]);
  });
});
