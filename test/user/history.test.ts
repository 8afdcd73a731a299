import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorNumber } from '../../src/errors.ts';
import { pairOf } from '../../src/store/conversation.ts';
import type { ReadResult } from '../../src/store/store.ts';
import { History, type HistoryHost } from '../../src/user/history.ts';
import type { HistoryQuery } from '../../src/wire/history-body.ts';
import { Op } from '../../src/wire/op.ts';
import { messagesOf } from '../support/engine.ts';
import { textRun } from '../support/runs.ts';
import { FakeShard, sessionOf } from '../support/sessions.ts';

const query = (id: number, isGroup = false): HistoryQuery => ({
  target: { isGroup, id },
  after: 0,
  before: Infinity,
  limit: 50,
  newestFirst: false,
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The history of one session; reads are answered, and pages written, when the test says. */
class Rig implements HistoryHost {
  readonly session = sessionOf(new FakeShard(), 1);
  readonly history = new History(this.session, this);
  /** Users whose conversation is being read. */
  readonly reading: { with: number; answer: (result: ReadResult) => void; fail: () => void }[] = [];
  waiting = 0;
  failures = 0;
  readonly store: HistoryHost['store'] = {
    read: ({ key }) =>
      new Promise((resolve, reject) => {
        this.reading.push({
          with: Number(key.split(':')[2]),
          answer: resolve,
          fail: () => reject(new Error('no log')),
        });
      }),
  };

  rangeOf({ target, ...rest }: HistoryQuery): ReturnType<HistoryHost['rangeOf']> {
    return target.isGroup ? 'not_member' : { conversation: pairOf(1, Number(target.id)), ...rest };
  }

  onWritten(): void {
    this.waiting += 1;
  }

  onFailure(): void {
    this.failures += 1;
  }

  ask(...queries: HistoryQuery[]): void {
    for (const [seq, each] of queries.entries())
      this.history.ask(this.session.requests.add(Op.historyReply, seq, 1, -1), each);
  }

  async answer(): Promise<void> {
    this.reading.shift()?.answer({ runs: [textRun('a')], last: 1 });
    await turn();
  }

  /** The outbox writes what can be written; the results of the replies. */
  write(): number[] {
    const { session } = this;
    const results: number[] = [];
    while (session.requests.take()) {
      results.push(session.requests.result);
      if (session.requests.result > 0) assert.equal(messagesOf(session.takePage().runs).length, 1);
    }
    this.history.wrote();
    return results;
  }
}

test('Of many requests one is read at a time, the next when the page before was taken in.', async () => {
  const rig = new Rig();
  rig.ask(query(2), query(3), query(4));
  for (const user of [2, 3, 4]) {
    assert.deepEqual(
      rig.reading.map((each) => each.with),
      [user],
    );
    await rig.answer();
    assert.deepEqual([rig.reading.length, rig.session.page?.last], [0, 1]);
    assert.deepEqual(rig.write(), [1]);
    await turn();
    assert.deepEqual([rig.reading.length, rig.waiting], [0, 1]);
    rig.waiting = 0;
    rig.history.written();
  }
  assert.deepEqual([rig.reading.length, rig.session.requests.size], [0, 0]);
});

test('A page that waits behind an unanswered request is the only one that is held.', async () => {
  const rig = new Rig();
  rig.session.requests.add(Op.sendReply, 9, 1, 1);
  rig.ask(query(2), query(3));
  await rig.answer();
  assert.deepEqual(rig.write(), []);
  rig.history.written(); // a feeder's step, say
  await turn();
  assert.deepEqual([rig.reading.length, rig.waiting], [0, 0]);
  rig.session.refuse(0, 1, 'unavailable');
  assert.deepEqual(rig.write(), [-errorNumber('unavailable'), 1]);
  rig.history.written();
  assert.equal(rig.reading.length, 1);
});

test('For a client that does not read nothing is read; when it does the next page is.', async () => {
  const rig = new Rig();
  rig.session.congest(0);
  rig.ask(query(2));
  assert.equal(rig.reading.length, 0);
  rig.session.drain();
  rig.history.written();
  assert.equal(rig.reading.length, 1);
  await rig.answer();
  rig.write();
  rig.ask(query(3));
  rig.session.congest(0);
  rig.history.written(); // taken in by the gateway, not by the client
  assert.equal(rig.reading.length, 0);
  rig.session.drain();
  rig.history.written();
  assert.equal(rig.reading.length, 1);
});

test('A request that is refused, or that the store fails, makes room for the next one.', async () => {
  const rig = new Rig();
  rig.ask(query(7, true), query(2), query(3));
  rig.reading.shift()?.fail();
  await turn();
  assert.deepEqual([rig.failures, rig.reading.map((each) => each.with)], [1, [3]]);
  await rig.answer();
  assert.deepEqual(rig.write(), [-errorNumber('not_member'), -errorNumber('storage_unavailable'), 1]);
});

test('What waits for a client that does not read can be given up: it is refused, but for the page that is held.', async () => {
  const rig = new Rig();
  rig.ask(query(2), query(3), query(4));
  await rig.answer();
  rig.session.congest(0);
  rig.history.abandon();
  assert.deepEqual(rig.write(), [1, -errorNumber('unavailable'), -errorNumber('unavailable')]);
  assert.equal(rig.reading.length, 0);
});

test('For a connection that is being closed nothing more is read.', async () => {
  const rig = new Rig();
  rig.ask(query(2), query(3));
  await rig.answer();
  rig.session.close({ code: 4409, reason: 'replaced' });
  rig.write();
  rig.history.written();
  assert.equal(rig.reading.length, 0);
});
