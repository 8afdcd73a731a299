import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShardCommits } from '../../src/shard/commit-queue.ts';
import { pairOf } from '../../src/store/conversation.ts';
import type { Append, AppendResult, Store } from '../../src/store/store.ts';
import type { CommitOwner } from '../../src/user/env.ts';
import type { Committed, SendRequest } from '../../src/user/messages.ts';
import { engineOn, Keeper, textsFrom } from '../support/engine.ts';

const pair = pairOf(21, 22);

/** A store that answers at once, or when the test says so. */
class Rig implements CommitOwner {
  readonly engine = engineOn(new Keeper());
  readonly batches: number[] = [];
  /** What was told, as the tickets of the requests with their errors. */
  readonly told: string[] = [];
  readonly lasts: number[] = [];
  /** How many outcomes the actor's mailbox has room for. */
  room = Infinity;
  append: Store['append'] = (batch) => this.engine.append(batch);
  readonly commits = new ShardCommits({
    append: (batch: readonly Append[]) => {
      this.batches.push(batch.length);
      return this.append(batch);
    },
  } as Store);

  tell(_name: 'committed', { request, error, last }: Committed): boolean {
    if (this.room === 0) return false;
    this.room -= 1;
    this.told.push(`${request.replyTo.ticket} ${error ?? 'ok'}`);
    this.lasts.push(last);
    return true;
  }

  add(ticket: number, expectedLast = ticket, owner: CommitOwner = this): void {
    const run = textsFrom(pair, expectedLast + 1, ['x']);
    const replyTo = { user: 21, shard: 0, connection: 1, ticket, count: 1 };
    const request: SendRequest = { replyTo, from: 21, to: 22, run, echo: false, id: null };
    this.commits.add({ conversation: pair, expectedLast, run }, request, owner);
  }
}

test('The appends of a tick are one batch, their outcomes told in order, each to who asked.', () => {
  const rig = new Rig();
  const other = new Rig();
  rig.add(0);
  rig.add(1, 1, other);
  rig.add(2);
  assert.equal(rig.commits.flush(), true);
  assert.deepEqual([rig.batches, rig.told, other.told], [[3], ['0 ok', '2 ok'], ['1 ok']]);
  assert.equal(rig.commits.flush(), false);
  assert.deepEqual(rig.batches, [3]);
});

test('What was not stored is refused, with the number that the conversation really has.', () => {
  const rig = new Rig();
  rig.add(0);
  rig.add(1, 7);
  rig.commits.flush();
  assert.deepEqual(
    [rig.told, rig.lasts],
    [
      ['0 ok', '1 storage_unavailable'],
      [0, 1],
    ],
  );
});

test('Outcomes that find no room are told later, in order, before any later one.', () => {
  const rig = new Rig();
  rig.room = 1;
  for (const ticket of [0, 1, 2]) rig.add(ticket);
  rig.commits.flush();
  assert.deepEqual([rig.told, rig.commits.hasUntold], [['0 ok'], true]);
  rig.add(3);
  rig.commits.flush();
  assert.deepEqual(rig.told, ['0 ok']);
  rig.room = 2;
  rig.commits.flush();
  assert.deepEqual([rig.told, rig.commits.hasUntold], [['0 ok', '1 ok', '2 ok'], true]);
  rig.room = Infinity;
  rig.add(4);
  rig.commits.flush();
  assert.deepEqual([rig.told, rig.commits.hasUntold], [['0 ok', '1 ok', '2 ok', '3 ok', '4 ok'], false]);
});

test('An outcome does not overtake one that found no room, even when there is room for it.', () => {
  const rig = new Rig();
  const other = new Rig();
  rig.room = 0;
  rig.add(0);
  rig.add(1, 1, other);
  rig.commits.flush();
  assert.deepEqual([rig.told, other.told], [[], []]);
  rig.room = 1;
  rig.commits.flush();
  assert.deepEqual([rig.told, other.told], [['0 ok'], ['1 ok']]);
});

test('With a store that takes its time, outcomes are told when it answers, and the shard is told of them.', async () => {
  const rig = new Rig();
  let answer: ((results: readonly AppendResult[]) => void) | undefined;
  rig.append = () => new Promise((resolve) => (answer = resolve));
  const outcomes = new Promise<void>((resolve) => (rig.commits.onOutcomes = resolve));
  rig.add(0);
  assert.equal(rig.commits.flush(), false);
  assert.deepEqual(rig.told, []);
  answer?.([{ ok: true }]);
  await outcomes;
  assert.deepEqual(rig.told, ['0 ok']);
});

test('A store that fails refuses the whole batch.', async () => {
  const rig = new Rig();
  rig.append = () => Promise.reject(new Error('the disk is gone'));
  const outcomes = new Promise<void>((resolve) => (rig.commits.onOutcomes = resolve));
  for (const ticket of [0, 1]) rig.add(ticket, ticket + 5);
  rig.commits.flush();
  await outcomes;
  assert.deepEqual(rig.told, ['0 storage_unavailable', '1 storage_unavailable']);
});
