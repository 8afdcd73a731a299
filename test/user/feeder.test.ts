import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closes } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { groupOf, pairOf } from '../../src/store/conversation.ts';
import { Feeding } from '../support/feeding.ts';

const [a, b, c] = [pairOf(1, 21), pairOf(2, 21), pairOf(3, 21)];

test('What a session was not sent comes in order, and then its conversation is live.', () => {
  const feeding = new Feeding();
  for (const text of ['m1', 'm2', 'm3', 'm4']) feeding.commit(a, [text]);
  feeding.feed(a, 1);
  assert.equal(feeding.delivery(a).behind, true);
  feeding.feeder.advance();
  feeding.answerAll();
  assert.deepEqual(
    [feeding.feeder.isIdle, feeding.delivery(a).behind, feeding.delivery(a).sent],
    [true, false, 4],
  );
  feeding.written();
  assert.deepEqual(feeding.writes, [['m2', 'm3', 'm4']]);
});

test('Conversations are merged by time, and each keeps its own order.', () => {
  const feeding = new Feeding();
  const said = [
    [a, 10],
    [c, 20],
    [b, 30],
    [a, 40],
    [b, 50],
    [c, 60],
    [b, 60],
    [a, 70],
  ] as const;
  for (const [conversation, time] of said)
    feeding.commit(conversation, [`${conversation.key} at ${time}`], time);
  for (const conversation of [a, b, c]) feeding.feed(conversation);
  feeding.feeder.advance();
  feeding.settle();
  const got = feeding.writes.flat();
  assert.deepEqual(
    got.map((text) => Number(text.split(' at ')[1])),
    said.map(([, time]) => time),
  );
  for (const { key } of [a, b, c]) {
    assert.deepEqual(
      got.filter((text) => text.startsWith(key)),
      said.filter(([one]) => one.key === key).map(([, time]) => `${key} at ${time}`),
    );
  }
});

test('Nothing is written until every conversation is read that could have the oldest message.', () => {
  const feeding = new Feeding();
  feeding.commit(b, ['old']);
  feeding.commit(a, ['new']);
  for (const conversation of [a, b]) feeding.feed(conversation);
  feeding.feeder.advance();
  assert.equal(feeding.readings.length, 2);
  feeding.answer(0); // a
  assert.deepEqual([feeding.session.runs, feeding.waitsForWrite], [[], false]);
  feeding.answer(0);
  feeding.settle();
  assert.deepEqual(feeding.writes.flat(), ['old', 'new']);
});

test('One step is written at a time, within its bounds; the next after the gateway took it.', () => {
  const feeding = new Feeding();
  for (let i = 0; i < 10; i++) feeding.commit(a, ['x'.repeat(limits.feedBytesMax / 4)]);
  feeding.feed(a);
  feeding.feeder.advance();
  while (!feeding.waitsForWrite) feeding.answer();
  const bytes = feeding.session.runBytes;
  assert.equal(bytes > 0 && bytes <= limits.feedBytesMax, true);
  feeding.feeder.advance();
  feeding.answerAll();
  assert.equal(feeding.session.runBytes, bytes);
  feeding.settle();
  assert.equal(feeding.writes.flat().length, 10);
  assert.equal(feeding.writes.length >= 3, true);
});

test('A step has no more messages than its bound, of however many conversations.', () => {
  const feeding = new Feeding();
  for (let i = 0; i < limits.feedMessagesMax * 3; i++) feeding.commit(i % 2 === 0 ? a : b, ['x']);
  for (const conversation of [a, b]) feeding.feed(conversation);
  feeding.feeder.advance();
  feeding.settle();
  assert.equal(feeding.writes.flat().length, limits.feedMessagesMax * 3);
  assert.equal(Math.max(...feeding.writes.map((texts) => texts.length)) <= limits.feedMessagesMax, true);
});

test('A step has no more bytes than its bound and one message, of however many conversations.', () => {
  const feeding = new Feeding();
  const text = 'x'.repeat(4_000);
  for (let i = 1; i <= 40; i++) {
    feeding.commit(pairOf(i, 5000), [text]);
    feeding.feed(pairOf(i, 5000));
  }
  feeding.feeder.advance();
  feeding.settle();
  assert.equal(feeding.writes.flat().length, 40);
  for (const texts of feeding.writes)
    assert.equal((texts.length - 1) * text.length < limits.feedBytesMax, true);
});

test('A conversation goes live only when the log has nothing more that live traffic passed over.', () => {
  const feeding = new Feeding();
  feeding.commit(a, ['m1']);
  feeding.feed(a);
  feeding.feeder.advance(); // reads m1
  feeding.commit(a, ['m2']); // left to the feeder
  feeding.answer();
  assert.equal(feeding.delivery(a).behind, true);
  feeding.written();
  feeding.commit(a, ['m3']);
  feeding.answer();
  assert.equal(feeding.delivery(a).behind, true);
  feeding.settle();
  assert.deepEqual([feeding.delivery(a).behind, feeding.delivery(a).sent], [false, 3]);
  assert.deepEqual(feeding.writes, [['m1'], ['m2'], ['m3']]);
});

test('What live traffic will still bring is not taken from the log, the middle of a run included.', () => {
  const feeding = new Feeding();
  feeding.commit(a, ['m1']);
  feeding.storeUnseen(a, ['m2', 'm3', 'm4']);
  feeding.state(a).head = 2;
  feeding.storeUnseen(a, ['m5']);
  feeding.feed(a);
  feeding.feeder.advance();
  feeding.settle();
  assert.deepEqual(feeding.writes.flat(), ['m1', 'm2']);
  assert.deepEqual([feeding.delivery(a).sent, feeding.delivery(a).behind], [2, false]);
});

test('A client that does not read is fed nothing, and goes on where it was when it reads again.', () => {
  const feeding = new Feeding();
  for (const text of ['m1', 'm2']) feeding.commit(a, [text]);
  feeding.feed(a);
  feeding.session.congest(0);
  feeding.feeder.advance();
  assert.deepEqual(feeding.readings, []);
  feeding.session.drain();
  feeding.feeder.written();
  feeding.session.congest(0);
  feeding.answerAll();
  assert.deepEqual([feeding.session.runs, feeding.delivery(a).behind], [[], true]);
  feeding.session.drain();
  feeding.feeder.written();
  feeding.settle();
  assert.deepEqual(feeding.writes.flat(), ['m1', 'm2']);
});

test('Nothing is fed to a session that is to be closed.', () => {
  const feeding = new Feeding();
  feeding.commit(a, ['m1']);
  feeding.feed(a);
  feeding.feeder.advance();
  feeding.session.close(closes.replaced);
  feeding.settle();
  assert.deepEqual([feeding.writes, feeding.waitsForWrite], [[], false]);
});

test('Nothing is read while the way to the gateway is full.', () => {
  const feeding = new Feeding();
  feeding.commit(a, ['m1']);
  feeding.full = true;
  feeding.feed(a);
  feeding.feeder.advance();
  assert.deepEqual([feeding.readings, feeding.waitsForWrite], [[], true]);
  feeding.full = false;
  feeding.settle();
  assert.deepEqual(feeding.writes, [['m1']]);
});

test('Messages that the store has given up are passed over.', () => {
  const feeding = new Feeding(8192);
  for (let i = 1; i <= 5; i++) feeding.commit(a, [`a${i}`]);
  for (let i = 1; i <= 300; i++) feeding.commit(b, [`b${i}`]);
  for (const conversation of [a, b]) feeding.feed(conversation);
  feeding.feeder.advance();
  feeding.settle();
  assert.deepEqual(
    [feeding.feeder.isIdle, feeding.delivery(a).sent, feeding.delivery(b).sent],
    [true, 5, 300],
  );
  const texts = feeding.writes.flat();
  assert.equal(texts.length > 50 && texts.length < 300, true);
  assert.deepEqual(
    texts,
    Array.from({ length: texts.length }, (_, i) => `b${301 - texts.length + i}`),
  );
});

test('Messages that were given up right up to where live traffic is are passed over too.', () => {
  const feeding = new Feeding(8192);
  for (let i = 1; i <= 5; i++) feeding.commit(a, [`a${i}`]);
  for (let i = 6; i <= 300; i++) feeding.storeUnseen(a, [`a${i}`]);
  feeding.feed(a);
  feeding.feeder.advance();
  feeding.answer();
  assert.deepEqual([feeding.readings.length, feeding.feeder.isIdle, feeding.delivery(a).sent], [0, true, 5]);
});

test('A log that cannot be read now is asked again.', () => {
  const feeding = new Feeding();
  feeding.commit(a, ['m1']);
  feeding.feed(a);
  feeding.feeder.advance();
  feeding.readings.length = 0;
  feeding.feeder.take(a.key, null);
  assert.equal(feeding.readings.length, 0);
  feeding.feeder.written();
  feeding.settle();
  assert.deepEqual(feeding.writes, [['m1']]);
});

test('A conversation that is left is not fed any more; one that is joined again gets nothing twice.', () => {
  const feeding = new Feeding();
  const group = groupOf(7);
  for (const text of ['g1', 'g2', 'g3']) feeding.commit(group, [text]);
  feeding.feed(group);
  feeding.feeder.advance();
  feeding.feeder.delete(group.key);
  feeding.feed(group, 1);
  feeding.feeder.advance();
  assert.equal(feeding.readings.length, 2);
  feeding.answer(); // what was read before it left
  feeding.answer();
  feeding.settle();
  assert.deepEqual(feeding.writes.flat(), ['g2', 'g3']);
  feeding.commit(group, ['g4']);
  feeding.feed(group, 3);
  feeding.feeder.advance();
  feeding.feeder.delete(group.key);
  feeding.settle();
  assert.deepEqual([feeding.writes.flat(), feeding.feeder.isIdle], [['g2', 'g3'], true]);
});

test('Adding a conversation that is being fed changes nothing.', () => {
  const feeding = new Feeding();
  for (const text of ['m1', 'm2']) feeding.commit(a, [text]);
  feeding.feed(a);
  feeding.feeder.advance();
  feeding.feed(a);
  feeding.feeder.advance();
  assert.equal(feeding.readings.length, 1);
  feeding.settle();
  assert.deepEqual(feeding.writes.flat(), ['m1', 'm2']);
});

test('That everything was caught up with is told once, in whatever way it ends.', () => {
  for (const others of [[], [b], [b, c]]) {
    const feeding = new Feeding();
    for (const conversation of [a, ...others]) {
      feeding.commit(conversation, ['m']);
      feeding.feed(conversation);
    }
    feeding.feeder.advance();
    assert.equal(feeding.done, 0);
    feeding.settle();
    assert.deepEqual([feeding.done, feeding.feeder.isIdle], [1, true]);
  }
  const nothing = new Feeding();
  nothing.feed(a);
  nothing.feeder.advance();
  assert.deepEqual([nothing.done, nothing.writes], [1, []]);
});

test('What a session sent itself is left out, and it is that far all the same.', () => {
  const feeding = new Feeding();
  feeding.commit(a, ['m1', 'own', 'm3']);
  feeding.commit(a, ['own']);
  feeding.feed(a);
  feeding.delivery(a).own = new Set([2, 4]);
  feeding.feeder.advance();
  feeding.settle();
  assert.deepEqual(feeding.writes.flat(), ['m1', 'm3']);
  assert.deepEqual([feeding.delivery(a).sent, feeding.delivery(a).own], [4, undefined]);
});

test('Any number of conversations is fed, so many at once as may be open.', () => {
  const feeding = new Feeding();
  const count = limits.feedSourcesMax + 50;
  for (let i = 1; i <= count; i++) {
    const conversation = pairOf(i, 5000);
    feeding.commit(conversation, [`m${i}`]);
    feeding.feed(conversation);
  }
  feeding.feeder.advance();
  assert.equal(feeding.readings.length, limits.feedSourcesMax);
  feeding.settle();
  assert.equal(new Set(feeding.writes.flat()).size, count);
  assert.equal(feeding.writes.flat().length, count);
});
