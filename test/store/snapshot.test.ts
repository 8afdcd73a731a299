import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairOf } from '../../src/store/conversation.ts';
import { chunksRange } from '../../src/store/disk/layout.ts';
import { replayImage } from '../../src/store/disk/segments.ts';
import { Snapshot } from '../../src/store/disk/snapshot.ts';
import { DataDir, sayOn } from '../support/data-dirs.ts';

const pair = pairOf(1, 2);
const none = (): number => 0;

test('what is moved into the tables after the snapshot is still read from the journal', async (t) => {
  const dir = await DataDir.make(t);
  await dir.say(pair, ['a', 'b']);
  const snapshot = Snapshot.open(dir.path);
  dir.move();
  await new Promise((resolve) => setTimeout(resolve)); // a turn in which others read anew
  assert.deepEqual([...snapshot.entries(chunksRange)], []);
  const [segment, ...others] = snapshot.segments;
  assert.deepEqual(others, []);
  const { table, tornBytes } = replayImage(segment!.path, snapshot.read(segment!), none);
  assert.deepEqual([table.logs.get(pair.key)?.last, tornBytes], [2, 0]);
  await snapshot.close();
  const after = Snapshot.open(dir.path);
  assert.deepEqual([after.segments.length, [...after.entries(chunksRange)].length], [0, 1]);
  await after.close();
});

test('a cursor that was saved after the journals were opened can be left out, messages are not', async (t) => {
  const dir = await DataDir.make(t);
  const engine = dir.engine();
  const save = (delivered: number): Promise<void> => {
    const cursor = { key: pair.key, delivered, devices: {}, readTo: 0, read: [] };
    return engine.saveUser(1, { mailbox: false, devices: [], cursors: [cursor] });
  };
  await sayOn(engine, pair, ['a']);
  await save(1);
  const snapshot = Snapshot.open(dir.path);
  await sayOn(engine, pair, ['b']);
  await save(2);
  const [segment] = snapshot.segments;
  const { table } = replayImage(segment!.path, snapshot.read(segment!), none, segment!.bytes);
  assert.equal(table.logs.get(pair.key)?.last, 2);
  assert.equal(table.users.get(1)?.cursors.get(pair.key)?.delivered, 1);
  await snapshot.close();
  await engine.close();
});
