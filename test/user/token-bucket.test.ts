import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBucket } from '../../src/user/token-bucket.ts';

test('A bucket gives its burst at once, and then what it gained, never more than its burst.', () => {
  const bucket = new TokenBucket({ perSecond: 100, burst: 5 }, 1_000);
  for (let i = 0; i < 5; i++) assert.ok(bucket.take(1, 1_000));
  assert.ok(!bucket.take(1, 1_000));
  assert.ok(!bucket.take(1, 1_009));
  assert.ok(bucket.take(1, 1_010));
  assert.ok(!bucket.isFull(1_059));
  assert.ok(bucket.isFull(9_000));
  assert.ok(!bucket.take(6, 9_000), 'all or nothing');
  assert.ok(bucket.take(5, 9_000));
  assert.ok(!bucket.take(1, 9_000));
});

test('A clock that is set back gives nothing, and the bucket goes on from there.', () => {
  const bucket = new TokenBucket({ perSecond: 1_000, burst: 1 }, 1_000);
  assert.ok(bucket.take(1, 1_000));
  assert.ok(!bucket.take(1, 500));
  assert.ok(bucket.take(1, 501));
});

test('In the long run a bucket gives its rate.', () => {
  const bucket = new TokenBucket({ perSecond: 30, burst: 10 }, 0);
  let given = 0;
  for (let now = 0; now < 10_000; now++) if (bucket.take(1, now)) given += 1;
  assert.ok(given >= 305 && given <= 310, `${given}`);
});
