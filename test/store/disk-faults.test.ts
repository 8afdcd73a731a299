import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test, type TestContext } from 'node:test';
import { groupOf, pairOf } from '../../src/store/conversation.ts';
import type { DiskEngine } from '../../src/store/disk/disk-engine.ts';
import { appendOf, DiskRig, store, temporaryDir, type RigOptions } from '../support/disk.ts';
import { messagesOf } from '../support/engine.ts';
import { setFault, type Fault } from '../support/failing-disk.ts';
import { until } from '../support/messaging.ts';

const pair = pairOf(1, 2);
const refused = (last: number): object => ({ ok: false, error: 'storage_unavailable', last });

afterEach(() => setFault(undefined));

const textsOf = (engine: DiskEngine, conversation: typeof pair = pair): string[] =>
  messagesOf(engine.read(conversation, 0, Infinity, Infinity).runs).map(
    ([number, text]) => `${number} ${text}`,
  );

async function rigOf(t: TestContext, options?: RigOptions): Promise<DiskRig> {
  const dir = temporaryDir(t);
  return DiskRig.open(dir, options);
}

for (const fault of ['full', 'short', 'late', 'stuck'] as const satisfies Fault[]) {
  test(`A write that fails (${fault}) refuses its messages, leaves no trace, and the next one has their numbers.`, async (t) => {
    const rig = await rigOf(t);
    const engine = rig.engine();
    assert.deepEqual(await store(engine, appendOf(pair, 0, 'a', 'b')), [{ ok: true }]);
    setFault(fault);
    const failed = [
      appendOf(pair, 2, 'lost'),
      appendOf(pair, 3, 'lost too'),
      appendOf(pairOf(1, 3), 0, 'new'),
    ];
    assert.deepEqual(await store(engine, ...failed), [refused(2), refused(2), refused(0)]);
    assert.deepEqual(await store(engine, appendOf(pair, 2, 'lost again')), [refused(2)]);
    assert.deepEqual(textsOf(engine), ['1 a', '2 b']);
    assert.equal(engine.last(pair), 2);
    assert.deepEqual(engine.participations(3), []);
    setFault(undefined);
    assert.deepEqual(await store(engine, appendOf(pair, 2, 'c')), [{ ok: true }]);
    assert.deepEqual(textsOf(engine), ['1 a', '2 b', '3 c']);
    assert.deepEqual(
      rig.health.map((error) => error?.message),
      [fault === 'full' || fault === 'short' ? 'ENOSPC: test' : 'EIO: test', undefined],
    );
    rig.crash();
    assert.deepEqual(await rig.recover(), { type: 'recovered', tornBytes: 0, sequence: 2, error: undefined });
    const again = rig.engine();
    assert.deepEqual(textsOf(again), ['1 a', '2 b', '3 c']);
    assert.deepEqual(again.participations(3), []);
    await rig.close();
  });
}

test('What failed is not taken by the tables although its segment is full and cannot be cut off.', async (t) => {
  const rig = await rigOf(t, { bounds: { memtableBytesMax: 50, storeRetryMs: 1 } });
  const engine = rig.engine();
  await store(engine, appendOf(pair, 0, 'a'));
  setFault('stuck');
  // The segment is full, but what is behind its last record cannot be cut off: it is written on.
  assert.deepEqual(await store(engine, appendOf(pair, 1, 'lost')), [refused(1)]);
  assert.deepEqual(await store(engine, appendOf(pair, 1, 'lost too')), [refused(1)]);
  setFault(undefined);
  await until(async () => {
    const [result] = await store(engine, appendOf(pair, 1, 'b'));
    return result?.ok === true;
  }, 'it works again');
  for (let i = 2; i < 10; i++)
    assert.deepEqual(await store(engine, appendOf(pair, i, `m${i}`)), [{ ok: true }]);
  const expected = ['1 a', '2 b', ...Array.from({ length: 8 }, (_, i) => `${i + 3} m${i + 2}`)];
  assert.deepEqual(textsOf(engine), expected);
  await rig.closeEngine();
  await rig.recover();
  assert.deepEqual(textsOf(rig.engine()), expected);
  await rig.close();
});

test('Where no segment can be begun messages are refused, and no files pile up; it goes on by itself.', async (t) => {
  for (const fault of ['unopened', 'full'] as const) {
    const rig = await rigOf(t);
    const engine = rig.engine();
    setFault(fault);
    for (let i = 0; i < 20; i++)
      assert.deepEqual(await store(engine, appendOf(pair, 0, 'lost')), [refused(0)]);
    assert.deepEqual(readdirSync(join(rig.dir, 'journal')), []);
    setFault(undefined);
    assert.deepEqual(await store(engine, appendOf(pair, 0, 'a')), [{ ok: true }]);
    assert.deepEqual(textsOf(engine), ['1 a']);
    await rig.close();
  }
});

test('A full segment is written on while no new one can be begun, up to the bound of the backlog.', async (t) => {
  const bounds = { memtableBytesMax: 200, journalBacklogBytesMax: 1_000, storeRetryMs: 20 };
  const rig = await rigOf(t, { bounds });
  const engine = rig.engine();
  await store(engine, appendOf(pair, 0, 'first'));
  setFault('unopened');
  let last = 1;
  for (;;) {
    const [result] = await store(engine, appendOf(pair, last, 'x'.repeat(50)));
    if (result?.ok !== true) {
      assert.deepEqual(result, refused(last));
      break;
    }
    last += 1;
  }
  const { size } = await import('node:fs').then((fs) => fs.statSync(segmentsIn(rig)[0] ?? ''));
  assert.ok(last > 5 && size >= 1_000 && size < 1_200, `${last} messages in ${size} bytes`);
  setFault(undefined);
  await until(async () => {
    const [result] = await store(engine, appendOf(pair, last, 'again'));
    return result?.ok === true;
  }, 'a new segment');
  assert.equal(engine.last(pair), last + 1);
  await rig.close();
});

const segmentsIn = ({ dir }: DiskRig): string[] =>
  readdirSync(join(dir, 'journal')).map((name) => join(dir, 'journal', name));

test('A change that is not stored is not readable, and its promise says why; a later one is.', async (t) => {
  const rig = await rigOf(t);
  const engine = rig.engine();
  await store(engine, appendOf(pair, 0, 'a'));
  const cursor = (delivered: number): object => ({
    key: pair.key,
    delivered,
    devices: {},
    readTo: 0,
    read: [],
  });
  const record = (delivered: number): Parameters<DiskEngine['saveUser']>[1] =>
    ({ mailbox: false, devices: [], cursors: [cursor(delivered)] }) as never;
  await engine.saveUser(2, record(1));
  setFault('full');
  const saving = engine.saveUser(2, record(5));
  assert.deepEqual(engine.user(2), record(5)); // until it is known
  const group = engine.saveGroup(7, { exists: true, joined: [2], joinedAt: 0, left: [] });
  await assert.rejects(saving, { code: 'storage_unavailable' });
  await assert.rejects(group, { code: 'storage_unavailable' });
  assert.deepEqual(engine.user(2), record(1));
  assert.equal(engine.group(7), undefined);
  assert.deepEqual(
    engine.participations(2).map(({ conversation }) => conversation),
    [pair],
  );
  setFault(undefined);
  await engine.saveUser(2, record(7));
  await engine.saveGroup(7, { exists: true, joined: [2], joinedAt: 0, left: [] });
  assert.deepEqual(engine.user(2), record(7));
  assert.deepEqual(
    engine.participations(2).map(({ conversation }) => conversation),
    [pair, groupOf(7)],
  );
  await rig.close();
});

test('A change of a user that waits while its segment is handed to the tables stays readable.', async (t) => {
  const rig = await rigOf(t, { bounds: { memtableBytesMax: 60 } });
  const engine = rig.engine();
  for (let i = 1; i <= 200; i++) {
    const saving = engine.saveUser(2, { mailbox: i % 2 === 0, devices: [`d${i}`], cursors: [] });
    assert.deepEqual(engine.user(2)?.devices, [`d${i}`]);
    if (i % 3 === 0) engine.flush();
    if (i % 7 === 0) await saving;
    if (i % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(engine.user(2)?.devices, [`d${i}`], `change ${i}`);
  }
  await rig.close();
});
