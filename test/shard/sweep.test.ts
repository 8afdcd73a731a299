import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closes } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { Sweep } from '../../src/shard/sweep.ts';
import { Op } from '../../src/wire/op.ts';
import { FakeShard, sessionOf } from '../support/sessions.ts';
import { ManualTimers } from '../support/timers.ts';

const idleTimeoutMs = 300_000;

test('A comet connection without a frame for the idle timeout is closed, a messaging one is not.', (t) => {
  const timers = new ManualTimers(t);
  const host = new FakeShard();
  const comet = sessionOf(host, 1);
  const messaging = sessionOf(host, 2, { encoding: 'messaging' });
  let now = idleTimeoutMs - 1;
  const sweep = new Sweep(
    () => [comet, messaging],
    idleTimeoutMs,
    () => now,
  );
  timers.fire();
  assert.equal(comet.closing, undefined);
  now += 1;
  timers.fire();
  assert.equal(comet.closing, closes.idle);
  assert.equal(messaging.closing, undefined);
  sweep.stop();
  assert.deepEqual(timers.waiting, []);
});

test('A frame starts the idle time anew.', (t) => {
  const timers = new ManualTimers(t);
  const session = sessionOf(new FakeShard(), 1);
  let now = 0;
  const sweep = new Sweep(
    () => [session],
    idleTimeoutMs,
    () => now,
  );
  session.heardAt = 1;
  now = idleTimeoutMs;
  timers.fire();
  assert.equal(session.closing, undefined);
  sweep.stop();
});

test('A page of history that waits for a client that does not read is not taken for a lost request.', (t) => {
  const timers = new ManualTimers(t);
  const session = sessionOf(new FakeShard(), 1);
  let now = 0;
  const sweep = new Sweep(
    () => [session],
    Number.MAX_SAFE_INTEGER,
    () => now,
  );
  session.requests.add(Op.historyReply, 1, 1, -1);
  session.congest(0);
  for (; now < limits.requestTimeoutMs * 2; now += limits.requestTimeoutMs) timers.fire();
  assert.equal(session.closing, undefined);
  session.drain();
  timers.fire();
  now += limits.requestTimeoutMs;
  timers.fire();
  assert.equal(session.closing, closes.internal);
  sweep.stop();
});

test('A connection whose oldest request gets no outcome in time is closed with an internal error.', (t) => {
  const timers = new ManualTimers(t);
  const session = sessionOf(new FakeShard(), 1);
  let now = 0;
  const sweep = new Sweep(
    () => [session],
    Number.MAX_SAFE_INTEGER,
    () => now,
  );
  const first = session.requests.add(19, 1, 1, 0);
  session.requests.add(19, 2, 1, 0);
  timers.fire();
  now = limits.requestTimeoutMs - 1;
  timers.fire();
  assert.equal(session.closing, undefined);
  // The first is answered: the second waits from then on, not from when it came.
  session.requests.settle(first, 1);
  session.requests.take();
  timers.fire();
  now += limits.requestTimeoutMs - 1;
  timers.fire();
  assert.equal(session.closing, undefined);
  now += 1;
  timers.fire();
  assert.equal(session.closing, closes.internal);
  sweep.stop();
});
