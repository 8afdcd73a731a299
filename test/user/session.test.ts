import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closes, errorNumber } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { pairOf } from '../../src/store/conversation.ts';
import { textRun } from '../support/runs.ts';
import { FakeShard, sessionOf } from '../support/sessions.ts';

const pair = pairOf(21, 22);

test('A session takes what fits under its bound for one tick.', () => {
  const session = sessionOf(new FakeShard(), 1);
  const max = limits.sessionOutBytesMax;
  assert.deepEqual([session.canTake(max), session.canTake(max + 1)], [true, false]);
  const run = textRun('abc');
  session.push(run, session.delivery(pair, 0), 1);
  const room = max - run.bytes.length;
  assert.deepEqual([session.canTake(room), session.canTake(room + 1)], [true, false]);
});

test('A session that is congested, or to be closed, takes nothing.', () => {
  const session = sessionOf(new FakeShard(), 1);
  session.congest(0);
  assert.equal(session.canTake(0), false);
  session.drain();
  assert.equal(session.canTake(0), true);
  session.close(closes.replaced);
  assert.equal(session.canTake(0), false);
});

test('What is pushed is in the next write, and its conversation has come that far.', () => {
  const shard = new FakeShard();
  const session = sessionOf(shard, 1);
  session.writes = 4;
  const delivery = session.delivery(pair, 0);
  const run = textRun('a', 'b');
  session.push(run, delivery, 2);
  assert.deepEqual([session.runs, session.runBytes, shard.touched], [[run], run.bytes.length, [session]]);
  delivery.confirm(4);
  assert.deepEqual([delivery.sent, delivery.taken], [2, 0]);
  delivery.confirm(5);
  assert.equal(delivery.taken, 2);
});

test('Writes are taken when the gateway took in their slab and reported no congestion.', () => {
  const shard = new FakeShard();
  const session = sessionOf(shard, 1);
  session.writes = 3;
  session.lastSlab = 7;
  shard.acknowledgedSlab = 6;
  assert.equal(session.writesTaken, 0);
  shard.acknowledgedSlab = 7;
  assert.equal(session.writesTaken, 3);
  session.writes = 4;
  session.lastSlab = 8;
  assert.equal(session.writesTaken, 3);
});

test('While a session is congested, only the writes that the kernel is known to have taken count.', () => {
  const shard = new FakeShard();
  const session = sessionOf(shard, 1);
  session.writes = 9;
  session.lastSlab = 7;
  session.congest(5);
  shard.acknowledgedSlab = 100;
  assert.equal(session.writesTaken, 5);
  session.drain();
  assert.equal(session.writesTaken, 9);
});

test('What a connection that is gone did not take never counts.', () => {
  const shard = new FakeShard();
  const session = sessionOf(shard, 1);
  session.writes = 9;
  session.lastSlab = 7;
  shard.acknowledgedSlab = 100;
  session.end(6);
  assert.deepEqual([session.writesTaken, session.closed, session.canTake(0)], [6, true, false]);
});

test('The writes that were taken are told in their low 32 bits.', () => {
  for (const past of [2 ** 31, 2 ** 32]) {
    const shard = new FakeShard();
    const session = sessionOf(shard, 1);
    session.writes = past - 2;
    assert.equal(session.writesTaken, past - 2);
    session.writes = past + 10;
    session.congest((past + 3) | 0);
    assert.equal(session.writesTaken, past + 3);
  }
});

test('A run of stored messages answers its requests with consecutive numbers.', () => {
  const shard = new FakeShard();
  const session = sessionOf(shard, 1);
  const tickets = [1, 2, 3, 4].map((seq) => session.requests.add(19, seq, 1, 0));
  session.settleSent(1, 3, 50);
  assert.deepEqual(
    tickets.map((ticket) => session.requests.resultAt(ticket)),
    [0, 50, 51, 52],
  );
  assert.deepEqual(shard.touched, []); // the first one is still open
  session.refuse(0, 1, 'not_member');
  assert.equal(session.requests.resultAt(0), -errorNumber('not_member'));
  assert.deepEqual(shard.touched, [session]);
});

test('A run that is refused refuses all its requests.', () => {
  const session = sessionOf(new FakeShard(), 1);
  for (let seq = 0; seq < 4; seq++) session.requests.add(19, seq, 1, 0);
  session.refuse(1, 2, 'overloaded');
  const refused = -errorNumber('overloaded');
  assert.deepEqual(
    [0, 1, 2, 3].map((ticket) => session.requests.resultAt(ticket)),
    [0, refused, refused, 0],
  );
});

test('Requests that wait for a shard that is gone are refused as unavailable.', () => {
  const shard = new FakeShard();
  const session = sessionOf(shard, 1);
  session.requests.add(19, 1, 1, 3);
  session.refuseShard(2);
  assert.deepEqual([session.requests.isReady, shard.touched], [false, []]);
  session.refuseShard(3);
  assert.equal(session.requests.resultAt(0), -errorNumber('unavailable'));
  assert.deepEqual(shard.touched, [session]);
});

test('What a session says goes out in order, and the first reason to close it is told.', () => {
  const shard = new FakeShard();
  const session = sessionOf(shard, 1);
  session.say('a');
  session.say('b');
  session.close(closes.replaced);
  session.close(closes.idle);
  assert.deepEqual([session.prefix, session.closing], [['a', 'b'], closes.replaced]);
  assert.equal(shard.touched.length, 3);
});

test('A conversation has one delivery on a session, from where it was first asked for.', () => {
  const session = sessionOf(new FakeShard(), 1);
  const delivery = session.delivery(pair, 5);
  assert.equal(session.delivery(pairOf(22, 21), 9), delivery);
  assert.deepEqual([delivery.sent, delivery.conversation], [5, pair]);
  assert.notEqual(session.delivery(pairOf(21, 23), 9), delivery);
});

test('A session keeps what it may do, how long, from where and since when.', () => {
  const permissions = { groups: [7], publish: true, broadcast: true, rateClass: 'bot' };
  const opening = { permissions, expiresAt: 5_000, address: '203.0.113.9', connectedAt: 1_000 };
  const { permissions: may, expiresAt, address, connectedAt } = sessionOf(new FakeShard(), 1, opening);
  assert.deepEqual({ permissions: may, expiresAt, address, connectedAt }, opening);
});

test('A session of credentials that say nothing may publish, not broadcast, and does not run out.', () => {
  const session = sessionOf(new FakeShard(), 1);
  assert.deepEqual(session.permissions, { publish: true, broadcast: false });
  assert.equal(session.expiresAt, Number.POSITIVE_INFINITY);
});
