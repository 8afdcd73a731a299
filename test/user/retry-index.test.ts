import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { RetryIndex } from '../../src/user/retry-index.ts';

test('A message is found by its sender and id, until it is forgotten.', () => {
  const index = new RetryIndex();
  index.add(21, 'a', 1);
  index.add('anna', 'a', 2);
  assert.deepEqual([index.find(21, 'a'), index.find('anna', 'a'), index.find(21, 'b')], [1, 2, undefined]);
  index.forget(1);
  index.forget(1);
  index.forget(99);
  assert.deepEqual([index.find(21, 'a'), index.find('anna', 'a')], [undefined, 2]);
});

test('Senders and ids are kept apart, whatever characters they hold.', () => {
  const index = new RetryIndex();
  index.add('a', 'b\nc', 1);
  index.add('x 1', 'y', 2);
  index.add('1', '23', 3);
  const others = [
    ['a\nb', 'c'],
    ['a', 'b'],
    ['', 'a\nb\nc'],
    ['x', '1 y'],
    ['12', '3'],
    ['x 1y', ''],
  ] as const;
  for (const [sender, id] of others) assert.equal(index.find(sender, id), undefined);
});

test('An id that was sent again after it was read is known by its newest number.', () => {
  const index = new RetryIndex();
  index.add(21, 'a', 1);
  index.add(21, 'a', 2);
  index.forget(1);
  assert.equal(index.find(21, 'a'), 2);
  index.forget(2);
  assert.equal(index.find(21, 'a'), undefined);
});

test('Past its bound the oldest message is forgotten.', () => {
  const index = new RetryIndex();
  const max = limits.retryIdsMax;
  for (let number = 1; number <= max; number++) index.add(21, `id ${number}`, number);
  assert.equal(index.find(21, 'id 1'), 1);
  index.add(21, 'one more', max + 1);
  assert.deepEqual([index.find(21, 'id 1'), index.find(21, 'id 2')], [undefined, 2]);
  assert.equal(index.find(21, 'one more'), max + 1);
  index.forget(2);
  index.add(21, 'another', max + 2);
  assert.equal(index.find(21, 'id 3'), 3);
});
