import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { retryMs } from '../../src/webhook/backoff.ts';

test('Each wait is twice as long as the one before, at most a minute, and half of it is by chance.', () => {
  const longest = [1, 2, 3, 7, 8, 1_000].map((failures) => retryMs(limits, failures, 1));
  assert.deepEqual(longest, [500, 1_000, 2_000, 32_000, 60_000, 60_000]);
  assert.equal(retryMs(limits, 3, 0), 1_000);
  assert.equal(retryMs(limits, 3, 0.5), 1_500);
});
