import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { RequestQueue } from '../../src/user/request-queue.ts';
import { seededRandom } from '../support/random.ts';

/** Takes out what can be answered: [op, seq, version, result] each. */
function answered(queue: RequestQueue): number[][] {
  const found: number[][] = [];
  while (queue.take()) found.push([queue.op, queue.seq, queue.version, queue.result]);
  return found;
}

test('Requests are answered in the order they came, whichever is done first.', () => {
  const queue = new RequestQueue();
  const [a, b, c] = [queue.add(19, 100, 0, 0), queue.add(21, 101, 1, 0), queue.add(3, 102, 1, -1)];
  queue.settle(c, 1);
  queue.settle(b, 7);
  assert.deepEqual([queue.isReady, answered(queue)], [false, []]);
  queue.settle(a, -2);
  assert.deepEqual([queue.isReady, queue.readyCount], [true, 3]);
  assert.deepEqual(answered(queue), [
    [19, 100, 0, -2],
    [21, 101, 1, 7],
    [3, 102, 1, 1],
  ]);
  assert.deepEqual([queue.isReady, queue.size], [false, 0]);
});

test('Only what is done up to the first that is not can be answered.', () => {
  const queue = new RequestQueue();
  const tickets = [1, 2, 3, 4].map((seq) => queue.add(19, seq, 1, 0));
  for (const i of [0, 1, 3]) queue.settle(tickets[i] ?? -1, 9);
  assert.equal(answered(queue).length, 2);
  assert.equal(queue.size, 2);
});

test('The first outcome of a request counts.', () => {
  const queue = new RequestQueue();
  const [a, b] = [queue.add(19, 1, 1, 0), queue.add(19, 2, 1, 0)];
  queue.settle(a, 5);
  queue.settle(a, -1);
  queue.settle(b, -1);
  queue.settle(b, 5);
  assert.deepEqual(
    answered(queue).map((reply) => reply[3]),
    [5, -1],
  );
});

test('An outcome for a request that was answered, or never made, changes nothing.', () => {
  const queue = new RequestQueue();
  const a = queue.add(19, 1, 1, 0);
  queue.settle(a, 5);
  answered(queue);
  for (let seq = 2; seq <= 9; seq++) queue.add(19, seq, 1, 0); // as many as there are places
  queue.settle(a, 6); // the place of the eighth of them
  queue.settle(queue.tail, 6);
  assert.equal(queue.readyCount, 0);
  for (let ticket = queue.head; ticket < queue.tail; ticket++) assert.equal(queue.resultAt(ticket), 0);
});

test('Numbers come through whole: large chatIds, any sequence, any operation.', () => {
  const queue = new RequestQueue();
  queue.settle(queue.add(-7, -2_147_483_648, -1, 0), Number.MAX_SAFE_INTEGER);
  queue.settle(queue.add(2_147_483_647, 2_147_483_647, 32_767, 0), 1);
  assert.deepEqual(answered(queue), [
    [-7, -2_147_483_648, -1, Number.MAX_SAFE_INTEGER],
    [2_147_483_647, 2_147_483_647, 32_767, 1],
  ]);
});

test('Whatever was settled for a shard stays; what still waits for one that is gone is settled.', () => {
  const queue = new RequestQueue();
  const tickets = [1, 2, 1, -1, 1].map((shard, seq) => queue.add(19, seq, 1, shard));
  queue.settle(tickets[0] ?? -1, 9);
  assert.equal(queue.settleShard(1, -5), true);
  assert.deepEqual(
    tickets.map((ticket) => queue.resultAt(ticket)),
    [9, 0, -5, 0, -5],
  );
  assert.equal(queue.settleShard(1, -6), false);
  assert.equal(queue.settleShard(3, -6), false);
});

test('Who has to answer is remembered when the queue grows.', () => {
  const queue = new RequestQueue();
  for (let seq = 0; seq < 100; seq++) queue.add(19, seq, 1, seq % 3);
  assert.equal(queue.settleShard(2, -5), true);
  for (let ticket = 0; ticket < 100; ticket++)
    assert.equal(queue.resultAt(ticket), ticket % 3 === 2 ? -5 : 0);
});

test('A queue is full at its bound, and not before.', () => {
  const queue = new RequestQueue();
  for (let i = 0; i < limits.sessionRequestsMax; i++) {
    assert.equal(queue.isFull, false);
    queue.add(19, i, 1, 0);
  }
  assert.equal(queue.isFull, true);
  queue.settle(0, 1);
  assert.equal(queue.isFull, true);
  queue.take();
  assert.equal(queue.isFull, false);
});

test('A queue of any fill answers every request once, in order, with its own outcome.', () => {
  const random = seededRandom('request queue');
  for (let round = 0; round < 50; round++) {
    const queue = new RequestQueue();
    const open: number[] = [];
    let asked = 0;
    let replied = 0;
    const most = random.pick([3, 20, 200]);
    for (let i = 0; i < 1000; i++) {
      if (random.chance(0.5) && queue.size < most) open.push(queue.add(19, asked++, 1, 0));
      else if (open.length > 0) {
        const [ticket = -1] = open.splice(random.int(0, open.length - 1), 1);
        queue.settle(ticket, ticket * 10 + 1);
      }
      if (random.chance(0.3)) {
        for (const [, seq = -1, , result] of answered(queue)) {
          assert.deepEqual([seq, result], [replied, replied * 10 + 1]);
          replied += 1;
        }
      }
    }
    for (const ticket of open) queue.settle(ticket, ticket * 10 + 1);
    assert.equal(answered(queue).length, asked - replied);
  }
});
