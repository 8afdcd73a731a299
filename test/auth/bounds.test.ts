import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdmissionCache } from '../../src/auth/admission-cache.ts';
import { Slots } from '../../src/auth/slots.ts';

const never = new AbortController().signal;
const admission = { ok: true, user: 1 } as const;

test('Turns are given first come, first served, and one that is given back goes to the next.', async () => {
  const slots = new Slots(1, 2);
  const order: string[] = [];
  await slots.take(never);
  const first = slots.take(never).then(() => order.push('first'));
  const second = slots.take(never).then(() => order.push('second'));
  slots.give();
  await first;
  slots.give();
  await second;
  assert.deepEqual(order, ['first', 'second']);
  slots.give();
  await slots.take(never);
});

test('When as many wait as may wait, the next is refused at once.', async () => {
  const slots = new Slots(1, 2);
  await slots.take(never);
  const waiting = [slots.take(never), slots.take(never)];
  await assert.rejects(slots.take(never), { message: 'too many wait already' });
  slots.give();
  slots.give();
  await Promise.all(waiting);
});

test('Who does not wait any longer leaves room, and does not take a turn with it.', async () => {
  const slots = new Slots(1, 1);
  await slots.take(never);
  const controller = new AbortController();
  const leaves = slots.take(controller.signal);
  controller.abort();
  await assert.rejects(leaves, { message: 'no turn in time' });
  await assert.rejects(slots.take(AbortSignal.abort()), { message: 'no turn in time' });
  const next = slots.take(never);
  slots.give();
  await next;
});

test('An admission is remembered for its time, and no longer than it is good.', () => {
  const cache = new AdmissionCache(100, 10);
  cache.set('a', admission, 1_000);
  cache.set('b', { ...admission, expiresAt: 1_050 }, 1_000);
  assert.deepEqual([cache.get('a', 1_099), cache.get('b', 1_049)?.user], [admission, 1]);
  assert.deepEqual([cache.get('a', 1_100), cache.get('b', 1_050)], [undefined, undefined]);
  assert.equal(cache.size, 0);
  cache.set('a', admission, 1_000);
  assert.equal(cache.get('a', 1), undefined, 'a clock that was set back does not make it longer');
});

test('When the cache is full the oldest admission is forgotten.', () => {
  const cache = new AdmissionCache(100, 2);
  for (const key of ['a', 'b', 'a', 'c']) cache.set(key, admission, 0);
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => cache.get(key, 1) !== undefined),
    [true, false, true],
  );
  assert.equal(cache.size, 2);
});
