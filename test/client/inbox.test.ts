import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WaitTimeout } from '../../src/client/errors.ts';
import { Inbox } from '../../src/client/inbox.ts';

const neverFull = (): void => assert.fail('full');

test('items come in order, whether they or the waiting came first', async () => {
  const inbox = new Inbox<number>('number', 10, neverFull);
  const early = [inbox.next(1_000), inbox.next(1_000)];
  for (let n = 1; n <= 5; n += 1) inbox.push(n);
  assert.deepEqual(await Promise.all(early), [1, 2]);
  assert.equal(inbox.length, 3);
  assert.deepEqual([await inbox.next(0), await inbox.next(0), await inbox.next(0)], [3, 4, 5]);
});

test('a wait that took too long takes nothing from those after it', async () => {
  const inbox = new Inbox<number>('number', 10, neverFull);
  await assert.rejects(inbox.next(1), new WaitTimeout('number', 1));
  const next = inbox.next(1_000);
  inbox.push(1);
  assert.equal(await next, 1);
});

test('the end comes after what was there', async () => {
  const inbox = new Inbox<number>('number', 10, neverFull);
  inbox.push(1);
  inbox.end(new Error('ended'));
  assert.equal(await inbox.next(0), 1);
  await assert.rejects(inbox.next(0), /ended/);
  const waiting = new Inbox<number>('number', 10, neverFull);
  const next = waiting.next(1_000);
  waiting.end(new Error('ended'));
  await assert.rejects(next, /ended/);
});

test('an item too many is not kept', () => {
  let full = 0;
  const inbox = new Inbox<number>('number', 2, () => (full += 1));
  for (let n = 1; n <= 3; n += 1) inbox.push(n);
  assert.equal(full, 1);
  assert.equal(inbox.length, 2);
});

test('a hundred thousand items are taken in no time', async () => {
  const inbox = new Inbox<number>('number', 100_000, neverFull);
  for (let n = 0; n < 100_000; n += 1) inbox.push(n);
  for (let n = 0; n < 100_000; n += 1) assert.equal(await inbox.next(0), n);
});
