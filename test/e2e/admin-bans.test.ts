import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backup } from '../../src/store/disk/backup.ts';
import type { Server } from '../../src/server.ts';
import { adminRequest } from '../support/admin.ts';
import { cometKinds, connectMessaging, connectTcp } from '../support/clients.ts';
import { onWorkers, Wire, within, type Bench } from '../support/comet.ts';
import { temporaryDir } from '../support/disk.ts';
import { getRequest, rawHttp, statusOf, until, upgradeRequest } from '../support/messaging.ts';
import { startTestServer } from '../support/server.ts';

type Admin = Pick<Bench, 'adminAddress'>;

async function ban(
  admin: Admin,
  user: number | string,
  body: unknown = {},
): Promise<Record<string, unknown>> {
  const path = `/v1/users/${encodeURIComponent(user)}/ban`;
  const answer = await adminRequest(admin.adminAddress, 'PUT', path, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as Record<string, unknown>;
}

const lift = async (admin: Admin, user: number | string): Promise<number> =>
  (await adminRequest(admin.adminAddress, 'DELETE', `/v1/users/${user}/ban`)).status;

/** How op 7 of a banned mid is answered, in each encoding. */
async function refused(server: Pick<Server, 'tcpAddress' | 'httpAddress'>, mid: number): Promise<void> {
  for (const kind of cometKinds) {
    const wire = await Wire.open(kind, server);
    wire.auth(mid, 7);
    assert.deepEqual(await wire.reply(8, 7), { ret: -1, error: 'banned' });
    assert.deepEqual(await wire.closed, { code: 4403, reason: 'spam' });
  }
}

onWorkers('bans', (bench) => {
  test('a ban closes every connection of the user, and lets none in, until it is lifted', async () => {
    const mid = bench.mid();
    const wires = await Promise.all(cometKinds.map((kind) => bench.connect(kind, mid)));
    const client = await connectMessaging(bench, mid);
    const bystander = await bench.connect('tcp');
    await until(async () => {
      const { body } = await adminRequest(bench.adminAddress, 'GET', `/v1/users/${mid}`);
      return (body as { connections: unknown[] }).connections.length === 4;
    }, 'online');
    const { closed, until: end, reason } = await ban(bench, mid, { reason: 'spam' });
    assert.deepEqual([closed, end, reason], [4, null, 'spam']);
    for (const wire of wires) assert.deepEqual(await wire.closed, { code: 4403, reason: 'spam' });
    assert.deepEqual(await within(client.closed, 'close'), { code: 4403, reason: 'spam' });
    await refused(bench, mid);
    const path = `/messaging?client_id=${mid}`;
    assert.equal(statusOf(await rawHttp(bench.httpAddress, upgradeRequest(path))), 403);
    assert.equal(statusOf(await rawHttp(bench.httpAddress, getRequest(path))), 426); // no upgrade: nobody asked
    await bystander.beat();
    assert.equal(await lift(bench, mid), 204);
    const back = await bench.connect('tcp', mid);
    await Promise.all([back.end(), bystander.end()]);
  });

  test('connections that come while their user is banned are closed, or never opened', async () => {
    const mid = bench.mid();
    const coming = Array.from({ length: 30 }, async () => {
      const wire = await Wire.open('tcp', bench);
      wire.auth(mid, 1);
      return wire.closed;
    });
    await ban(bench, mid);
    for (const closed of await Promise.all(coming)) assert.equal(closed.code, 4403);
    const { body } = await adminRequest(bench.adminAddress, 'GET', `/v1/users/${mid}`);
    assert.deepEqual((body as { connections: unknown[] }).connections, []);
  });

  test('a ban ends by itself', async () => {
    const name = bench.ids.name();
    await ban(bench, name, { seconds: 1 });
    const path = `/messaging?client_id=${name}`;
    assert.equal(statusOf(await rawHttp(bench.httpAddress, upgradeRequest(path))), 403);
    await until(
      () =>
        connectMessaging(bench, name).then(
          (client) => client.close().then(() => true),
          () => false,
        ),
      'end',
    );
  });
});

test('a ban is there after a restart, and in a backup', async (t) => {
  const data = `${temporaryDir(t)}/data`;
  const copy = `${temporaryDir(t)}/copy`;
  const options = { store: 'disk', data, workers: 2 } as const;
  const first = await startTestServer(options);
  await ban(first, 31, { reason: 'spam' });
  await ban(first, 32);
  assert.equal(await lift(first, 32), 204);
  await backup(data, copy);
  await first.close();
  for (const dir of [data, copy]) {
    const server = await startTestServer({ ...options, data: dir });
    t.after(() => server.close());
    await refused(server, 31);
    await (await connectTcp(server, 32)).close();
    await server.close();
  }
});

test('nobody is let in as the system, whatever the authenticator says', async (t) => {
  const server = await startTestServer({
    authenticator: { authenticate: async () => ({ ok: true, user: '0' }) },
  });
  t.after(() => server.close());
  const wire = await Wire.open('tcp', server);
  wire.auth(5, 1);
  assert.deepEqual(await wire.reply(8, 1), { ret: -1, error: 'not_authenticated' });
  assert.equal(statusOf(await rawHttp(server.httpAddress, upgradeRequest('/messaging?client_id=5'))), 401);
});
