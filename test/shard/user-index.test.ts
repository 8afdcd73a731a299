import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LowestConnections } from '../../src/shard/lowest-connections.ts';
import { UserIndex } from '../../src/shard/user-index.ts';
import type { Session } from '../../src/user/session.ts';
import { seededRandom } from '../support/random.ts';
import { FakeShard, sessionOf } from '../support/sessions.ts';

const numbers = (sessions: Iterable<Session>): number[] =>
  Array.from(sessions, ({ connection }) => connection);

test('Sessions that come and go in any order are found by their user, and by no other.', () => {
  const random = seededRandom('user-index');
  const index = new UserIndex();
  const host = new FakeShard();
  const open: Session[] = [];
  for (let connection = 1; connection <= 2_000; connection++) {
    if (open.length > 0 && random.chance(0.48))
      index.remove(open.splice(random.int(0, open.length - 1), 1)[0]!);
    else {
      const session = sessionOf(host, connection, { user: random.pick([1, 2, 3, '1', 'ann']) });
      open.push(session);
      index.add(session);
    }
    assert.equal(index.users, new Set(open.map(({ user }) => user)).size);
    for (const user of [1, 2, 3, '1', 'ann', 4]) {
      const expected = numbers(open.filter((session) => session.user === user)).reverse();
      assert.deepEqual(numbers(index.of(user)), expected);
    }
  }
});

test('A user may be walked while its sessions are taken out.', () => {
  const index = new UserIndex();
  for (let connection = 1; connection <= 4; connection++) index.add(sessionOf(new FakeShard(), connection));
  const seen: number[] = [];
  for (const session of index.of(21)) {
    seen.push(session.connection);
    index.remove(session);
  }
  assert.deepEqual([seen, index.users], [[4, 3, 2, 1], 0]);
});

test('Of any number of sessions, those with the lowest numbers are kept.', () => {
  const random = seededRandom('lowest');
  const host = new FakeShard();
  for (let round = 0; round < 50; round++) {
    const rising = Array.from({ length: random.int(0, 300) }, (_, i) => i + 1);
    const order = new Map(rising.map((number) => [number, random.next()]));
    const all = rising.toSorted((a, b) => order.get(a)! - order.get(b)!);
    const max = random.int(1, 60);
    const page = new LowestConnections(max);
    for (const connection of all) page.offer(sessionOf(host, connection));
    assert.deepEqual(numbers(page.take()), rising.slice(0, max));
  }
});
