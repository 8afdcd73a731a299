import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CometMessage } from '../../src/client/index.ts';
import { cometKinds } from '../support/clients.ts';
import { onWorkers, range, type Bench, type Wire } from '../support/comet.ts';

const kindAt = (i: number): (typeof cometKinds)[number] => cometKinds[i % 3] ?? 'tcp';
const chatIdsOf = (messages: readonly CometMessage[]): number[] => messages.map(({ chatId }) => chatId);

/** Sender and receiver on every pair of shards; the owner of the pair is now one, now the other. */
function pairs(bench: Bench): [number, number][] {
  const found: [number, number][] = [];
  for (let from = 0; from < bench.workers; from++) {
    for (let to = 0; to < bench.workers; to++) {
      const [low, high] = [bench.mid(from), bench.mid(to)];
      found.push([low, high]);
      const [low2, high2] = [bench.mid(to), bench.mid(from)];
      found.push([high2, low2]);
    }
  }
  return found;
}

/** Sends without waiting, so many at a time as there are. */
async function burst(wire: Wire, to: number, count: number, seq: number): Promise<number[]> {
  for (let i = 0; i < count; i++) wire.message(18, seq + i, to, `${wire.mid}:${seq + i}`);
  const chatIds: number[] = [];
  for (let i = 0; i < count; i++) {
    const { ret, chatId } = await wire.replyAmongBatches(19, seq + i);
    assert.equal(ret, 0);
    chatIds.push(chatId ?? 0);
  }
  return chatIds;
}

onWorkers('pairs', (bench) => {
  test('the numbers of a pair are dense from 1, both directions counted together, on every pair of shards', async () => {
    let i = 0;
    for (const [a, b] of pairs(bench)) {
      const [one, two] = await Promise.all([
        bench.connect(kindAt((i += 1)), a),
        bench.connect(kindAt(i + 1), b),
      ]);
      assert.equal(await one.say(b, 'first'), 1);
      assert.deepEqual(await two.texts(1), ['first']);
      assert.equal(await two.say(a, 'second'), 2);
      assert.equal(await two.say(a, 'third'), 3);
      assert.deepEqual(chatIdsOf(await one.messages(2)), [2, 3]);
      assert.equal(await one.say(b, 'fourth'), 4);
      const [last] = await two.messages(1);
      assert.deepEqual([last?.chatId, last?.from, last?.to, last?.group], [4, a, b, false]);
      await Promise.all([one.end(), two.end()]);
    }
  });

  test('both sides at once: each number is given once, none is left out, each side gets the rest in order', async () => {
    const count = 300;
    const runs = pairs(bench).map(async ([a, b], i) => {
      const [one, two] = await Promise.all([bench.connect(kindAt(i), a), bench.connect(kindAt(i + 1), b)]);
      const [sent, answered] = await Promise.all([burst(one, b, count, 1_000), burst(two, a, count, 1_000)]);
      const all = [...sent, ...answered].sort((x, y) => x - y);
      assert.deepEqual(all, range(1, count * 2));
      assert.deepEqual(chatIdsOf(await one.messages(count)), answered);
      const got = await two.messages(count);
      assert.deepEqual(chatIdsOf(got), sent);
      assert.deepEqual(
        got.map(({ text }) => text),
        range(1_000, 999 + count).map((seq) => `${a}:${seq}`),
      );
      await Promise.all([one.end(), two.end()]);
    });
    await Promise.all(runs);
  });

  test('many senders to one receiver, each from several connections: every pair is dense and in order', async () => {
    const [senders, connections, count] = [12, 2, 60];
    const receivers = await Promise.all(cometKinds.map((kind) => bench.connect(kind, receiver)));
    const mids = Array.from({ length: senders }, (_, i) => bench.mid(i));
    const bursts = mids.map(async (mid, i) => {
      const wires = await Promise.all(range(1, connections).map((n) => bench.connect(kindAt(i + n), mid)));
      const given = await Promise.all(wires.map((wire) => burst(wire, receiver, count, 1_000)));
      assert.deepEqual(
        given.flat().sort((x, y) => x - y),
        range(1, connections * count),
      );
      for (const chatIds of given)
        assert.deepEqual(
          chatIds,
          chatIds.toSorted((x, y) => x - y),
          'in the order of the requests',
        );
      // The sender's other connection has what this one sent, and this one does not.
      for (const [n, wire] of wires.entries()) {
        const others = given.flatMap((chatIds, m) => (m === n ? [] : chatIds));
        assert.deepEqual(chatIdsOf(await wire.messages(others.length)), others);
      }
    });
    await Promise.all(bursts);
    for (const wire of receivers) {
      const byPeer = new Map<number, number[]>();
      for (const { from, chatId } of await wire.messages(senders * connections * count)) {
        byPeer.set(from, [...(byPeer.get(from) ?? []), chatId]);
      }
      assert.deepEqual(
        [...byPeer.keys()].sort((x, y) => x - y),
        mids.toSorted((x, y) => x - y),
      );
      for (const chatIds of byPeer.values()) assert.deepEqual(chatIds, range(1, connections * count));
    }
  });
  const receiver = 50;

  test('one connection to many receivers: replies in the order of the requests', async () => {
    const receivers = Array.from({ length: 16 }, (_, i) => bench.mid(i));
    const [wire, watching] = [await bench.connect('tcp'), await bench.connect('ws-binary', receivers[3])];
    for (let seq = 0; seq < 1_600; seq++) wire.message(18, seq, receivers[seq % 16] ?? 0, 'x');
    for (let seq = 0; seq < 1_600; seq++) {
      assert.deepEqual(await wire.reply(19, seq), { ret: 0, chatId: Math.floor(seq / 16) + 1 });
    }
    assert.deepEqual(chatIdsOf(await watching.messages(100)), range(1, 100));
  });

  for (const kind of cometKinds) {
    test(`the connection that sends gets the reply and not its message, the sender's others get it, over ${kind}`, async () => {
      const [mid, peer] = [bench.mid(0), await bench.connect(kind, bench.mid(1))];
      const wires = await Promise.all(
        [kind, 'tcp', 'ws-json', 'ws-binary'].map((each) => bench.connect(each as typeof kind, mid)),
      );
      for (const [i, wire] of wires.entries()) {
        assert.equal(await wire.say(peer.mid, `from ${i}`), i + 1);
        assert.deepEqual(await peer.texts(1), [`from ${i}`]);
      }
      assert.equal(await peer.say(mid, 'the end'), 5);
      for (const [i, wire] of wires.entries()) {
        const messages = await wire.messages(4);
        assert.deepEqual(
          chatIdsOf(messages),
          range(1, 5).filter((chatId) => chatId !== i + 1),
        );
        const [first] = messages;
        assert.deepEqual([first?.from, first?.to], [mid, peer.mid]);
      }
    });

    test(`a message to oneself goes to the other connections, over ${kind}`, async () => {
      const mid = bench.mid();
      const [one, two] = [await bench.connect(kind, mid), await bench.connect(kind, mid)];
      assert.equal(await one.say(mid, 'note'), 1);
      assert.equal(await two.say(mid, 'to self'), 2);
      assert.deepEqual(
        (await one.messages(1)).map(({ chatId, from, to }) => [chatId, from, to]),
        [[2, mid, mid]],
      );
      assert.deepEqual(await two.texts(1), ['note']);
      await Promise.all([one.beat(), two.beat()]); // and nothing else
      await Promise.all([one.end(), two.end()]);
      assert.equal(await (await bench.connect(kind, mid)).say(mid, 'alone'), 3);
    });
  }

  test('a receiver need not be online, nor ever have been', async () => {
    const wire = await bench.connect('tcp');
    for (const to of [1, 2, 3, 2_147_483_647, 2_147_483_646]) assert.equal(await wire.say(to, 'hello?'), 1);
  });

  test('every message is in an op 9, also a single one', async () => {
    for (const kind of cometKinds) {
      const [from, to] = [await bench.connect('tcp', bench.mid(0)), await bench.connect(kind, bench.mid(1))];
      await from.say(to.mid, 'alone');
      assert.deepEqual((await to.batch()).length, 1);
    }
  });
});
