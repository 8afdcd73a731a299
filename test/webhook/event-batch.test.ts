/** What is read from an event log, on a store in a temporary directory. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { limits } from '../../src/limits.ts';
import { eventLogOf, eventLogUsers, groupOf, pairOf } from '../../src/store/conversation.ts';
import { Retention } from '../../src/store/disk/retention.ts';
import type { StoreEngine } from '../../src/store/engine.ts';
import type { Append } from '../../src/store/store.ts';
import { counters } from '../../src/metrics/counters.ts';
import { readBatch, type EventBatch } from '../../src/webhook/event-batch.ts';
import { EventLog } from '../../src/webhook/event-log.ts';
import { DataDir, longText } from '../support/data-dirs.ts';
import { appendOf } from '../support/disk.ts';
import { engineOn, Keeper } from '../support/engine.ts';

const pair = pairOf(1, 2);
const log = eventLogOf(0);

class Rig {
  readonly counters = { ...counters.hooks };
  readonly stored: number[] = [];
  wakes = 0;
  readonly log: EventLog;

  constructor(epoch = 1_000, webhookPendingMax: number = limits.webhookPendingMax) {
    this.log = new EventLog({
      shard: 0,
      epoch,
      bounds: { webhookPendingMax },
      counters: this.counters,
      now: () => 5_000,
      wake: () => (this.wakes += 1),
      wakeLater: () => (this.wakes += 1),
      onStored: (last) => this.stored.push(last),
    });
  }

  /** As the end of a tick does. */
  async commit(engine: StoreEngine, ...appends: Append[]): Promise<boolean[]> {
    const results = engine.append([...appends, this.log.appendFor(appends)]);
    engine.flush();
    this.log.settle(await results);
    return (await results).map(({ ok }) => ok);
  }
}

function batchOf(engine: StoreEngine, after = 0, givenUp = 0, bounds = {}): EventBatch | undefined {
  return readBatch(engine, log, after, givenUp, { ...limits, ...bounds });
}

const eventsOf = (batch: EventBatch | undefined): Record<string, unknown>[] =>
  JSON.parse(`[${batch?.text ?? ''}]`) as Record<string, unknown>[];

const chatIdsOf = (batch: EventBatch | undefined): unknown[] => eventsOf(batch).map(({ chatId }) => chatId);

async function diskDir(t: TestContext): Promise<DataDir> {
  return DataDir.make(t);
}

test('A commit with messages has one record for each run, numbered behind what was there, whatever failed before.', async (t) => {
  const dir = await diskDir(t);
  const engine = dir.engine();
  const rig = new Rig();
  rig.log.add('"type":"online","user":1');
  assert.deepEqual(await rig.commit(engine, appendOf(pair, 0, 'a', 'b'), appendOf(groupOf(7), 0, 'c')), [
    true,
    true,
    true,
  ]);
  assert.deepEqual(await rig.commit(engine, appendOf(pair, 9, 'refused')), [false, true]);
  await rig.commit(engine, appendOf(pair, 2, 'd'));
  assert.deepEqual(rig.stored, [3, 4, 5]);
  const batch = batchOf(engine);
  const type = ({ type: name, chatId, group }: Record<string, unknown>): unknown[] => [name, group, chatId];
  assert.deepEqual(eventsOf(batch).map(type), [
    ['message', undefined, 1],
    ['message', undefined, 2],
    ['message', 7, 1],
    ['online', undefined, undefined],
    ['message', undefined, 3],
  ]);
  assert.deepEqual([batch?.first, batch?.last, batch?.events], [1, 5, 5]);
  assert.equal(batchOf(engine, 5), undefined);
  await engine.close();
});

test('A batch ends at its bounds, but a record is not cut; and where another run of the server begins.', async (t) => {
  const engine = (await diskDir(t)).engine();
  const rig = new Rig();
  for (let i = 0; i < 6; i += 2) await rig.commit(engine, appendOf(pair, i, 'x', 'y'));
  await new Rig(2_000).commit(engine, appendOf(pair, 6, 'z'));
  assert.deepEqual(chatIdsOf(batchOf(engine, 0, 0, { webhookBatchEventsMax: 5 })), [1, 2, 3, 4]);
  assert.deepEqual(chatIdsOf(batchOf(engine, 0, 0, { webhookBatchEventsMax: 1 })), [1, 2]);
  assert.deepEqual(chatIdsOf(batchOf(engine, 1, 0, { webhookBatchBytesMax: 1 })), [3, 4]);
  assert.deepEqual(chatIdsOf(batchOf(engine)), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(chatIdsOf(batchOf(engine, 3)), [7]);
  await engine.close();
});

test('Messages that retention removed first are told as removed, records that were given up as lost.', async (t) => {
  const dir = await diskDir(t);
  const rig = new Rig();
  for (let i = 0; i < 3; i++) {
    const engine = dir.engine();
    await rig.commit(engine, appendOf(pair, i * 2, longText('a'), longText('b')));
    await engine.close();
    dir.move();
  }
  const sweep = (messages: number): void => {
    const retention = new Retention(dir.tables, { ageMs: undefined, messages });
    while (!retention.step({ messages: 0, chunks: 0, bytes: 0 }));
    dir.tables.refresh();
  };
  sweep(3);
  const engine = dir.engine();
  assert.deepEqual(
    eventsOf(batchOf(engine)).map(({ type, users, first, last, chatId }) => [
      type,
      users,
      first,
      last,
      chatId,
    ]),
    [
      ['removed', [1, 2], 1, 2, undefined],
      ['removed', [1, 2], 3, 3, undefined],
      ['message', undefined, undefined, undefined, 4],
      ['message', undefined, undefined, undefined, 5],
      ['message', undefined, undefined, undefined, 6],
    ],
  );
  const [lost, ...rest] = eventsOf(batchOf(engine, 0, 2));
  assert.deepEqual([lost?.['type'], lost?.['records'], rest.length], ['lost', 2, 2]);
  assert.equal(dir.record(log)?.floor, 0, 'rules for messages are not for event logs');

  // What was posted can go, whichever of the two shards has noted it.
  for (const [user, delivered] of [
    [eventLogUsers.writer, 1],
    [eventLogUsers.heir, 2],
  ] as const) {
    const cursor = { key: log.key, delivered, devices: {}, readTo: delivered, read: [] };
    await engine.saveUser(user, { mailbox: false, devices: [], cursors: [cursor] });
  }
  await engine.close();
  dir.move();
  sweep(3);
  assert.equal(dir.record(log)?.floor, 2);
  const again = dir.engine();
  assert.equal(eventsOf(batchOf(again))[0]?.['type'], 'lost');
  assert.deepEqual(chatIdsOf(batchOf(again, 2)), [5, 6]);
  await again.close();
});

test('Events of a commit that failed are committed again; over the bound of those that wait new ones are lost.', () => {
  const rig = new Rig(1_000, 2);
  const engine = engineOn(new Keeper());
  for (const user of [1, 2, 3]) rig.log.add(`"type":"online","user":${user}`);
  assert.deepEqual([rig.counters.recordsLost, rig.wakes], [1, 2]);
  rig.log.appendFor([]);
  assert.equal(rig.log.hasEvents, false);
  rig.log.settle([]);
  assert.equal(rig.log.hasEvents, true);
  rig.log.settle(engine.append([rig.log.appendFor([])]));
  assert.deepEqual(
    eventsOf(batchOf(engine)).map(({ user }) => user),
    [1, 2],
  );
});

test('A change of a group and its event are one commit.', async (t) => {
  const dir = await diskDir(t);
  const engine = dir.engine();
  const rig = new Rig();
  const event = rig.log.appendEvents(['"type":"group"', '"type":"group"']);
  await engine.saveGroup(7, { exists: true, joined: [1], joinedAt: 0, left: [] }, event);
  rig.log.stored(event);
  assert.deepEqual(rig.stored, [2]);
  assert.equal(batchOf(engine)?.events, 2);
  await engine.close();
  dir.move();
  assert.equal(dir.record(log)?.last, 2);
});
