/** What is stored costs disk space, once; neither memory nor time at the start grow with it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { putGroup } from '../support/admin.ts';
import { connectTcp } from '../support/clients.ts';
import { temporaryDir } from '../support/disk.ts';
import { dirBytes, fillDir, megabytes, ownBytes, takeBacklog } from '../support/filled.ts';
import { spawnDiskServer, type SpawnedServer } from '../support/server.ts';

/** Generous: other programs run on this machine as well. */
const START_MS_MAX = 15_000;
/** Garbage that was not collected, by which one start may differ from another. */
const NOISE_BYTES = 24 * 1_048_576;

/** A backlog of 50,000 is twice as much as feeding it may take. What it takes is not collected at once. */
const TEXT_BYTES = 5_000;
const FEED_BYTES_MAX = 128 * 1_048_576;

async function start(t: TestContext, dir: string): Promise<SpawnedServer> {
  const server = await spawnDiskServer(dir, ['--log-level', 'fatal']);
  t.after(() => void server.child.kill('SIGKILL'));
  return server;
}

test('A group of 10,000 members who are away costs its messages once.', async (t) => {
  const dir = join(temporaryDir(t), 'data');
  const [gid, sender, messages, members] = [9_000_001, 1, 1_000, 10_000];
  const first = await start(t, dir);
  await putGroup(
    first,
    gid,
    Array.from({ length: members }, (_, i) => i + 1),
  );
  assert.equal((await first.stop()).code, 0);
  const before = dirBytes(dir);
  const server = await start(t, dir);
  const client = await connectTcp(server, sender);
  const text = 'x'.repeat(100);
  const numbers = await Promise.all(Array.from({ length: messages }, () => client.sendToGroup(gid, text)));
  assert.equal(numbers.at(-1), messages);
  assert.equal((await server.stop()).code, 0);
  const grown = dirBytes(dir) - before;
  t.diagnostic(`${messages} messages of ${text.length} bytes to ${members} members: ${grown} bytes of disk`);
  assert.ok(grown < 4 * messages * text.length, `${grown} bytes`);
});

test('A start with 100,000 stored messages is quick and takes no more memory than one with none.', async (t) => {
  const [empty, full] = [join(temporaryDir(t), 'data'), join(temporaryDir(t), 'data')];
  const [pairs, each] = [1_000, 100];
  await fillDir(full, pairs, each);
  const none = await start(t, empty);
  const emptyBytes = ownBytes(none);
  assert.equal((await none.stop()).code, 0);
  const begin = Date.now();
  const server = await start(t, full);
  const tookMs = Date.now() - begin;
  const fullBytes = ownBytes(server);
  t.diagnostic(
    `ready in ${tookMs} ms with ${megabytes(fullBytes)}, with nothing stored ${megabytes(emptyBytes)}`,
  );
  assert.ok(tookMs < START_MS_MAX, `${tookMs} ms`);
  assert.ok(fullBytes - emptyBytes < NOISE_BYTES, `${fullBytes - emptyBytes} bytes more`);
  for (const mid of [2, 500, pairs + 1]) {
    const client = await connectTcp(server, mid);
    const { messages } = await takeBacklog(server, client, each, each, async () => {});
    assert.equal(messages, each);
    await client.close();
  }
  assert.equal((await server.stop()).code, 0);
});

test('A backlog of 50,000 messages is fed at the pace of a slow client, in order, in bounded memory.', async (t) => {
  const dir = join(temporaryDir(t), 'data');
  const messages = 50_000;
  await fillDir(dir, 1, messages, TEXT_BYTES);
  const server = await start(t, dir);
  const before = ownBytes(server);
  const client = await connectTcp(server, 2);
  const { ownBytesMax } = await takeBacklog(server, client, messages, 5_000, () => pause(20));
  const growth = ownBytesMax - before;
  t.diagnostic(
    `${megabytes(messages * TEXT_BYTES)} were fed: from ${megabytes(before)} to ${megabytes(ownBytesMax)}`,
  );
  if (before > 0) assert.ok(growth < FEED_BYTES_MAX, `${growth} bytes more`);
  const sender = await connectTcp(server, 1);
  assert.equal(await sender.send(2, 'live'), messages + 1);
  assert.equal((await client.nextMessage()).chatId, messages + 1);
  assert.equal((await server.stop()).code, 0);
});
