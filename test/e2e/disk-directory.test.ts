/** Directories that a server cannot use: one line that says what, which file and what to do. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pairOf } from '../../src/store/conversation.ts';
import { connectTcp } from '../support/clients.ts';
import { appendOf, DiskRig, store, temporaryDir } from '../support/disk.ts';
import { spawnDiskServer, spawnMain } from '../support/server.ts';

type Hooks = { after(fn: () => void): void };

/** What a server says that does not start, without `encke: cannot start: `. */
async function failure(dir: string): Promise<string> {
  const ports = ['--tcp-port', '0', '--http-port', '0', '--admin-port', '0'];
  const run = spawnMain([...ports, '--workers', '1', '--store', 'disk', '--data', dir]);
  const { code, stdout, stderr } = await run.exit;
  assert.equal(stdout, '');
  assert.match(stderr, /^encke: cannot start: [^\n]+\n$/);
  assert.equal(code, 1);
  return stderr.slice('encke: cannot start: '.length, -1);
}

/** A directory with a journal that was left by a crash, and with tables. */
async function crashed(t: Hooks): Promise<{ dir: string; segment: string }> {
  const dir = join(temporaryDir(t), 'data');
  const before = await DiskRig.open(dir);
  const pairs = Array.from({ length: 300 }, (_, i) => pairOf(1, i + 2));
  await store(before.engine(), ...pairs.map((pair) => appendOf(pair, 0, 'x'.repeat(100))));
  await before.close();
  const rig = await DiskRig.open(dir);
  const engine = rig.engine();
  for (const pair of pairs) await store(engine, appendOf(pair, 1, 'more'));
  const segment = join(dir, 'journal', readdirSync(join(dir, 'journal'))[0] ?? '');
  const kept = readFileSync(segment);
  await rig.close();
  writeFileSync(segment, kept); // as if it had not been moved; what it has is in the tables
  return { dir, segment };
}

test('Of two servers on one directory the second exits with one line, and the first goes on; after a kill a third starts at once.', async (t) => {
  const dir = join(temporaryDir(t), 'data');
  const first = await spawnDiskServer(dir);
  t.after(() => void first.child.kill('SIGKILL'));
  const client = await connectTcp(first, 1);
  assert.equal(await client.send(2, 'before'), 1);
  assert.equal(await failure(dir), `data directory ${dir} is in use by another server`);
  assert.equal(await client.send(2, 'after'), 2);
  await first.stop('SIGKILL');
  const third = await spawnDiskServer(dir);
  t.after(() => void third.child.kill('SIGKILL'));
  assert.equal(await (await connectTcp(third, 1)).send(2, 'again'), 3);
  assert.equal((await third.stop()).code, 0);
  assert.deepEqual(
    readdirSync(dir).filter((name) => name.startsWith('lock')),
    [],
  );
});

test('Of servers that start at the same time on a new directory one serves.', async (t) => {
  const dir = join(temporaryDir(t), 'data');
  const starts = await Promise.allSettled([1, 2, 3].map(() => spawnDiskServer(dir, ['--workers', '1'])));
  const servers = starts.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value);
  for (const { child } of servers) t.after(() => void child.kill('SIGKILL'));
  assert.equal(servers.length, 1);
  for (const outcome of starts)
    if (outcome.status === 'rejected') assert.match(String(outcome.reason), /is in use by another server/);
  assert.equal((await servers[0]?.stop())?.code, 0);
});

test('A path that is a file, or in one, or cannot be made, is refused.', async (t) => {
  const file = join(temporaryDir(t), 'file');
  writeFileSync(file, '');
  assert.match(await failure(file), /^data directory .*file cannot be used: EEXIST/);
  assert.match(await failure(join(file, 'data')), /^data directory .*data cannot be used: ENOTDIR/);
  const locked = temporaryDir(t);
  chmodSync(locked, 0o500);
  // Nothing is locked for the superuser, but for what the system keeps.
  const parent = process.getuid?.() === 0 ? '/sys' : locked;
  assert.match(
    await failure(join(parent, 'data')),
    /^data directory .*data cannot be used: E(ACCES|PERM|ROFS)/,
  );
  // Where it makes no directories the system says that there is none to make one in.
  if (existsSync('/proc/self')) assert.match(await failure('/proc/encke'), /cannot be used: ENOENT/);
});

test('A directory of something else, of another format or without a readable one is left alone.', async (t) => {
  const dir = temporaryDir(t);
  writeFileSync(join(dir, 'letters.txt'), '');
  assert.equal(await failure(dir), `${dir} is no Encke data directory: it has no file FORMAT`);
  assert.deepEqual(readdirSync(dir), ['letters.txt']);
  const format = join(dir, 'FORMAT');
  const older = `${dir} has storage format 0, this release reads format 1: use the release that wrote it`;
  const newer = `${dir} has storage format 2, this release reads format 1: use a newer release`;
  const damaged = `${format} is damaged: restore it (or the directory) from a backup`;
  for (const [text, line] of [
    ['encke storage 0\n', older],
    ['encke storage 2\n', newer],
    ['encke storage', damaged],
    ['', damaged],
  ] as const) {
    writeFileSync(format, text);
    assert.equal(await failure(dir), line);
    assert.equal(readFileSync(format, 'utf8'), text);
  }
});

test('A directory whose making was interrupted is made.', async (t) => {
  const dir = temporaryDir(t);
  writeFileSync(join(dir, 'FORMAT.new'), '');
  mkdirSync(join(dir, 'tables'));
  writeFileSync(join(dir, 'tables', 'data.mdb'), '');
  const server = await spawnDiskServer(dir);
  assert.equal((await server.stop()).code, 0);
  assert.deepEqual(readdirSync(dir).sort(), ['FORMAT', 'journal', 'tables']);
});

test('A segment that is damaged in the middle is named, and stays as it is.', async (t) => {
  const { dir, segment } = await crashed(t);
  const bytes = readFileSync(segment);
  const { length } = bytes;
  bytes.writeUInt8((bytes[length >> 1] ?? 0) ^ 1, length >> 1);
  writeFileSync(segment, bytes);
  const line = await failure(dir);
  assert.ok(line.startsWith(`${segment} is damaged: byte `), line);
  assert.match(
    line,
    /byte (\d+) and on are not what was written, in front of records that are whole; restore/,
  );
  assert.deepEqual(readFileSync(segment), bytes);
  // It can be moved away, as the line says.
  truncateSync(segment, 0);
  const server = await spawnDiskServer(dir);
  assert.equal((await server.stop()).code, 0);
});

test('Tables that are missing, cut off or overwritten are named, and stay as they are.', async (t) => {
  const { dir } = await crashed(t);
  const file = join(dir, 'tables', 'data.mdb');
  const kept = join(temporaryDir(t), 'kept');
  copyFileSync(file, kept);
  const { size } = statSync(file);
  const damages: [damage: () => void, line: RegExp][] = [
    [() => truncateSync(file, 0), /does not begin as it was written/],
    [() => truncateSync(file, 4_000), /does not begin as it was written/],
    [() => truncateSync(file, 8_192), /its end is missing/],
    [() => truncateSync(file, size >> 1), /its end is missing/],
    [() => writeFileSync(file, 'garbage '.repeat(size / 8)), /does not begin as it was written/],
    [() => writeFileSync(file, Buffer.alloc(size)), /does not begin as it was written/],
    [() => void writeSync(openSync(file, 'r+'), Buffer.alloc(16, 0xff), 0, 16, 4_096 + 16), /does not begin/],
  ];
  for (const [damage, line] of damages) {
    copyFileSync(kept, file);
    damage();
    const before = readFileSync(file);
    const said = await failure(dir);
    assert.ok(said.startsWith(`${file} is damaged: `), said);
    assert.match(said, line);
    assert.match(said, /; restore the directory from a backup$/);
    assert.deepEqual(readFileSync(file), before);
  }
  copyFileSync(kept, file);
  const server = await spawnDiskServer(dir);
  assert.equal((await server.stop()).code, 0);
});
