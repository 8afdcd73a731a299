import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { pairOf } from '../../src/store/conversation.ts';
import { prepareDataDir } from '../../src/store/disk/data-dir.ts';
import { DiskEngine } from '../../src/store/disk/disk-engine.ts';
import { flushSegment } from '../../src/store/disk/flush.ts';
import type { JournalBounds } from '../../src/store/disk/journal.ts';
import type { FromStoreThread, ToStoreThread } from '../../src/store/disk/store-messages.ts';
import { openDatabase, Tables } from '../../src/store/disk/tables.ts';
import type { AppendResult } from '../../src/store/store.ts';
import { appendOf, store, temporaryDir } from '../support/disk.ts';
import { messagesOf } from '../support/engine.ts';
import { until } from '../support/messaging.ts';

const pair = pairOf(1, 2);
const TEXT = 'x'.repeat(100);

/** An engine whose store's thread is the test: it takes a segment when it is told to. */
class Held {
  readonly engine: DiskEngine;
  readonly health: (string | undefined)[] = [];
  readonly #thread: MessagePort;
  readonly #tables: Tables;
  readonly dir: string;

  static async open(t: TestContext, bounds: Partial<JournalBounds>): Promise<Held> {
    const dir = await prepareDataDir(temporaryDir(t));
    return new Held(dir, bounds);
  }

  constructor(dir: string, bounds: Partial<JournalBounds>) {
    this.dir = dir;
    const { port1, port2 } = new MessageChannel();
    this.#thread = port1;
    this.#tables = new Tables(openDatabase(dir));
    this.engine = new DiskEngine(1, {
      dir,
      fsync: 'no',
      shard: 0,
      sequence: 1,
      bounds,
      tables: new Tables(openDatabase(dir)),
      storeThread: port2,
      onHealth: (error) => this.health.push(error?.message),
    });
  }

  async handedOver(): Promise<ToStoreThread> {
    const [message] = (await once(this.#thread, 'message')) as [ToStoreThread];
    return message;
  }

  tell(message: FromStoreThread): void {
    this.#thread.postMessage(message);
  }

  take({ segment }: ToStoreThread): void {
    flushSegment(this.#tables, segment);
    this.tell({ type: 'flushed' });
  }

  /** Takes every segment from here on. */
  takeAll(message: ToStoreThread): void {
    this.#thread.on('message', (next: ToStoreThread) => this.take(next));
    this.take(message);
  }

  say(last: number): Promise<AppendResult | undefined> {
    return store(this.engine, appendOf(pair, last, TEXT)).then(([result]) => result);
  }

  get segments(): number {
    return readdirSync(join(this.dir, 'journal')).length;
  }

  /** How many messages there are; each number once, in order. */
  get count(): number {
    const messages = messagesOf(this.engine.read(pair, 0, Infinity, Infinity).runs);
    assert.deepEqual(
      messages.map(([number]) => number),
      messages.map((_, i) => i + 1),
    );
    return messages.length;
  }

  async close(): Promise<void> {
    await this.engine.close();
    await this.#tables.close();
    this.#thread.close();
  }
}

const BOUNDS = { memtableBytesMax: 1_000, journalBacklogBytesMax: 3_000, commitBytesMax: 400 };
const refusal = (last: number): AppendResult => ({ ok: false, error: 'storage_unavailable', last });

test('While the tables are slow the journal grows to its bound, and then commits wait until it is their turn.', async (t) => {
  const held = await Held.open(t, BOUNDS);
  const first = held.handedOver();
  let last = 0;
  let settled = 0;
  const results: Promise<AppendResult | undefined>[] = [];
  // Far more than both segments may hold.
  for (; last < 60; last++) {
    const result = held.say(last);
    results.push(result.finally(() => (settled += 1)));
    if (last < 20) await result;
  }
  const message = await first;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(held.segments, 2);
  assert.ok(settled >= 20 && settled <= 30, `${settled} stored`);
  assert.equal(held.count, settled); // what waits is not seen
  assert.deepEqual(held.health, []);
  held.takeAll(message);
  assert.deepEqual(
    await Promise.all(results),
    results.map(() => ({ ok: true })),
  );
  assert.equal(held.count, 60);
  await held.close();
});

test('While the tables cannot be written messages are refused at the bound, and it goes on by itself.', async (t) => {
  const held = await Held.open(t, BOUNDS);
  const first = held.handedOver();
  let last = 0;
  for (; held.segments < 2; last++) assert.deepEqual(await held.say(last), { ok: true });
  const message = await first;
  held.tell({ type: 'stuck', error: 'the disk is full' });
  let result: AppendResult | undefined;
  while (((result = await held.say(last)), result?.ok === true)) last += 1;
  assert.deepEqual(result, refusal(last));
  assert.deepEqual(await held.say(last), refusal(last));
  await assert.rejects(held.engine.saveUser(1, { mailbox: true, devices: [], cursors: [] }), {
    code: 'storage_unavailable',
    message: 'the disk is full',
  });
  assert.equal(held.engine.user(1), undefined);
  assert.ok(last > 20 && last < 40, `${last} stored`);
  assert.equal(held.count, last); // reads go on
  assert.deepEqual(held.health, ['the disk is full']);
  held.take(message);
  await until(async () => (await held.say(last))?.ok === true, 'it goes on');
  assert.equal(held.count, last + 1);
  assert.deepEqual(held.health, ['the disk is full', undefined]);
  await held.close();
});

test('A segment that is old enough is handed over although it is small, and an empty one is not.', async (t) => {
  const held = await Held.open(t, { memtableAgeMsMax: 20 });
  assert.deepEqual(await held.say(0), { ok: true });
  const message = await held.handedOver();
  assert.equal(message.segment.sequence, 1);
  held.take(message);
  assert.deepEqual(await held.say(1), { ok: true });
  const again = await held.handedOver();
  assert.equal(again.segment.sequence, 2);
  held.take(again);
  assert.equal(held.count, 2);
  await held.close();
});

test('A commit takes what waits up to its bound; one tick is never cut.', async (t) => {
  const held = await Held.open(t, { commitBytesMax: 500 });
  const { engine } = held;
  const done: string[] = [];
  const tick = (name: string, last: number, count: number): Promise<unknown> => {
    const batch = Array.from({ length: count }, (_, i) => appendOf(pair, last + i, TEXT));
    return engine.append(batch).then((results) => done.push(`${name} ${results.every(({ ok }) => ok)}`));
  };
  // The first opens a segment; the rest waits for it.
  const ticks = [tick('a', 0, 1), tick('b', 1, 2), tick('c', 3, 10), tick('d', 13, 1)];
  engine.flush();
  await Promise.all(ticks);
  assert.deepEqual(done, ['a true', 'b true', 'c true', 'd true']);
  assert.equal(held.count, 14);
  await held.close();
});

test('Appends to one conversation in one batch are numbered on; a wrong number is refused, and said what is right.', async (t) => {
  const held = await Held.open(t, {});
  const { engine } = held;
  const other = pairOf(1, 3);
  const results = await store(
    engine,
    appendOf(pair, 0, 'a', 'b'),
    appendOf(pair, 2, 'c'),
    appendOf(pair, 2, 'again'),
    appendOf(other, 1, 'too high'),
    appendOf(other, 0, 'first'),
    appendOf(pair, 3, 'd'),
  );
  assert.deepEqual(results, [
    { ok: true },
    { ok: true },
    { ok: false, error: 'conflict', last: 3 },
    { ok: false, error: 'conflict', last: 0 },
    { ok: true },
    { ok: true },
  ]);
  assert.deepEqual(
    messagesOf(engine.read(pair, 0, Infinity, Infinity).runs).map(([, text]) => text),
    ['a', 'b', 'c', 'd'],
  );
  assert.deepEqual(await store(engine, appendOf(pair, 3, 'late')), [
    { ok: false, error: 'conflict', last: 4 },
  ]);
  await held.close();
});
