import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { backup } from '../../src/store/disk/backup.ts';
import { inspect } from '../../src/store/disk/inspect.ts';
import { listSegments } from '../../src/store/disk/segments.ts';
import { groupOf, pairOf } from '../../src/store/conversation.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { connectTcp } from '../support/clients.ts';
import { DataDir, longText, sayOn, temporaryPath } from '../support/data-dirs.ts';
import { spawnMain, spawnServer, type SpawnedServer } from '../support/server.ts';

const PAIRS = [1, 2, 3, 4];
const receiverOf = (mid: number): number => mid + 10;
/** Large ones, so that journals are moved into the tables while a copy is made. */
const textOf = (mid: number, n: number): string => `${mid} ${n} ${'x'.repeat(50_000)}`;

/** Each mid sends to its receiver until told to stop; `acknowledged` has the newest number of each. */
class Load {
  readonly acknowledged = new Map<number, number>();
  readonly #running: Promise<void>[];
  #stopped = false;

  constructor(server: SpawnedServer) {
    this.#running = PAIRS.map((mid) => this.#run(server, mid));
  }

  async #run(server: SpawnedServer, mid: number): Promise<void> {
    const client = await connectTcp(server, mid);
    for (let n = 1; !this.#stopped; n += 4) {
      const texts = [n, n + 1, n + 2, n + 3].map((number) => textOf(mid, number));
      const numbers = await Promise.all(texts.map((text) => client.send(receiverOf(mid), text)));
      assert.deepEqual(numbers, [n, n + 1, n + 2, n + 3]);
      this.acknowledged.set(mid, n + 3);
    }
    await client.close();
  }

  async until(number: number): Promise<void> {
    while (PAIRS.some((mid) => (this.acknowledged.get(mid) ?? 0) < number)) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }
}

test('a copy made under load has all that was acknowledged, and is served while the original is', async (t) => {
  // Where a socket in the directory would have too long a name, its owner is named by a full path.
  const data = temporaryPath(t, 'data'.repeat(25));
  const copies = [join(data, '../copy-1'), join(data, '../copy-2')] as const;
  const server = await spawnServer(['--store', 'disk', '--data', data]);
  const acknowledged: Map<number, number>[] = [];
  try {
    await putGroup(server, 7, [1, 2, 3]);
    const load = new Load(server);
    for (const copy of copies) {
      await load.until((acknowledged.at(-1)?.get(1) ?? 0) + 80);
      acknowledged.push(new Map(load.acknowledged));
      const { code, stdout, stderr } = await spawnMain(['backup', '--data', data, '--to', copy]).exit;
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^copied [^\n]+: \d+ messages in 4 conversations, \d+ bytes\n$/);
    }
    await load.stop();
    for (const [i, copy] of copies.entries()) {
      const { damages, largest, groups, members } = await inspect(copy, 10);
      assert.deepEqual({ damages, groups, members }, { damages: [], groups: 1, members: 3 });
      const lasts = new Map(largest.map(({ conversation, last }) => [conversation, last]));
      for (const mid of PAIRS) {
        const last = lasts.get(pairOf(mid, receiverOf(mid)).key) ?? 0;
        assert.ok(last >= acknowledged[i]!.get(mid)!, `mid ${mid}: ${last}`);
      }
      await serveCopy(copy, lasts);
    }
  } finally {
    await server.stop();
  }
  assert.deepEqual((await inspect(data, 1)).damages, []);
});

/** The receivers get everything from the copy, and numbers go on. */
async function serveCopy(copy: string, lasts: ReadonlyMap<string, number>): Promise<void> {
  const server = await spawnServer(['--store', 'disk', '--data', copy, '--workers', '3']);
  try {
    for (const mid of PAIRS) {
      const receiver = await connectTcp(server, receiverOf(mid));
      const last = lasts.get(pairOf(mid, receiverOf(mid)).key)!;
      for (let n = 1; n <= last; n++) {
        const { chatId, text } = await receiver.nextMessage();
        assert.deepEqual([chatId, text], [n, textOf(mid, n)]);
      }
      const sender = await connectTcp(server, mid);
      assert.equal(await sender.send(receiverOf(mid), 'live'), last + 1);
      assert.equal((await receiver.nextMessage()).text, 'live');
      await Promise.all([sender.close(), receiver.close()]);
    }
    const { body } = await adminRequest(server.adminAddress, 'GET', '/v1/groups/7');
    assert.deepEqual(body, { gid: 7, members: [1, 2, 3], lastChatId: 0 });
  } finally {
    await server.stop();
  }
}

test('a copy of a stopped directory is the same, journals and what retention left included', async (t) => {
  const dir = await DataDir.make(t);
  await dir.store(pairOf(1, 2), [longText('a'), 'b', 'c']);
  await dir.say(groupOf(7), ['d']);
  await dir.say(pairOf(1, 2), ['e']);
  const copy = temporaryPath(t);
  const { conversations, messages } = await backup(dir.path, copy);
  assert.deepEqual({ conversations, messages }, { conversations: 2, messages: 5 });
  assert.deepEqual(listSegments(copy), []);
  const [original, copied] = [await inspect(dir.path, 10), await inspect(copy, 10)];
  assert.deepEqual(copied.damages, []);
  for (const what of ['conversations', 'pairs', 'messages', 'users', 'groups'] as const) {
    assert.equal(copied[what], original[what], what);
  }
});

test('the target must not exist or be empty, and the source be a data directory', async (t) => {
  const dir = await DataDir.make(t);
  await dir.store(pairOf(1, 2), ['a']);
  const full = temporaryPath(t);
  mkdirSync(full);
  writeFileSync(join(full, 'letter'), '');
  const empty = temporaryPath(t);
  mkdirSync(empty);
  const below = join(full, 'letter', 'copy');
  for (const args of [
    [],
    ['--data', dir.path],
    ['--data', dir.path, '--to', full],
    ['--data', dir.path, '--to', dir.path],
    ['--data', dir.path, '--to', below],
    ['--data', full, '--to', empty],
  ]) {
    const { code, stdout, stderr } = await spawnMain(['backup', ...args]).exit;
    assert.match(stderr, /^encke: [^\n]+\n$/);
    assert.deepEqual([code, stdout], [2, ''], stderr);
  }
  assert.deepEqual([readdirSync(full), readdirSync(empty)], [['letter'], []]);
  assert.equal((await spawnMain(['backup', '--data', dir.path, '--to', empty]).exit).code, 0);
});

test('a copy that was not finished is not taken for a whole one', async (t) => {
  const dir = await DataDir.make(t);
  const engine = dir.engine();
  for (const name of ['a', 'b', 'c']) await sayOn(engine, pairOf(1, 2), [name]);
  await engine.close();
  const [segment] = listSegments(dir.path);
  const bytes = Buffer.alloc(1, 0xff);
  writeFileSync(segment!.path, bytes, { flag: 'r+' }); // the head
  const copy = temporaryPath(t);
  const failed = await spawnMain(['backup', '--data', dir.path, '--to', copy]).exit;
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^encke: [^\n]+000-\d+\.log is damaged: the head of the segment [^\n]+\n$/);
  assert.ok(!existsSync(join(copy, 'FORMAT')));
  const ports = ['--tcp-port', '0', '--http-port', '0', '--admin-port', '0'];
  const served = await spawnMain([...ports, '--data', copy]).exit;
  assert.equal(served.code, 1);
  assert.match(served.stderr, /is no Encke data directory: it has no file FORMAT\n$/);
  rmSync(copy, { recursive: true });
});
