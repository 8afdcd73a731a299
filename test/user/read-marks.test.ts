import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { ReadMarks } from '../../src/user/read-marks.ts';
import { seededRandom } from '../support/random.ts';

test('Numbers that touch are one range, and those that touch the start move readTo.', () => {
  const marks = new ReadMarks();
  const steps: [number, number, number[]][] = [
    [5, 0, [5, 5]],
    [7, 0, [5, 5, 7, 7]],
    [6, 0, [5, 7]],
    [2, 0, [2, 2, 5, 7]],
    [3, 0, [2, 3, 5, 7]],
    [1, 3, [5, 7]],
    [4, 7, []],
    [8, 8, []],
  ];
  for (const [number, readTo, ranges] of steps) {
    assert.equal(marks.add(number), true);
    assert.deepEqual([marks.readTo, marks.ranges], [readTo, ranges]);
  }
});

test('What is read already may be read again.', () => {
  const marks = new ReadMarks(3, [5, 7]);
  for (const number of [1, 3, 5, 6, 7]) assert.equal(marks.add(number), true);
  assert.deepEqual([marks.readTo, marks.ranges], [3, [5, 7]]);
});

test('A read that would make one gap too many is refused and changes nothing; one that joins is taken.', () => {
  const ranges = Array.from({ length: limits.mailboxGapsMax }, (_, i) => [i * 3 + 2, i * 3 + 2]).flat();
  const marks = new ReadMarks(0, ranges);
  const end = ranges.at(-1) ?? 0;
  assert.equal(marks.add(end + 2), false);
  assert.deepEqual(marks.ranges, ranges);
  assert.equal(marks.has(end + 2), false);
  assert.equal(marks.add(end + 1), true);
  assert.equal(marks.add(3), true);
  assert.equal(marks.add(4), true); // joins two ranges: there is room for one again
  assert.equal(marks.add(end + 3), true);
  assert.equal(marks.add(end + 9), false);
});

test('Marks that were saved go on where they were, and do not share their ranges.', () => {
  const saved = [5, 7];
  const marks = new ReadMarks(3, saved);
  assert.deepEqual(
    [3, 4, 5, 7, 8].map((number) => marks.has(number)),
    [true, false, true, true, false],
  );
  marks.add(4);
  assert.deepEqual(saved, [5, 7]);
});

test('Marks hold the same numbers as a set, in the shortest form.', () => {
  const random = seededRandom('read marks');
  for (let round = 0; round < 200; round++) {
    let marks = new ReadMarks();
    const read = new Set<number>();
    const span = random.pick([10, 40, 200]);
    for (let i = 0; i < 120; i++) {
      const number = random.int(1, span);
      if (random.chance(0.05)) {
        marks.readUpTo(number);
        for (let n = 1; n <= number; n++) read.add(n);
      } else {
        assert.equal(marks.has(number), read.has(number));
        assert.equal(marks.add(number), true);
        read.add(number);
      }
      if (random.chance(0.1)) marks = new ReadMarks(marks.readTo, marks.ranges);
    }
    const expected: number[] = [];
    for (let n = 1; n <= span + 1; n++) {
      assert.equal(marks.has(n), read.has(n));
      if (read.has(n) && !read.has(n - 1)) expected.push(n);
      if (read.has(n) && !read.has(n + 1)) expected.push(n);
    }
    const readTo = read.has(1) ? (expected.splice(0, 2)[1] ?? 0) : 0;
    assert.deepEqual([marks.readTo, marks.ranges], [readTo, expected]);
  }
});
