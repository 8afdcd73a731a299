import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Checker } from '../../bench/load/generator/checker.ts';

const SENDER = 5;
const none = { missing: 0, repeated: 0, foreign: 0 };

/** What a checker of two receivers says when they got these numbers, and `sent` were sent to each. */
function faults(sent: number, first: readonly number[], second: readonly number[] = first): unknown {
  const checker = new Checker(2);
  for (const seq of first) checker.got(0, SENDER, SENDER, seq);
  for (const seq of second) checker.got(1, SENDER, SENDER, seq);
  return checker.faults(() => sent);
}

test('each receiver that got everything once and in order has no faults', () => {
  assert.deepEqual(faults(3, [1, 2, 3]), none);
  assert.deepEqual(faults(0, []), none);
});

test('a gap and what is not there at the end are missing', () => {
  assert.deepEqual(faults(5, [1, 2, 5], [1, 2, 3, 4, 5]), { ...none, missing: 2 });
  assert.deepEqual(faults(5, [1, 2, 3], [1, 2, 3, 4, 5]), { ...none, missing: 2 });
  assert.deepEqual(faults(3, [], [1, 2, 3]), { ...none, missing: 3 });
});

test('what comes again is repeated', () => {
  assert.deepEqual(faults(2, [1, 2, 2], [1, 2, 1]), { ...none, repeated: 2 });
});

test('what comes late is both missing in its place and repeated', () => {
  assert.deepEqual(faults(3, [1, 3, 2], [1, 2, 3]), { ...none, missing: 1, repeated: 1 });
});

test('a message of somebody else is foreign and counts as nothing else', () => {
  const checker = new Checker(1);
  assert.equal(checker.got(0, SENDER, SENDER + 1, 1), false);
  assert.equal(checker.got(0, SENDER, SENDER, 1), true);
  assert.deepEqual(
    checker.faults(() => 1),
    { ...none, foreign: 1 },
  );
});
