import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Server } from '../../src/server.ts';
import { within } from '../support/comet.ts';
import { GoimConnection, goimPush, goimRequest } from '../support/goim.ts';
import { Ids } from '../support/ids.ts';
import { startTestServer } from '../support/server.ts';
import { killShard, untilReady } from '../support/shards.ts';

const workers = 4;
const ids = new Ids(workers);
let server: Server;
before(async () => void (server = await startTestServer({ workers })));
after(() => server.close());

const get = async (path: string): Promise<unknown> => {
  const { status, text } = await goimRequest(server, 'GET', `/goim/${path}`);
  assert.equal(status, 200);
  const { code, message, data } = JSON.parse(text) as { code: number; message: string; data: unknown };
  assert.deepEqual([code, message], [0, '']);
  return data;
};

/** Asks until the answer is this one: shards tell each other within a second. */
async function untilSays(path: string, expected: unknown): Promise<void> {
  const ask = async (): Promise<void> => {
    while (JSON.stringify(await get(path)) !== JSON.stringify(expected));
  };
  await within(ask(), `${path} says ${JSON.stringify(expected)}`);
}

/** One client on each shard, all in this room, TCP and WebSocket by turns. */
const inRoom = (room: string, accepts: number[] = [1]): Promise<GoimConnection[]> =>
  Promise.all(
    Array.from({ length: workers }, (_, shard) =>
      GoimConnection.connect(shard % 2 === 0 ? 'tcp' : 'ws', server, {
        mid: ids.mid(shard),
        key: `${room} ${shard}`,
        room_id: room,
        accepts,
      }),
    ),
  );

const close = (clients: readonly GoimConnection[]): void => {
  for (const client of clients) client.close();
};

test('A push reaches its clients on every shard, each once, in the order in which it was asked for.', async () => {
  const clients = await inRoom('order://1');
  const keys = clients.map((_, shard) => `keys=${encodeURIComponent(`order://1 ${shard}`)}`).join('&');
  for (let i = 0; i < 20; i++) await goimPush(server, `room?operation=1&type=order&room=1`, `room ${i}`);
  await goimPush(server, `keys?operation=1&${keys}&${keys}`, 'keys');
  await goimPush(server, 'all?operation=1', 'all');
  for (const client of clients) {
    for (let i = 0; i < 20; i++) assert.equal(await client.push(), `1 room ${i}`);
    assert.deepEqual([await client.push(), await client.push()], ['1 keys', '1 all']);
    client.frame(2, 1);
    assert.equal((await client.reply()).op, 3);
  }
  close(clients);
});

test('The count of op 3 and the counts of the push API are those of all shards together.', async () => {
  const clients = await inRoom('count://1');
  const [first, second] = clients as [GoimConnection, GoimConnection];
  await first.untilOnline(workers);
  assert.deepEqual(await get('online/room?type=count&rooms=1&rooms=none'), { '1': workers, none: 0 });
  second.frame(12, 1, 'count://2');
  assert.equal((await second.reply()).op, 13);
  await first.untilOnline(workers - 1);
  assert.equal(await second.online(), 1);
  await untilSays('online/top?type=count&limit=10', [
    { room_id: '1', count: workers - 1 },
    { room_id: '2', count: 1 },
  ]);
  assert.deepEqual(await get('online/top?type=count&limit=1'), [{ room_id: '1', count: workers - 1 }]);
  assert.deepEqual(await get('online/top?type=coun&limit=1'), []);
  assert.deepEqual(await get('online/total'), { conn_count: server.connections, ip_count: 1 });
  close(clients.slice(2));
  await first.untilOnline(1);
  close([first, second]);
  await untilSays('online/top?type=count&limit=10', []);
});

test('When a shard dies its clients are told, the others go on, and nobody counts them any more.', async () => {
  const clients = await inRoom('death://1');
  const [first] = clients as [GoimConnection];
  await first.untilOnline(workers);
  await killShard(server, workers - 1);
  assert.equal(await clients[workers - 1]!.closed, 1012); // a WebSocket
  await first.untilOnline(workers - 1);
  await untilReady(server);
  // The new thread is told who is in the room, and tells who came to it.
  const again = await GoimConnection.connect('tcp', server, {
    mid: ids.mid(workers - 1),
    room_id: 'death://1',
    accepts: [1],
  });
  await again.untilOnline(workers);
  await first.untilOnline(workers);
  await goimPush(server, 'room?operation=1&type=death&room=1', 'everybody');
  for (const client of [...clients.slice(0, -1), again]) assert.equal(await client.push(), '1 everybody');
  close([...clients, again]);
});

test('push/all with a speed reaches everybody who was there, a few at a time.', async () => {
  const clients = (await Promise.all([inRoom('pace://1', [9]), inRoom('pace://2', [9])])).flat();
  await goimPush(server, 'all?operation=9&speed=40', 'slowly');
  for (const client of clients) assert.equal(await client.push(), '9 slowly');
  for (const client of clients) {
    client.frame(2, 1);
    assert.equal((await client.reply()).op, 3); // once
  }
  close(clients);
});
