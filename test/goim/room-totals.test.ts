import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { RoomCounts } from '../../src/goim/messages.ts';
import { Registry } from '../../src/goim/registry.ts';
import { RoomTotals } from '../../src/goim/room-totals.ts';
import { limits } from '../../src/limits.ts';
import type { Session } from '../../src/user/session.ts';
import { FakeShard, sessionOf } from '../support/sessions.ts';
import { ManualTimers } from '../support/timers.ts';

/** Shard 1 of 3. */
class Rig {
  readonly registry = new Registry();
  readonly totals: RoomTotals;
  readonly told: { readonly to: number; readonly counts: RoomCounts }[] = [];
  takes = true;
  readonly #host = new FakeShard();
  #last = 0;

  constructor(shards = 3) {
    const tell = (to: number, counts: RoomCounts): boolean => {
      this.told.push({ to, counts });
      return this.takes;
    };
    this.totals = new RoomTotals({ shard: 1, shards, tell }, this.registry);
  }

  enter(room: string): Session {
    const goim = { key: '', room, accepts: [] };
    const session = sessionOf(this.#host, (this.#last += 1), { goim });
    this.registry.add(session);
    return session;
  }

  note(shard: number, counts: Record<string, number>, whole = false): void {
    this.totals.note({ shard, whole, rooms: Object.keys(counts), counts: Object.values(counts) });
  }

  /** `shard room=count …` of what was told since the last time. */
  take(): string[] {
    return this.told.splice(0).map(({ to, counts: { shard, whole, rooms, counts } }) => {
      assert.equal(shard, 1);
      return `${to}${whole ? ' whole' : ''}: ${rooms.map((room, i) => `${room}=${counts[i]}`).join(' ')}`;
    });
  }
}

const timersOf = (t: TestContext): ManualTimers => new ManualTimers(t);

test('A total is what is here and what the others told last; who is gone counts no more.', (t) => {
  timersOf(t);
  const rig = new Rig();
  const session = rig.enter('a://1');
  rig.enter('a://1');
  rig.note(0, { 'a://1': 5, 'a://2': 1 });
  rig.note(2, { 'a://1': 10 });
  assert.equal(rig.totals.total('a://1'), 17);
  rig.note(0, { 'a://1': 4 });
  rig.registry.changeRoom(session, 'a://2');
  assert.deepEqual([rig.totals.total('a://1'), rig.totals.total('a://2')], [15, 2]);
  rig.note(2, { 'b://1': 1 }, true);
  assert.equal(rig.totals.total('a://1'), 5);
  rig.totals.forget(0);
  rig.note(2, { 'b://1': 0 });
  assert.deepEqual(
    ['a://1', 'a://2', 'b://1'].map((room) => rig.totals.total(room)),
    [1, 1, 0],
  );
  rig.totals.stop();
});

test('Rooms that changed are told to the others once in a while, with the count of then.', (t) => {
  const timers = timersOf(t);
  const rig = new Rig();
  const session = rig.enter('a://1');
  rig.enter('a://1');
  rig.registry.remove(rig.enter('a://2'));
  assert.deepEqual(timers.waiting, [limits.goimOnlineMs]);
  timers.fire();
  assert.deepEqual(rig.take(), ['0: a://1=2 a://2=0', '2: a://1=2 a://2=0']);
  assert.deepEqual(timers.waiting, []);
  rig.registry.remove(session);
  rig.takes = false;
  timers.fire();
  assert.equal(rig.take().length, 2);
  rig.takes = true; // what was not taken is told again
  timers.fire();
  assert.deepEqual(rig.take(), ['0: a://1=1', '2: a://1=1']);
  rig.totals.tellAll(2);
  assert.deepEqual(rig.take(), ['2 whole: a://1=1']);
  rig.enter('a://1');
  rig.totals.stop();
  assert.deepEqual(timers.waiting, []);
});

test('One message tells a bounded number of rooms, and a single shard tells nobody.', (t) => {
  const timers = timersOf(t);
  const rig = new Rig(2);
  for (let i = 0; i <= limits.goimRoomsToldMax; i++) rig.enter(`a://${i}`);
  timers.fire();
  assert.deepEqual(
    rig.told.map(({ counts }) => counts.rooms.length),
    [limits.goimRoomsToldMax, 1],
  );
  new Rig(1).enter('a://1');
  assert.deepEqual(timers.waiting, []);
});

test('The fullest rooms of a type come first, each once, and only so many.', (t) => {
  timersOf(t);
  const rig = new Rig();
  for (const room of ['a://x', 'a://x', 'a://y', 'ab://z', 'no type', '://none']) rig.enter(room);
  rig.note(0, { 'a://y': 2, 'a://far': 9, 'a://x': 1, 'b://x': 50 });
  const all = [
    { room_id: 'far', count: 9 },
    { room_id: 'x', count: 3 },
    { room_id: 'y', count: 3 },
  ];
  assert.deepEqual(rig.totals.top('a', 10), all);
  assert.deepEqual(rig.totals.top('a', 2), all.slice(0, 2));
  assert.deepEqual(rig.totals.top('a', -1), []);
  assert.deepEqual(rig.totals.top('', 10), []);
  rig.totals.stop();
});
