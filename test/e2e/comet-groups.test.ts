import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CometMessage } from '../../src/client/index.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { cometKinds } from '../support/clients.ts';
import { onStores, range, refusal, type Bench, type Wire } from '../support/comet.ts';

const kindAt = (i: number): (typeof cometKinds)[number] => cometKinds[i % 3] ?? 'tcp';
const chatIdsOf = (messages: readonly CometMessage[]): number[] => messages.map(({ chatId }) => chatId);

/** A group with members on all shards, two connections each. */
async function groupOf(bench: Bench, members: number): Promise<{ gid: number; wires: Wire[] }> {
  const gid = bench.mid();
  const mids = Array.from({ length: members }, (_, i) => bench.mid(i));
  await putGroup(bench, gid, mids);
  const wires = await Promise.all([...mids, ...mids].map((mid, i) => bench.connect(kindAt(i), mid)));
  return { gid, wires };
}

async function change(
  bench: Bench,
  gid: number,
  members: { add?: number[]; remove?: number[] },
): Promise<void> {
  const { status } = await adminRequest(bench.adminAddress, 'POST', `/v1/groups/${gid}/members`, members);
  assert.equal(status, 200);
}

onStores('groups', (bench) => {
  test('a message goes to every connection of every member but the one that sent it', async () => {
    const { gid, wires } = await groupOf(bench, 5);
    for (const [i, wire] of wires.entries()) assert.equal(await wire.say(gid, `from ${i}`, 20), i + 1);
    for (const [i, wire] of wires.entries()) {
      const messages = await wire.messages(wires.length - 1);
      assert.deepEqual(
        chatIdsOf(messages),
        range(1, wires.length).filter((chatId) => chatId !== i + 1),
      );
      for (const { group, to, from, chatId, text } of messages) {
        assert.deepEqual([group, to, from, text], [true, gid, wires[chatId - 1]?.mid, `from ${chatId - 1}`]);
      }
      await wire.end();
    }
  });

  test('many senders at once: numbers are dense, each connection gets all but its own, in order', async () => {
    const { gid, wires } = await groupOf(bench, 6);
    const count = 80;
    const given = await Promise.all(
      wires.map(async (wire) => {
        for (let i = 0; i < count; i++) wire.message(20, i, gid, `${i}`);
        const chatIds: number[] = [];
        for (let i = 0; i < count; i++) chatIds.push((await wire.replyAmongBatches(21, i)).chatId ?? 0);
        return chatIds;
      }),
    );
    const total = wires.length * count;
    assert.deepEqual(
      given.flat().sort((a, b) => a - b),
      range(1, total),
    );
    for (const [i, wire] of wires.entries()) {
      const own = new Set(given[i]);
      assert.deepEqual(
        given[i],
        [...own].sort((a, b) => a - b),
        'numbered in the order of the requests',
      );
      const messages = await wire.messages(total - count);
      assert.deepEqual(
        chatIdsOf(messages),
        range(1, total).filter((chatId) => !own.has(chatId)),
      );
      await wire.end();
    }
  });

  test('groups and pairs are numbered each by itself, also with the same number', async () => {
    const { gid, wires } = await groupOf(bench, 2);
    const [one, two] = wires;
    assert.ok(one !== undefined && two !== undefined);
    assert.equal(await one.say(gid, 'to group', 20), 1);
    assert.equal(await one.say(gid, 'to mid'), 1);
    assert.equal(await one.say(two.mid, 'to two'), 1);
    assert.equal(await two.say(gid, 'to group', 20), 2);
    const messages = await two.messages(2);
    assert.deepEqual(new Set(messages.map(({ text }) => text)), new Set(['to group', 'to two']));
    for (const wire of wires) await wire.end();
  });

  for (const kind of cometKinds) {
    test(`who is no member is refused with not_member, an unknown group is no_such_group, over ${kind}`, async () => {
      const { gid, wires } = await groupOf(bench, 2);
      for (const shard of range(0, bench.workers - 1)) {
        const stranger = await bench.connect(kind, bench.mid(shard));
        stranger.message(20, 1, gid, 'let me in');
        assert.deepEqual(await stranger.reply(21, 1), refusal(kind, 'not_member'));
        stranger.message(20, 2, bench.mid(), 'hello?');
        assert.deepEqual(await stranger.reply(21, 2), refusal(kind, 'no_such_group'));
        await stranger.beat();
      }
      assert.equal(await wires[0]?.say(gid, 'nothing before it', 20), 1);
      assert.deepEqual(await wires[1]?.texts(1), ['nothing before it']);
      for (const wire of wires) await wire.end();
    });
  }

  test('who joins starts at the head, online or not, and gets what comes then', async () => {
    const { gid, wires } = await groupOf(bench, 2);
    const [one] = wires;
    assert.ok(one !== undefined);
    const online = await Promise.all(range(0, 3).map((i) => bench.connect(kindAt(i), bench.mid(i))));
    const offline = range(0, 3).map((i) => bench.mid(i));
    for (let i = 1; i <= 5; i++) await one.say(gid, `before ${i}`, 20);
    await change(bench, gid, { add: [...online.map(({ mid }) => mid), ...offline] });
    await Promise.all(online.map((wire) => wire.beat()));
    assert.equal(await one.say(gid, 'after', 20), 6);
    for (const wire of online) assert.deepEqual(chatIdsOf(await wire.messages(1)), [6]);
    const late = await Promise.all(offline.map((mid, i) => bench.connect(kindAt(i), mid)));
    for (const wire of late) assert.deepEqual(chatIdsOf(await wire.messages(1)), [6]);
    for (const [i, wire] of [...online, ...late].entries())
      assert.equal(await wire.say(gid, 'me too', 20), 7 + i);
    for (const wire of [...wires, ...online, ...late]) await wire.end();
  });

  test('who leaves gets nothing any more and may not send, and starts at the head after joining again', async () => {
    const { gid, wires } = await groupOf(bench, 4);
    const [one, two, three, four] = wires;
    assert.ok(one !== undefined && two !== undefined && three !== undefined && four !== undefined);
    await one.say(gid, 'with all', 20);
    for (const wire of wires.slice(1)) assert.deepEqual(await wire.texts(1), ['with all']);
    await change(bench, gid, { remove: [two.mid, three.mid] });
    assert.equal(await refusedOf(two, gid), two.isJson ? 'not_member' : 'refused');
    await one.say(gid, 'without two', 20);
    assert.deepEqual(await four.texts(1), ['without two']);
    await change(bench, gid, { add: [two.mid] });
    await one.say(gid, 'with two again', 20);
    assert.deepEqual(chatIdsOf(await two.messages(1)), [3]);
    assert.equal(await one.say(three.mid, 'directly'), 1);
    assert.deepEqual(await three.texts(1), ['directly'], 'nothing of the group came before');
    for (const wire of wires) await wire.end();
  });

  test('PUT replaces the members: who is no longer named leaves, who is new joins', async () => {
    const { gid, wires } = await groupOf(bench, 3);
    const [one, two, three] = wires;
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    const four = await bench.connect('tcp');
    await one.say(gid, 'first', 20);
    await putGroup(bench, gid, [one.mid, three.mid, four.mid]);
    await one.say(gid, 'second', 20);
    assert.deepEqual(await three.texts(2), ['first', 'second']);
    assert.deepEqual(await four.texts(1), ['second']);
    await one.say(two.mid, 'directly');
    assert.deepEqual(await two.texts(2), ['first', 'directly']);
    for (const wire of [...wires, four]) await wire.end();
  });

  test('a group that was deleted is no_such_group; made again it goes on with its numbers', async () => {
    const { gid, wires } = await groupOf(bench, 3);
    const [one, two] = wires;
    assert.ok(one !== undefined && two !== undefined);
    assert.equal(await one.say(gid, 'first', 20), 1);
    assert.equal((await adminRequest(bench.adminAddress, 'DELETE', `/v1/groups/${gid}`)).status < 300, true);
    assert.equal(await refusedOf(one, gid), one.isJson ? 'no_such_group' : 'refused');
    assert.equal((await adminRequest(bench.adminAddress, 'GET', `/v1/groups/${gid}`)).status, 404);
    await putGroup(bench, gid, [one.mid, two.mid]);
    assert.equal(await one.say(gid, 'again', 20), 2);
    assert.deepEqual(await two.texts(2), ['first', 'again']);
    for (const wire of wires) await wire.end();
  });

  test('members who come and go while others send miss nothing of the time between', async () => {
    const { gid, wires } = await groupOf(bench, 3);
    const guests = await Promise.all(range(0, 3).map((i) => bench.connect(kindAt(i), bench.mid(i))));
    let going = true;
    const [host, ...others] = wires;
    assert.ok(host !== undefined);
    const talk = others.map(async (wire) => {
      for (let i = 0; going; i++) await wire.say(gid, `${i}`, 20);
    });
    for (let round = 0; round < 5; round++) {
      await change(bench, gid, { add: guests.map(({ mid }) => mid) });
      const own: number[] = await Promise.all(guests.map((guest) => guest.say(gid, 'here', 20)));
      const last: number = await host.say(gid, 'over', 20);
      const got: number[][] = await Promise.all(guests.map((guest) => upTo(guest, last)));
      for (const [i, numbers] of got.entries()) {
        const first = own[i] ?? 0;
        assert.deepEqual(
          numbers.filter((number) => number > first),
          range(first + 1, last),
        );
        assert.ok(!numbers.includes(first));
      }
      await change(bench, gid, { remove: guests.map(({ mid }) => mid) });
    }
    going = false;
    await Promise.all(talk);
    for (const wire of [...wires, ...guests]) await wire.end();
  });
});

async function refusedOf(wire: Wire, gid: number): Promise<string> {
  wire.message(20, 1, gid, 'x');
  const { ret, error = 'refused' } = await wire.replyAmongBatches(21, 1);
  assert.equal(ret, -1);
  return error;
}

/** The numbers of a connection's messages up to this one. */
async function upTo(wire: Wire, last: number): Promise<number[]> {
  const numbers: number[] = [];
  while (numbers.at(-1) !== last) numbers.push(...chatIdsOf(await wire.messages(1)));
  return numbers;
}
