import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairOf } from '../../src/store/conversation.ts';
import { Delivery } from '../../src/user/delivery.ts';
import { seededRandom } from '../support/random.ts';

const pair = pairOf(21, 22);

test('What a connection starts with counts as taken.', () => {
  const delivery = new Delivery(pair, 7);
  assert.deepEqual([delivery.sent, delivery.taken, delivery.isConfirmed], [7, 7, true]);
  delivery.confirm(100);
  assert.equal(delivery.taken, 7);
});

test('What was sent is taken once the kernel took the write that carries it, not before.', () => {
  const delivery = new Delivery(pair, 0);
  delivery.advance(5, 3);
  delivery.confirm(2);
  assert.deepEqual([delivery.sent, delivery.taken, delivery.isConfirmed], [5, 0, false]);
  delivery.confirm(3);
  assert.deepEqual([delivery.taken, delivery.isConfirmed], [5, true]);
});

test('A steady stream is confirmed too: an earlier point while the newest is still open.', () => {
  const delivery = new Delivery(pair, 0);
  delivery.advance(5, 1);
  delivery.advance(6, 2);
  delivery.advance(7, 3);
  delivery.confirm(1);
  assert.deepEqual([delivery.taken, delivery.isConfirmed], [5, false]);
  delivery.advance(8, 4);
  delivery.confirm(3);
  assert.equal(delivery.taken, 7);
  delivery.confirm(4);
  assert.deepEqual([delivery.taken, delivery.isConfirmed], [8, true]);
});

test('Two advances in one write are confirmed together.', () => {
  const delivery = new Delivery(pair, 0);
  delivery.advance(1, 1);
  delivery.advance(2, 1);
  delivery.confirm(0);
  assert.equal(delivery.taken, 0);
  delivery.confirm(1);
  assert.equal(delivery.taken, 2);
});

test('Nothing counts as taken that is in a later write, and everything does in the end.', () => {
  const random = seededRandom('delivery');
  for (let round = 0; round < 200; round++) {
    const delivery = new Delivery(pair, 0);
    const writeOf: number[] = [0];
    let write = 1;
    let writesTaken = 0;
    for (let i = 0; i < 60; i++) {
      const dice = random.int(0, 3);
      if (dice === 0) write += 1;
      else if (dice === 1) writesTaken = random.int(writesTaken, write - 1);
      else if (dice === 2) {
        for (let n = random.int(1, 3); n > 0; n--) writeOf.push(write);
        delivery.advance(writeOf.length - 1, write);
      } else {
        const before = delivery.taken;
        delivery.confirm(writesTaken);
        assert.equal(delivery.taken >= before, true);
        assert.equal((writeOf[delivery.taken] ?? Infinity) <= writesTaken, true);
      }
    }
    delivery.confirm(write);
    assert.deepEqual([delivery.taken, delivery.sent], [writeOf.length - 1, writeOf.length - 1]);
  }
});
