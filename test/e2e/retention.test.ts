import assert from 'node:assert/strict';
import { test } from 'node:test';
import { putGroup } from '../support/admin.ts';
import { connectComet, cometKinds, connectMessaging, connectTcp } from '../support/clients.ts';
import { temporaryPath } from '../support/data-dirs.ts';
import { spawnServer, type SpawnedServer } from '../support/server.ts';

const KEPT = 5;
const swept = 'old messages were removed';
const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `m${from + i}`);

/** Twelve messages from mid 1 to each kind's mid and to group 7, and from ann to bob. */
async function fill(server: SpawnedServer): Promise<void> {
  await putGroup(server, 7, [1, 2, 3, 4, 5]);
  const sender = await connectTcp(server, 1);
  for (const text of names(1, 12)) {
    for (const to of [2, 3, 4]) await sender.send(to, text);
    await sender.sendToGroup(7, `group ${text}`);
  }
  await sender.close();
  const ann = await connectMessaging(server, 'ann');
  const bob = await connectMessaging(server, 'bob');
  for (const text of names(1, 12)) {
    ann.send('bob', { text });
    await bob.nextMessage(); // not read
  }
  await Promise.all([ann.close(), bob.close()]);
}

async function fillAndStop(server: SpawnedServer): Promise<void> {
  try {
    await fill(server);
  } finally {
    await server.stop();
  }
}

test('who was away longer than messages are kept gets what is left, and live traffic goes on', async (t) => {
  const data = temporaryPath(t);
  const disk = ['--store', 'disk', '--data', data];
  const first = await spawnServer([...disk, '--workers', '2']);
  await fillAndStop(first);

  const second = await spawnServer([...disk, '--workers', '3', '--retention-messages', String(KEPT)]);
  try {
    await second.logged(swept);
    const sender = await connectTcp(second, 1);
    for (const [i, kind] of cometKinds.entries()) {
      const mid = 2 + i;
      const client = await connectComet(kind, second, mid);
      const left = await client.nextMessages(KEPT * 2);
      const pair = left.filter(({ group }) => !group);
      assert.deepEqual(
        pair.map(({ text }) => text),
        names(8, 12),
      );
      assert.deepEqual(
        pair.map(({ chatId }) => chatId),
        [8, 9, 10, 11, 12],
      );
      const group = left.filter(({ group: isGroup }) => isGroup).map(({ text }) => text);
      assert.deepEqual(
        group,
        names(8, 12).map((name) => `group ${name}`),
      );
      for (const of of [{ with: 1 }, { group: 7 }]) {
        const { messages, last, more } = await client.history(of);
        assert.deepEqual([messages.map(({ chatId }) => chatId), last, more], [[8, 9, 10, 11, 12], 12, false]);
        const newest = await client.history(of, { order: 'newest', limit: 10 });
        assert.deepEqual(
          newest.messages.map(({ chatId }) => chatId),
          [12, 11, 10, 9, 8],
        );
      }
      assert.equal(await sender.send(mid, 'live'), 13);
      assert.equal((await client.nextMessage()).text, 'live');
      await client.close();
    }
    const bob = await connectMessaging(second, 'bob');
    const unread = await bob.nextMessages(KEPT);
    assert.deepEqual(
      unread.map(({ text }) => text),
      names(8, 12),
    );
    for (const { id } of unread) bob.read({ id });
    const ann = await connectMessaging(second, 'ann');
    ann.send('bob', { text: 'live' });
    assert.equal((await bob.nextMessage())['text'], 'live');
    await Promise.all([sender.close(), bob.close(), ann.close()]);
  } finally {
    await second.stop();
  }

  // What was removed stays so, whatever is kept from now on and however many workers there are.
  const third = await spawnServer([...disk, '--workers', '1']);
  try {
    const client = await connectTcp(third, 5);
    const left = await client.nextMessages(KEPT);
    assert.deepEqual(
      left.map(({ chatId }) => chatId),
      [8, 9, 10, 11, 12],
    );
    const bob = await connectMessaging(third, 'bob');
    assert.equal((await bob.nextMessage())['text'], 'live'); // the others were read
    await Promise.all([client.close(), bob.close()]);
  } finally {
    await third.stop();
  }
});

test('numbers go on after all messages became too old', async (t) => {
  const disk = ['--store', 'disk', '--data', temporaryPath(t)];
  const first = await spawnServer(disk);
  await fillAndStop(first);
  const second = await spawnServer([...disk, '--retention-days', '0.00000001']);
  try {
    await second.logged(swept);
    const [sender, client] = [await connectTcp(second, 1), await connectTcp(second, 2)];
    assert.equal(await sender.send(2, 'next'), 13);
    assert.equal(await sender.sendToGroup(7, 'next'), 13);
    assert.deepEqual(
      (await client.nextMessages(2)).map(({ chatId, text }) => [chatId, text]),
      [
        [13, 'next'],
        [13, 'next'],
      ],
    );
    await Promise.all([sender.close(), client.close()]);
  } finally {
    await second.stop();
  }
});
