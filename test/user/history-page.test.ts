import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { groupOf, pairOf, type Conversation } from '../../src/store/conversation.ts';
import type { MemoryEngine } from '../../src/store/memory-engine.ts';
import type { Store } from '../../src/store/store.ts';
import { readPage, type HistoryRange } from '../../src/user/history-page.ts';
import { engineOn, Keeper, messagesOf, say } from '../support/engine.ts';
import { seededRandom } from '../support/random.ts';

const pair = pairOf(21, 22);

/** The engine as a store that counts its reads and the bytes that they gave out. */
class Log {
  readonly engine: MemoryEngine;
  reads = 0;
  largest = 0;

  constructor(bytesMax?: number) {
    this.engine = engineOn(new Keeper(), 65_536, bytesMax);
  }

  read: Store['read'] = async (conversation, ...bounds) => {
    this.reads += 1;
    const result = this.engine.read(conversation, ...bounds);
    this.largest = Math.max(
      this.largest,
      result.runs.reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
    return result;
  };

  async page(
    range: Partial<HistoryRange> = {},
    conversation: Conversation = pair,
  ): Promise<{ numbers: number[]; last: number; more: boolean; bytes: number }> {
    const whole = { after: 0, before: Infinity, limit: 50, newestFirst: false, ...range };
    const { runs, last, more } = await readPage(this, { conversation, ...whole });
    const messages = messagesOf(runs);
    for (const [number, text] of messages) assert.equal(Number(text.split(' ')[0]), number);
    const bytes = runs.reduce((sum, run) => sum + run.bytes.length, 0);
    return { numbers: messages.map(([number]) => number), last, more, bytes };
  }
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: Math.abs(last - first) + 1 }, (_, i) => (last >= first ? first + i : first - i));

/** Runs of so many messages each; every text begins with its number. */
function fill(
  engine: MemoryEngine,
  counts: readonly number[],
  padding = 0,
  conversation: Conversation = pair,
): void {
  for (const count of counts) {
    const last = engine.last(conversation);
    say(
      engine,
      conversation,
      ...range(last + 1, last + count).map((number) => `${number} ${'x'.repeat(padding)}`),
    );
  }
}

test('A conversation without a message is an empty page.', async () => {
  const log = new Log();
  for (const newestFirst of [false, true]) {
    assert.deepEqual(await log.page({ newestFirst }), { numbers: [], last: 0, more: false, bytes: 0 });
  }
});

test('Pages go forward from the oldest and say whether there is more.', async () => {
  const log = new Log();
  fill(log.engine, [10, 1, 100, 9]);
  const pages = [
    await log.page(),
    await log.page({ after: 50 }),
    await log.page({ after: 100 }),
    await log.page({ after: 120 }),
    await log.page({ after: 500 }),
  ];
  assert.deepEqual(
    pages.map(({ numbers, last, more }) => [numbers, last, more]),
    [
      [range(1, 50), 120, true],
      [range(51, 100), 120, true],
      [range(101, 120), 120, false],
      [[], 120, false],
      [[], 120, false],
    ],
  );
});

test('Pages go back from the newest, in falling order.', async () => {
  const log = new Log();
  fill(log.engine, [10, 1, 100, 9]);
  const pages = [
    await log.page({ newestFirst: true }),
    await log.page({ newestFirst: true, before: 71 }),
    await log.page({ newestFirst: true, before: 21 }),
    await log.page({ newestFirst: true, before: 1 }),
  ];
  assert.deepEqual(
    pages.map(({ numbers, last, more }) => [numbers, last, more]),
    [
      [range(120, 71), 120, true],
      [range(70, 21), 120, true],
      [range(20, 1), 120, false],
      [[], 120, false],
    ],
  );
});

test('Both ends of a range are left out, in either order.', async () => {
  const log = new Log();
  fill(log.engine, [7, 7, 7]);
  const bounds = { after: 5, before: 12 };
  assert.deepEqual((await log.page(bounds)).numbers, range(6, 11));
  assert.deepEqual((await log.page({ ...bounds, newestFirst: true })).numbers, range(11, 6));
  assert.deepEqual(await log.page({ ...bounds, limit: 6 }), { ...(await log.page(bounds)), more: false });
  assert.equal((await log.page({ ...bounds, limit: 5 })).more, true);
  assert.equal((await log.page({ ...bounds, limit: 5, newestFirst: true })).more, true);
  assert.equal((await log.page({ ...bounds, limit: 6, newestFirst: true })).more, false);
  for (const newestFirst of [false, true]) {
    assert.deepEqual((await log.page({ after: 5, before: 6, newestFirst })).numbers, []);
    assert.deepEqual((await log.page({ after: 9, before: 3, newestFirst })).numbers, []);
  }
});

test('A page ends at its bytes, but has one message however large it is.', async () => {
  const log = new Log();
  fill(log.engine, [1, 1, 1, 1], 30_000);
  fill(log.engine, [1], 200_000);
  fill(log.engine, [1], 10);
  for (const [bounds, numbers, more] of [
    [{}, [1, 2], true],
    [{ after: 2 }, [3, 4], true],
    [{ after: 4 }, [5], true],
    [{ after: 5 }, [6], false],
    [{ newestFirst: true }, [6], true],
    [{ newestFirst: true, before: 6 }, [5], true],
    [{ newestFirst: true, before: 5 }, [4, 3], true],
    [{ newestFirst: true, before: 3 }, [2, 1], false],
  ] as const) {
    const page = await log.page(bounds);
    assert.deepEqual([page.numbers, page.more], [numbers, more], JSON.stringify(bounds));
    assert.ok(page.bytes <= limits.historyBytesMax || page.numbers.length === 1);
  }
});

test('What the store has given up is absent, and no page says that there is more of it.', async () => {
  const log = new Log(4 * 65_536);
  fill(
    log.engine,
    Array.from({ length: 600 }, () => 1),
    1_000,
  );
  const [oldest = 0] = (await log.page({ limit: 1 })).numbers;
  assert.ok(oldest > 100, `the oldest kept is ${oldest}`);
  const before = oldest + 20;
  assert.deepEqual(await log.page({ before }).then(({ numbers, more }) => [numbers, more]), [
    range(oldest, before - 1),
    false,
  ]);
  for (const limit of [20, 50]) {
    const { numbers, more } = await log.page({ before, limit, newestFirst: true });
    assert.deepEqual([numbers, more], [range(before - 1, oldest), false]);
  }
  for (const newestFirst of [false, true]) {
    const page = await log.page({ before: oldest, newestFirst });
    assert.deepEqual([page.numbers, page.last, page.more], [[], 600, false]);
  }
});

test('Newest first of large messages reads little more than it gives.', async () => {
  const log = new Log();
  fill(
    log.engine,
    Array.from({ length: 100 }, () => 1),
    30_000,
  );
  const { numbers } = await log.page({ newestFirst: true, limit: 256 });
  assert.deepEqual(numbers, [100, 99]);
  assert.ok(log.reads <= 2 + limits.historyWindowMessages, `${log.reads} reads`);
  assert.ok(log.largest <= limits.historyBytesMax);
});

test('Newest first of small messages takes few reads.', async () => {
  const log = new Log();
  fill(
    log.engine,
    Array.from({ length: 500 }, () => 1),
  );
  assert.deepEqual((await log.page({ newestFirst: true, limit: 256 })).numbers, range(500, 245));
  assert.ok(log.reads <= 4, `${log.reads} reads`);
});

test('Whatever the runs are, pages put together are the conversation, in either order.', async () => {
  const random = seededRandom('history-page');
  for (let round = 0; round < 60; round++) {
    const log = new Log();
    const conversation = random.chance(0.5) ? pair : groupOf(7);
    const runs = random.int(0, 40);
    for (let i = 0; i < runs; i++) {
      const padding = random.pick([0, 0, 50, 2_000, 70_000]);
      fill(
        log.engine,
        [random.int(1, random.pick([1, 3, padding > 9_999 ? 1 : 300]))],
        padding,
        conversation,
      );
    }
    const last = log.engine.last(conversation);
    const after = random.int(0, last + 1);
    const before = random.chance(0.3) ? Infinity : random.int(1, last + 2);
    const expected = (last === 0 ? [] : range(1, last)).filter(
      (number) => number <= last && number > after && number < before,
    );
    const limit = random.int(1, 256);
    for (const newestFirst of [false, true]) {
      const numbers: number[] = [];
      for (let more = true; more;) {
        const edge = numbers.at(-1);
        const rest = newestFirst ? { after, before: edge ?? before } : { after: edge ?? after, before };
        const page = await log.page({ ...rest, limit, newestFirst }, conversation);
        assert.ok(page.numbers.length <= limit);
        assert.ok(page.bytes <= limits.historyBytesMax || page.numbers.length === 1);
        assert.ok(page.numbers.length > 0 || !page.more, 'a page with more behind it has a message');
        assert.equal(page.last, last);
        numbers.push(...page.numbers);
        ({ more } = page);
      }
      assert.deepEqual(numbers, newestFirst ? expected.reverse() : expected);
    }
  }
});
