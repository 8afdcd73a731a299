import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { GoimConnection, goimKinds, goimPush } from '../support/goim.ts';
import { spawnServer, type SpawnedServer } from '../support/server.ts';

const MIB = 1_048_576;
let server: SpawnedServer;
before(async () => void (server = await spawnServer(['--workers', '2', '--log-level', 'warn'])));
after(() => server.stop('SIGKILL'));

function residentBytes(): number {
  const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1_024;
}

test('A goim client that does not read misses pushes and costs no memory; others get all, and it goes on when it reads again.', async () => {
  const room_id = 'slow://1';
  const push = (message: string): Promise<void> =>
    goimPush(server, 'room?operation=1&type=slow&room=1', message);
  const slow = await Promise.all(
    [...goimKinds, ...goimKinds].map((kind, i) =>
      GoimConnection.connect(kind, server, { mid: i + 1, room_id }),
    ),
  );
  const quick = await Promise.all(
    goimKinds.map((kind, i) => GoimConnection.connect(kind, server, { mid: i + 11, room_id })),
  );
  for (const client of slow) client.pause();
  const atFirst = residentBytes();
  let most = atFirst;
  const count = 400;
  const padding = 'x'.repeat(100_000); // 40 MB, far over what kernels keep for a socket
  for (let i = 0; i < count; i++) {
    await push(`${i} ${padding}`);
    for (const client of quick) assert.equal(await client.push(), `1 ${i} ${padding}`);
    if (i % 20 === 0) most = Math.max(most, residentBytes());
  }
  const grown = (Math.max(most, residentBytes()) - atFirst) / MIB;
  assert.ok(grown < 100, `the server grew by ${grown.toFixed()} MiB; four queues would be 160`);
  for (const client of slow) {
    client.resume();
    let last = -1;
    let got = 0;
    // What it did not miss comes whole and in order, and the reply of a heartbeat comes behind it.
    client.frame(2, 5);
    for (;;) {
      const next = await client.next();
      if (next === undefined) break;
      const number = Number(/^1 (\d+) x+$/.exec(next)?.[1]);
      assert.ok(number > last && next.length === `1 ${number} ${padding}`.length);
      [last, got] = [number, got + 1];
    }
    assert.ok(got > 0 && got < count, `${got} of ${count} came`);
  }
  await push('now');
  for (const client of [...slow, ...quick]) {
    assert.equal(await client.push(), '1 now');
    client.close();
  }
});
