import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closes } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { groupOf } from '../../src/store/conversation.ts';
import { PayloadKind } from '../../src/wire/run.ts';
import { textsIn } from '../support/ws-messages.ts';
import { runOf } from '../support/runs.ts';
import { deliveryOf, Rig, textsOf } from '../support/fanout-rig.ts';

test('What a group sent in a tick is encoded once for each encoding, and multicast.', (t) => {
  const rig = new Rig(t);
  for (const connection of [1, 2, 3]) rig.member(connection);
  for (const connection of [4, 5]) rig.member(connection, [7], { encoding: 'json' });
  rig.member(6, [7], { encoding: 'messaging' });
  rig.say(7, 1, ['a', 'b']);
  rig.say(7, 3, ['c'], { shard: 0 });
  const outputs = rig.flush();
  assert.deepEqual(
    outputs.map(({ type, to }) => [type, to]),
    [
      ['multicast', [1, 2, 3]],
      ['multicast', [4, 5]],
      ['multicast', [6]],
    ],
  );
  const [binary, json, messaging] = outputs;
  assert(binary !== undefined && json !== undefined && messaging !== undefined);
  assert.deepEqual(textsOf(binary), ['a', 'b', 'c']);
  const batch = JSON.parse(textsIn(json.bytes)[0] ?? '') as { op: number; body: { body: { msg: string } }[] };
  assert.deepEqual([batch.op, batch.body.map(({ body }) => body.msg)], [9, ['a', 'b', 'c']]);
  const { messages } = JSON.parse(textsIn(messaging.bytes)[0] ?? '') as { messages: { text: string }[] };
  assert.deepEqual(
    messages.map(({ text }) => text),
    ['a', 'b', 'c'],
  );
  assert.deepEqual(rig.flush(), []);
});

test('A multicast counts as a write of each connection, and moves its cursor.', (t) => {
  const rig = new Rig(t);
  const session = rig.member(1);
  rig.say(7, 1, ['a', 'b']);
  rig.flush();
  const delivery = deliveryOf(session);
  assert.deepEqual(
    [session.writes, session.lastSlab, delivery.sent, rig.marked.has(1)],
    [1, rig.out.lane.writing, 2, true],
  );
  delivery.confirm(0);
  assert.equal(delivery.taken, 0);
  delivery.confirm(1);
  assert.equal(delivery.taken, 2);
});

test('Several notifications are one write, which confirms what all of them carry.', (t) => {
  const rig = new Rig(t);
  const session = rig.member(1, [7], { encoding: 'messaging' });
  const count = limits.notificationMessagesMax + 1;
  rig.say(
    7,
    1,
    Array.from({ length: count }, () => 'x'),
  );
  const outputs = rig.flush();
  assert.deepEqual(
    outputs.map(({ bytes }) => textsIn(bytes).length),
    [2],
  );
  const delivery = deliveryOf(session);
  assert.deepEqual([session.writes, delivery.sent], [1, count]);
  delivery.confirm(0);
  assert.equal(delivery.taken, 0);
  delivery.confirm(1);
  assert.equal(delivery.taken, count);
});

test('The connection that sent a message does not get it; another with its number elsewhere does.', (t) => {
  const rig = new Rig(t);
  const [sender, other] = [rig.member(1), rig.member(2)];
  rig.say(7, 1, ['own'], { connection: 1 });
  rig.say(7, 2, ['of another shard'], { connection: 1, shard: 0 });
  const outputs = rig.flush();
  assert.deepEqual(
    outputs.map(({ type, to }) => [type, to]),
    [
      ['multicast', [2]],
      ['write', [1]],
    ],
  );
  assert.deepEqual(outputs.map(textsOf), [['own', 'of another shard'], ['of another shard']]);
  assert.deepEqual([deliveryOf(sender).sent, deliveryOf(other).sent], [2, 2]);
});

test('A connection that has something else to be written gets it all in one write.', (t) => {
  const rig = new Rig(t);
  const [busy] = [rig.member(1), rig.member(2)];
  busy.push(runOf(PayloadKind.text, ['private']), busy.delivery(groupOf(99), 0), 1);
  rig.say(7, 1, ['a']);
  const outputs = rig.flush();
  assert.deepEqual(
    outputs.map(({ type, to }) => [type, to]),
    [
      ['multicast', [2]],
      ['write', [1]],
    ],
  );
  assert.deepEqual(outputs.map(textsOf), [['a'], ['private', 'a']]);
  assert.equal(busy.writes, 1);
});

test('Whoever is in two groups that talk in one tick gets one batch of both.', (t) => {
  const rig = new Rig(t);
  rig.member(1, [7, 8]);
  rig.member(2, [7]);
  rig.member(3, [8]);
  rig.say(7, 1, ['a']);
  rig.say(8, 1, ['b']);
  const outputs = rig.flush();
  assert.deepEqual(
    outputs.map(({ type, to }) => [type, to]),
    [
      ['multicast', [2]],
      ['multicast', [3]],
      ['write', [1]],
    ],
  );
  assert.deepEqual(outputs.map(textsOf), [['a'], ['b'], ['a', 'b']]);
  rig.say(7, 2, ['c']);
  assert.deepEqual(
    rig.flush().map(({ type, to }) => [type, to]),
    [['multicast', [1, 2]]],
  );
});

test('A member that is fed from the log is skipped, and what it sent meanwhile is left out of that.', (t) => {
  const rig = new Rig(t);
  const behind = rig.member(1);
  rig.member(2);
  deliveryOf(behind).behind = true;
  rig.say(7, 1, ['a']);
  rig.say(7, 2, ['own', 'own'], { connection: 1 });
  const outputs = rig.flush();
  assert.deepEqual(
    outputs.map(({ to }) => to),
    [[2]],
  );
  assert.deepEqual([deliveryOf(behind).sent, deliveryOf(behind).own], [0, new Set([2, 3])]);
  assert.deepEqual(rig.behind, []);
});

test('A member that misses something is fed from the log.', (t) => {
  const rig = new Rig(t);
  const [gap] = [rig.member(1, [7], { sent: 3 }), rig.member(2, [7], { sent: 4 })];
  rig.fanouts.watching(7, 3);
  rig.say(7, 5, ['e']);
  assert.deepEqual(
    rig.flush().map(({ to }) => to),
    [[2]],
  );
  assert.deepEqual([rig.behind, deliveryOf(gap).behind, deliveryOf(gap).sent], [['1 of 7'], true, 3]);
  rig.say(7, 6, ['f']);
  assert.deepEqual(
    rig.flush().map(({ to }) => to),
    [[2]],
  );
  assert.equal(rig.behind.length, 1); // told once
});

test('A run that was lost on the way leaves everybody to the log.', (t) => {
  const rig = new Rig(t);
  const sessions = [rig.member(1), rig.member(2)];
  rig.say(7, 1, ['a']);
  rig.say(7, 3, ['c'], { connection: 2 });
  assert.deepEqual([rig.flush(), rig.behind], [[], ['1 of 7', '2 of 7']]);
  assert.deepEqual(
    sessions.map((session) => deliveryOf(session).own),
    [undefined, new Set([3])],
  );
});

test('What was delivered already is not delivered again.', (t) => {
  const rig = new Rig(t);
  rig.member(1);
  rig.say(7, 1, ['a', 'b']);
  rig.flush();
  rig.say(7, 1, ['a', 'b']);
  rig.say(7, 1, ['a']);
  assert.deepEqual([rig.flush(), rig.fanouts.head(7), rig.behind], [[], 2, []]);
});

test('A connection without room, or whose client does not read, is left to the log.', (t) => {
  const rig = new Rig(t);
  const [full, congested, closing] = [rig.member(1), rig.member(2), rig.member(3)];
  rig.member(4);
  full.runBytes = limits.sessionOutBytesMax;
  congested.congest(0);
  closing.close(closes.replaced);
  rig.say(7, 1, ['a'], { connection: 2 });
  const outputs = rig.flush();
  assert.deepEqual(
    outputs.filter(({ type }) => type !== 'close').map(({ to }) => to),
    [[4]],
  );
  assert.deepEqual([rig.behind, deliveryOf(congested).own], [['1 of 7', '2 of 7'], new Set([1])]);
});

test('More than a connection may take in a tick is left to the log, and not kept.', (t) => {
  const rig = new Rig(t);
  const [sender, other] = [rig.member(1), rig.member(2)];
  const chunk = 'x'.repeat(65_000);
  let last = 0;
  for (let bytes = 0; bytes <= limits.sessionOutBytesMax; bytes += chunk.length) {
    rig.say(7, (last += 1), [chunk], { connection: last === 1 ? 1 : 999 });
  }
  assert.deepEqual(rig.behind, ['1 of 7', '2 of 7']);
  assert.deepEqual([rig.fanouts.isEmpty, rig.fanouts.head(7), rig.flush()], [true, last, []]);
  assert.deepEqual([deliveryOf(sender).own, deliveryOf(other).own], [new Set([1]), undefined]);
  for (const session of [sender, other]) Object.assign(deliveryOf(session), { sent: last, behind: false });
  rig.say(7, last + 1, ['live']);
  assert.deepEqual(
    rig.flush().map(({ to }) => to),
    [[1, 2]],
  );
});

test('Nothing is spread while the lane is full, and until then the group stands where it stood.', (t) => {
  const rig = new Rig(t);
  const sender = rig.member(1);
  rig.member(2);
  rig.say(7, 1, ['a']);
  rig.flush();
  rig.out.fill();
  deliveryOf(sender).behind = true;
  rig.say(7, 2, ['own'], { connection: 1 });
  rig.say(7, 3, ['c']);
  rig.fanouts.flush();
  assert.deepEqual([rig.fanouts.isEmpty, rig.fanouts.head(7), deliveryOf(sender).own], [false, 1, undefined]);
  rig.out.take();
  assert.deepEqual(
    rig.flush().map(({ to }) => to),
    [[2]],
  );
  assert.deepEqual(
    [rig.fanouts.isEmpty, rig.fanouts.head(7), deliveryOf(sender).own],
    [true, 3, new Set([2])],
  );
});

test('A group is watched from the first member on this shard to the last.', (t) => {
  const rig = new Rig(t);
  const [a, b] = [rig.member(1), rig.member(2)];
  assert.deepEqual([rig.watched, [...rig.fanouts.groups()]], [['watch 7'], [7]]);
  rig.fanouts.leave(7, a, 0);
  rig.fanouts.leave(7, a, 0);
  rig.fanouts.rewatch(7);
  rig.fanouts.rewatch(8);
  assert.deepEqual(rig.watched, ['watch 7', 'watch 7']);
  rig.fanouts.forget(b);
  assert.deepEqual([rig.watched.at(-1), [...rig.fanouts.groups()]], ['unwatch 7', []]);
  rig.say(7, 1, ['a']);
  assert.deepEqual([rig.flush(), rig.fanouts.head(7)], [[], 0]);
});

test('A connection that is gone is forgotten in all its groups.', (t) => {
  const rig = new Rig(t);
  const session = rig.member(1, [7, 8, 9]);
  rig.member(2, [8]);
  rig.fanouts.forget(session);
  assert.deepEqual([[...rig.fanouts.groups()], rig.watched.slice(3)], [[8], ['unwatch 7', 'unwatch 9']]);
});

test('Where a group stands is told to those that are not there: they are fed from the log, once.', (t) => {
  const rig = new Rig(t);
  rig.member(1, [7], { sent: 4 });
  rig.member(2, [7], { sent: 5 });
  const fed = rig.member(3, [7], { sent: 1 });
  deliveryOf(fed).behind = true;
  rig.fanouts.watching(7, 5);
  rig.fanouts.watching(7, 5);
  rig.fanouts.watching(7, 2);
  rig.fanouts.watching(8, 5);
  assert.deepEqual([rig.behind, rig.fanouts.head(7), rig.fanouts.head(8)], [['1 of 7'], 5, 0]);
});

test('Who is given a message of a group now, and who later from the log, is counted at any moment.', (t) => {
  const rig = new Rig(t);
  for (const connection of [1, 2, 3, 4]) rig.member(connection);
  const [slow, leaving] = [rig.member(5), rig.member(6)];
  slow.congest(0);
  leaving.close(closes.goingAway);
  rig.say(7, 1, ['a']);
  rig.flush();
  assert.deepEqual(rig.fanouts.given({ group: 7, chatId: 1 }), { now: 4, later: 1 });
  assert.deepEqual(rig.fanouts.given({ group: 8, chatId: 1 }), { now: 0, later: 0 });
  slow.drain();
  deliveryOf(slow).sent = 1; // the log gave it that
  assert.deepEqual(rig.fanouts.given({ group: 7, chatId: 1 }), { now: 5, later: 0 });
});
