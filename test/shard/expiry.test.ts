import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { closes } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { Expiry } from '../../src/shard/expiry.ts';
import type { Session } from '../../src/user/session.ts';
import { FakeShard, sessionOf } from '../support/sessions.ts';
import { ManualTimers } from '../support/timers.ts';

const START = 1_000_000_000;

/** An Expiry whose clock and timer the test moves. */
class Rig {
  readonly timers: ManualTimers;
  readonly events: string[] = [];
  readonly expiry: Expiry;
  now = START;
  readonly #host = new FakeShard();

  constructor(t: TestContext) {
    this.timers = new ManualTimers(t);
    this.expiry = new Expiry({
      warn: ({ connection }, seconds) => void this.events.push(`warn ${connection} ${seconds}`),
      expire: ({ connection }) => void this.events.push(`expire ${connection}`),
      now: () => this.now,
    });
  }

  /** A session whose credentials run out so many milliseconds after the start. */
  add(connection: number, ms?: number): Session {
    const session = sessionOf(this.#host, connection, ms === undefined ? {} : { expiresAt: START + ms });
    this.expiry.add(session);
    return session;
  }

  /** The clock is so many milliseconds after the start; the timer fires. What has happened. */
  at(ms: number): string[] {
    this.now = START + ms;
    this.timers.fire();
    return this.events.splice(0);
  }
}

test('A connection is warned once, a minute before, and ended when its credentials have run out.', (t) => {
  const rig = new Rig(t);
  rig.add(1, 90_000);
  assert.deepEqual(rig.at(29_000), []);
  assert.deepEqual(rig.at(30_000), ['warn 1 60']);
  assert.deepEqual(rig.at(89_000), []);
  assert.deepEqual(rig.at(90_000), ['expire 1']);
  assert.deepEqual(rig.timers.waiting, [], 'nobody is left');
  assert.equal(rig.expiry.size, 0);
});

test('Nobody is ended early: a time between two seconds is the later one.', (t) => {
  const rig = new Rig(t);
  rig.add(1, 2_500);
  assert.deepEqual(rig.at(1_000), ['warn 1 2']);
  assert.deepEqual(rig.at(2_499), []);
  assert.deepEqual(rig.at(3_000), ['expire 1']);
});

test('Credentials that are nearly over are warned of at once, with what is left.', (t) => {
  const rig = new Rig(t);
  rig.add(1, 5_000);
  assert.deepEqual(rig.at(1_000), ['warn 1 4']);
  assert.deepEqual(rig.at(4_999), []);
  assert.deepEqual(rig.at(5_000), ['expire 1']);
});

test('Credentials that ran out while the connection was opened end it.', (t) => {
  const rig = new Rig(t);
  rig.add(1, -1);
  assert.deepEqual(rig.at(1_000), ['expire 1']);
});

test('Credentials without an end need no timer and no memory.', (t) => {
  const rig = new Rig(t);
  rig.add(1);
  assert.deepEqual([rig.timers.waiting, rig.expiry.size], [[], 0]);
});

test('All connections share one timer.', (t) => {
  const rig = new Rig(t);
  for (let connection = 1; connection <= 1_000; connection++) rig.add(connection, 70_000 + connection * 37);
  assert.deepEqual(rig.timers.waiting, [1_000]);
  assert.equal(rig.expiry.size, 1_000);
  const seen: string[] = [];
  for (let ms = 0; ms < 120_000; ms += 1_000) {
    seen.push(...rig.at(ms));
    assert.ok(rig.timers.waiting.length <= 1);
  }
  assert.equal(seen.filter((event) => event.startsWith('warn')).length, 1_000);
  assert.equal(seen.filter((event) => event.startsWith('expire')).length, 1_000);
});

test('A connection that is gone, or on its way out, is left alone.', (t) => {
  const rig = new Rig(t);
  const [gone, leaving] = [rig.add(1, 90_000), rig.add(2, 90_000)];
  rig.expiry.delete(gone);
  rig.expiry.delete(gone);
  leaving.close(closes.idle);
  assert.deepEqual(rig.at(30_000), []);
  assert.equal(rig.expiry.size, 0);
});

test('So many at once are handled in steps, with a pause between them, and none is left out.', (t) => {
  const rig = new Rig(t);
  const count = limits.expiryStepSessionsMax * 2 + 1;
  for (let connection = 1; connection <= count; connection++) rig.add(connection, -1);
  const steps = [rig.at(1_000).length, rig.at(1_010).length];
  assert.deepEqual(rig.timers.waiting, [limits.expiryPauseMs]);
  steps.push(rig.at(1_020).length);
  assert.deepEqual(steps, [limits.expiryStepSessionsMax, limits.expiryStepSessionsMax, 1]);
  assert.deepEqual(rig.timers.waiting, []);
});

test('A clock that leaps ends everybody whose time is over, and one that is set back ends nobody.', (t) => {
  const rig = new Rig(t);
  for (const connection of [1, 2, 3]) rig.add(connection, 100_000 * connection);
  assert.deepEqual(rig.at(86_400_000), ['expire 1', 'expire 2', 'expire 3']);
  rig.add(4, 86_500_000);
  assert.deepEqual(rig.at(0), []);
  assert.deepEqual(rig.at(86_440_000), ['warn 4 60']);
  assert.deepEqual(rig.at(86_500_000), ['expire 4']);
});
