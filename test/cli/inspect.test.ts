import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { groupOf, pairOf } from '../../src/store/conversation.ts';
import {
  chunkKey,
  conversationBytes,
  conversationKey,
  cursorKey,
  groupsKey,
  pairKey,
} from '../../src/store/disk/layout.ts';
import { inspect, type Inspection } from '../../src/store/disk/inspect.ts';
import { listSegments } from '../../src/store/disk/segments.ts';
import {
  decodeConversation,
  encodeChunk,
  encodeConversation,
  encodeCursor,
} from '../../src/store/disk/values.ts';
import { splitRun } from '../../src/wire/run.ts';
import { putGroup } from '../support/admin.ts';
import { connectTcp } from '../support/clients.ts';
import { DataDir, longText, sayOn, temporaryPath } from '../support/data-dirs.ts';
import { textsFrom } from '../support/engine.ts';
import { spawnMain, spawnServer, type SpawnedServer } from '../support/server.ts';

const pair = pairOf(1, 2);
const key = conversationBytes(pair);

async function inspected(...args: string[]): Promise<{ code: number | null; found: Inspection }> {
  const { code, stdout, stderr } = await spawnMain(['inspect', ...args, '--json']).exit;
  assert.equal(stderr, '');
  assert.match(stdout, /^[^\n]+\n$/);
  return { code, found: JSON.parse(stdout) as Inspection };
}

/** A group of three, and messages from mid 1 to it, to mid 2 and to itself. */
async function fill(server: SpawnedServer): Promise<void> {
  await putGroup(server, 7, [1, 2, 3]);
  await putGroup(server, 8, [1]);
  const sender = await connectTcp(server, 1);
  for (let i = 0; i < 20; i++) {
    await Promise.all([
      sender.send(2, `pair ${i}`),
      sender.sendToGroup(7, `group ${i}`),
      sender.send(1, 'self'),
    ]);
  }
  await sender.close();
}

const counts = { conversations: 3, pairs: 2, groups: 2, members: 4, messages: 60, damageCount: 0 };

function countsOf(found: Inspection): typeof counts {
  const { conversations, pairs, groups, members, messages, damageCount } = found;
  return { conversations, pairs, groups, members, messages, damageCount };
}

test('a directory is right while it is served, after a kill and after a stop', async (t) => {
  const data = temporaryPath(t);
  const server = await spawnServer(['--store', 'disk', '--data', data]);
  try {
    await fill(server);
    const served = await inspected('--data', data);
    assert.deepEqual(countsOf(served.found), counts);
    assert.equal(served.code, 0);
    assert.ok(served.found.journalSegments > 0);
    assert.equal(served.found.chunks, 0);
  } finally {
    await server.stop('SIGKILL');
  }
  const before = listSegments(data).map(({ path }) => readFileSync(path));
  const killed = await inspected('--data', data);
  assert.deepEqual(countsOf(killed.found), counts);
  assert.equal(killed.code, 0);
  assert.deepEqual(
    listSegments(data).map(({ path }) => readFileSync(path)),
    before,
    'nothing was changed',
  );

  await (await spawnServer(['--store', 'disk', '--data', data, '--workers', '1'])).stop();
  const stopped = await inspected('--data', data);
  assert.deepEqual(countsOf(stopped.found), counts);
  assert.equal(stopped.found.journalSegments, 0);
  assert.ok(stopped.found.chunks >= 3);
});

test('the text has the counts and the largest conversations, as many as are asked for', async (t) => {
  const dir = await DataDir.make(t);
  await dir.store(pair, ['a', 'b', 'c']);
  await dir.store(groupOf(7), [longText('large')]);
  const { code, stdout } = await spawnMain(['inspect', '--data', dir.path, '--top', '1']).exit;
  assert.equal(code, 0);
  assert.match(stdout, /^conversations +2, 1 of them pairs$/m);
  assert.match(stdout, /^messages +4, \d+ bytes$/m);
  assert.match(stdout, /^ +\d+ {2}1 to 1 +g:7$/m);
  assert.doesNotMatch(stdout, /p:1:2/);
  assert.match(stdout, /\nno damage was found\n$/);
});

test('--help names the commands, and each has its own', async () => {
  const help = await spawnMain(['--help']).exit;
  assert.match(help.stdout, /^ {2}inspect --data <dir> /m);
  assert.match(help.stdout, /^ {2}backup --data <dir> --to <dir> /m);
  for (const name of ['inspect', 'backup']) {
    const { code, stdout, stderr } = await spawnMain([name, '--help']).exit;
    assert.deepEqual([code, stderr], [0, '']);
    assert.ok(stdout.startsWith(`Usage: encke ${name} `), stdout);
  }
});

test('wrong usage and a directory that is none are one line and exit code 2', async (t) => {
  const dir = await DataDir.make(t);
  for (const args of [
    [],
    ['--data', temporaryPath(t)],
    ['--data', import.meta.filename],
    ['--data', dir.path, '--top', 'many'],
    ['--data', dir.path, '--topp', '1'],
    ['--data', dir.path, 'more'],
  ]) {
    const { code, stdout, stderr } = await spawnMain(['inspect', ...args]).exit;
    assert.match(stderr, /^encke: [^\n]+\n$/);
    assert.deepEqual([code, stdout], [2, ''], stderr);
  }
});

test('what retention has removed is no damage, also in part of a chunk and of everything', async (t) => {
  const dir = await DataDir.make(t);
  await dir.store(pair, ['a', 'b', 'c', 'd']);
  const record = dir.record(pair)!;
  dir.tables.db.putSync(conversationKey(key), encodeConversation({ ...record, floor: 2 }));
  const { messages, damages } = await inspect(dir.path, 1);
  assert.deepEqual({ messages, damages }, { messages: 2, damages: [] });
  dir.tables.db.removeSync(chunkKey(key, 4));
  const none = { ...record, floor: 4, bytes: 0, chunks: 0 };
  dir.tables.db.putSync(conversationKey(key), encodeConversation(none));
  await dir.say(pair, ['e']);
  const { messages: left, largest, damages: still } = await inspect(dir.path, 1);
  assert.deepEqual({ left, still }, { left: 1, still: [] });
  assert.deepEqual([largest[0]?.first, largest[0]?.last], [5, 5]);
});

/** Three chunks: 1, 2 and 3. */
async function threeChunks(dir: DataDir): Promise<void> {
  for (const name of ['a', 'b', 'c']) await dir.store(pair, [longText(name)]);
}

type Break = (dir: DataDir) => void | Promise<void>;
const set = (dir: DataDir, change: Partial<ReturnType<typeof decodeConversation>>): void => {
  dir.tables.db.putSync(conversationKey(key), encodeConversation({ ...dir.record(pair)!, ...change }));
};
const damaging: [what: string, breakIt: Break, line: RegExp][] = [
  [
    'a byte of a chunk is another',
    ({ tables: { db } }) => {
      const value = Buffer.from(db.getBinary(chunkKey(key, 2))!);
      value[100]! ^= 1;
      db.putSync(chunkKey(key, 2), value);
    },
    /^conversation p:1:2, chunk up to 2: .*checksum/,
  ],
  [
    'a chunk is gone',
    ({ tables: { db } }) => void db.removeSync(chunkKey(key, 2)),
    /^conversation p:1:2: message 2 is missing$/,
  ],
  [
    'the first chunk is gone',
    ({ tables: { db } }) => void db.removeSync(chunkKey(key, 1)),
    /message 1 is missing$/,
  ],
  [
    'the last chunk is gone',
    ({ tables: { db } }) => void db.removeSync(chunkKey(key, 3)),
    /message 3 is missing$/,
  ],
  [
    'a chunk stands under a wrong number',
    ({ tables: { db } }) => {
      db.putSync(chunkKey(key, 4), db.getBinary(chunkKey(key, 3))!);
      db.removeSync(chunkKey(key, 3));
    },
    /chunk up to 4 ends with 3$/,
  ],
  [
    'a record is gone',
    ({ tables: { db } }) => void db.removeSync(conversationKey(key)),
    /^conversation p:1:2: messages up to 1 belong to no record$/,
  ],
  [
    'a record is cut',
    ({ tables: { db } }) => db.putSync(conversationKey(key), Buffer.alloc(7)),
    /^conversation p:1:2: its record is damaged$/,
  ],
  ['a record has a wrong count', (dir) => set(dir, { chunks: 2 }), /it has 3 chunks, its record says 2$/],
  ['a record has a wrong size', (dir) => set(dir, { bytes: 7 }), /bytes, its record says 7$/],
  ['a record has a wrong end', (dir) => set(dir, { last: 2 }), /it ends with 3, its record says 2$/],
  [
    'a floor is above its chunk',
    (dir) => set(dir, { floor: 1 }),
    /the chunk up to 1 is below the floor, which is 1$/,
  ],
  [
    'a pair is not listed',
    ({ tables: { db } }) => void db.removeSync(pairKey(2, key)),
    /^conversation p:1:2: it is missing among the pairs of 2$/,
  ],
  [
    'a member is not listed',
    async (dir) => {
      const engine = dir.engine();
      await engine.saveGroup(7, { exists: true, joined: [1, 2], joinedAt: 0, left: [] });
      await engine.close();
      dir.move();
      dir.tables.db.removeSync(groupsKey(2, 7));
    },
    /^group 7: it is missing among the groups of its member 2$/,
  ],
  [
    'a message is there twice',
    ({ tables: { db } }) => {
      db.putSync(chunkKey(key, 3), encodeChunk([textsFrom(pair, 2, ['b', 'c'])]));
    },
    /^conversation p:1:2: message 2 is there twice$/,
  ],
  [
    'a message bears the number of another',
    ({ tables: { db } }) => {
      const run = textsFrom(pair, 2, ['b', 'c']);
      const [, second] = splitRun(run, 1);
      db.putSync(chunkKey(key, 2), encodeChunk([{ ...second, first: 2 }]));
    },
    /^conversation p:1:2: message 2 has number 3$/,
  ],
  [
    'a run has bytes that are no message',
    ({ tables: { db } }) => {
      const run = textsFrom(pair, 2, ['b']);
      db.putSync(chunkKey(key, 2), encodeChunk([{ ...run, bytes: run.bytes.subarray(0, 30) }]));
    },
    /^conversation p:1:2: message 2 /,
  ],
  [
    'a cursor is ahead of its conversation',
    ({ tables: { db } }) => {
      const cursor = { key: pair.key, delivered: 4, devices: {}, readTo: 0, read: [] };
      db.putSync(cursorKey(1, key), encodeCursor(cursor));
    },
    /^cursor of 1 in conversation p:1:2: it is at 4, the last message is 3$/,
  ],
  [
    'a journal lacks its beginning',
    async (dir) => {
      await dir.say(pair, ['d']);
      await sayAsIfLast(dir, 5);
      writeFileSync(listSegments(dir.path)[0]!.path, '');
    },
    /^conversation p:1:2: message 4 is missing$/,
  ],
  [
    'a journal has a damaged commit in front of others',
    async (dir) => {
      const engine = dir.engine();
      await sayOn(engine, pair, ['d']);
      await sayOn(engine, pair, ['e']);
      await engine.close();
      const file = openSync(listSegments(dir.path)[0]!.path, 'r+');
      writeSync(file, Buffer.of(0x58), 0, 1, 100);
      closeSync(file);
    },
    /000-\d+\.log is damaged: byte 40 and on are not what was written/,
  ],
];

/** Another segment with a message that has this number, as a journal goes on. */
async function sayAsIfLast(dir: DataDir, number: number): Promise<void> {
  const record = dir.record(pair)!;
  set(dir, { last: number - 1 });
  await dir.say(pair, [`m${number}`]);
  dir.tables.db.putSync(conversationKey(key), encodeConversation(record));
}

for (const [what, breakIt, line] of damaging) {
  test(`it is found, and said where, when ${what}`, async (t) => {
    const dir = await DataDir.make(t);
    await threeChunks(dir);
    assert.equal((await inspect(dir.path, 1)).damageCount, 0);
    await breakIt(dir);
    const { damages } = await inspect(dir.path, 1);
    assert.ok(
      damages.some((text) => line.test(text)),
      damages.join('\n'),
    );
  });
}

test('a damaged directory is exit code 1, with lines that say what', async (t) => {
  const dir = await DataDir.make(t);
  await threeChunks(dir);
  dir.tables.db.removeSync(chunkKey(key, 2));
  const { code, stdout, stderr } = await spawnMain(['inspect', '--data', dir.path]).exit;
  assert.deepEqual([code, stderr], [1, '']);
  assert.match(stdout, /\n3 damages:\n {2}conversation p:1:2: message 2 is missing\n/);
  await dir.tables.close();
  writeFileSync(`${dir.path}/tables/data.mdb`, 'nonsense'.repeat(2_000));
  const broken = await spawnMain(['inspect', '--data', dir.path]).exit;
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /^encke: [^\n]+data.mdb is damaged: [^\n]+\n$/);
  const server = await spawnMain([
    '--data',
    dir.path,
    '--tcp-port',
    '0',
    '--http-port',
    '0',
    '--admin-port',
    '0',
  ]).exit;
  assert.equal(server.code, 1);
  assert.match(server.stderr, /^encke: cannot start: [^\n]+data.mdb is damaged: [^\n]+\n$/);
});

test('many damages are counted, and so many of them told', async (t) => {
  const dir = await DataDir.make(t);
  const engine = dir.engine();
  const count = limits.inspectDamagesMax + 5;
  for (let i = 0; i < count; i++) await sayOn(engine, pairOf(1, 10 + i), ['a']);
  await engine.close();
  dir.move();
  for (let i = 0; i < count; i++) {
    dir.tables.db.removeSync(conversationKey(conversationBytes(pairOf(1, 10 + i))));
  }
  const { damageCount, damages } = await inspect(dir.path, 1);
  assert.deepEqual([damageCount, damages.length], [count, limits.inspectDamagesMax]);
});

test('a commit that was cut off is no damage: nobody was told that it is stored', async (t) => {
  const dir = await DataDir.make(t);
  await threeChunks(dir);
  const engine = dir.engine();
  await sayOn(engine, pair, ['d']);
  await sayOn(engine, pair, ['e']);
  await engine.close();
  const [segment] = listSegments(dir.path);
  truncateSync(segment!.path, readFileSync(segment!.path).length - 3);
  const { damages, tornBytes, messages } = await inspect(dir.path, 1);
  assert.deepEqual(damages, []);
  assert.ok(tornBytes > 0);
  assert.equal(messages, 4);
});
