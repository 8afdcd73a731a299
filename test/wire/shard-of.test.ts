import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shardOf } from '../../src/wire/shard-of.ts';

test('An id stays on its shard for ever: these values must never change.', () => {
  const ids = [1, 2, 21, 22, 1452, 2_147_483_647, 'anna', 'bob', '021', '🙂', ''];
  assert.deepEqual(
    ids.map((id) => shardOf(id, 8)),
    [7, 6, 5, 6, 0, 0, 5, 6, 5, 1, 3],
  );
  assert.deepEqual(
    ids.map((id) => shardOf(id, 3)),
    [1, 1, 0, 1, 2, 2, 2, 1, 2, 1, 2],
  );
});

test('Everything is on the only shard where there is one.', () => {
  for (const id of [1, 2_147_483_647, 'anna', '']) assert.equal(shardOf(id, 1), 0);
});

test('Ids spread evenly over any number of shards, neighbours and multiples too.', () => {
  const families: ((i: number) => number | string)[] = [
    (i) => i + 1,
    (i) => (i + 1) * 8,
    (i) => (i + 1) * 4096,
    (i) => 2_147_483_647 - i,
    (i) => `user-${i}`,
    (i) => `${i}@example.org`,
  ];
  for (const shards of [2, 3, 7, 8, 64]) {
    for (const [f, id] of families.entries()) {
      const counts = Array.from({ length: shards }, () => 0);
      const total = shards * 1000;
      for (let i = 0; i < total; i++) {
        const shard = shardOf(id(i), shards);
        assert.equal(Number.isInteger(shard) && shard >= 0 && shard < shards, true);
        counts[shard]! += 1;
      }
      // Ten times the spread that chance alone would make is about 32 % of a thousand.
      for (const count of counts)
        assert.equal(Math.abs(count - 1000) < 200, true, `family ${f}: ${counts.join(' ')}`);
    }
  }
});
