import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminRequest, putGroup } from '../support/admin.ts';
import { connectMessaging } from '../support/clients.ts';
import { leave, onWorkers, within, type Bench } from '../support/comet.ts';
import { until } from '../support/messaging.ts';

interface Connection {
  readonly connection: number;
  readonly user: number | string;
  readonly device: string | null;
  readonly connectedAt: string;
  readonly [name: string]: unknown;
}

interface Page {
  readonly connections: readonly Connection[];
  readonly next: number | null;
  readonly missingShards: readonly number[];
}

async function get<T>(bench: Pick<Bench, 'adminAddress'>, path: string): Promise<T> {
  const { status, body } = await adminRequest(bench.adminAddress, 'GET', path);
  assert.equal(status, 200, JSON.stringify(body));
  return body as T;
}

const kick = async (bench: Bench, user: number | string, body: unknown): Promise<unknown> => {
  const path = `/v1/users/${encodeURIComponent(user)}/kick`;
  return (await adminRequest(bench.adminAddress, 'POST', path, body)).body;
};

onWorkers('who is online', (bench) => {
  test('a user is seen with every connection: device, protocol, encoding, from where and since when', async () => {
    const mid = bench.mid();
    const before = Date.now();
    const tcp = await bench.connect('tcp', mid);
    const phone = await bench.connect('ws-json', mid, 'phone');
    const binary = await bench.connect('ws-binary', mid);
    const messaging = await connectMessaging(bench, mid);
    // Its upgrade is answered before its user has it.
    await until(async () => (await get<Page>(bench, `/v1/users/${mid}`)).connections.length === 4, 'online');
    const { connections } = await get<Page>(bench, `/v1/users/${mid}`);
    const seen = connections.map(({ connection, connectedAt, ...rest }) => {
      assert.ok(connection > 0);
      assert.ok(Date.parse(connectedAt) >= before && Date.parse(connectedAt) <= Date.now());
      return rest;
    });
    const all = { user: mid, address: '127.0.0.1', slow: false };
    assert.deepEqual(seen, [
      { ...all, device: null, protocol: 'comet', encoding: 'binary', transport: 'tcp' },
      { ...all, device: 'phone', protocol: 'comet', encoding: 'json', transport: 'websocket' },
      { ...all, device: null, protocol: 'comet', encoding: 'binary', transport: 'websocket' },
      { ...all, device: '', protocol: 'messaging', encoding: 'json', transport: 'websocket' },
    ]);
    await Promise.all([messaging.close(), binary.end(), phone.end()]);
    await leave(bench, tcp);
    await until(async () => !(await get<{ online: boolean }>(bench, `/v1/users/${mid}`)).online, 'offline');
  });

  test('pages have every connection once, and the totals count them', async () => {
    const wires = await Promise.all(Array.from({ length: 7 }, (_, i) => bench.connect('tcp', bench.mid(i))));
    const name = bench.ids.name();
    const client = await connectMessaging(bench, name);
    await until(async () => (await get<Page>(bench, `/v1/users/${name}`)).connections.length === 1, 'online');
    const found: Connection[] = [];
    for (let after: number | null = 0; after !== null;) {
      const page: Page = await get(bench, `/v1/connections?limit=3&after=${after}`);
      assert.ok(page.connections.length <= 3);
      assert.deepEqual(page.missingShards, []);
      found.push(...page.connections);
      after = page.next;
    }
    const users = found.map(({ user }) => user);
    assert.deepEqual(new Set(users), new Set([...wires.map(({ mid }) => mid), name]));
    assert.equal(users.length, 8);
    assert.deepEqual(await get(bench, '/v1/online'), {
      users: 8,
      connections: 8,
      tcp: 7,
      webSocket: 1,
      comet: 7,
      messaging: 1,
      slow: 0,
      missingShards: [],
    });
    await client.close();
    for (const wire of wires) await leave(bench, wire);
    await until(async () => (await get<{ users: number }>(bench, '/v1/online')).users === 0, 'nobody');
  });

  test('of a group its members are seen, each on every shard', async () => {
    const gid = bench.mid();
    const mids = Array.from({ length: 4 }, (_, i) => bench.mid(i));
    await putGroup(bench, gid, [...mids, bench.mid()]);
    const stranger = await bench.connect('tcp');
    const wires = await Promise.all([...mids, mids[0]!].map((mid) => bench.connect('ws-json', mid)));
    const first: Page & { online: unknown; members: number } = await get(
      bench,
      `/v1/groups/${gid}/online?limit=4`,
    );
    assert.deepEqual([first.members, first.online], [5, { users: 4, connections: 5 }]);
    const second: Page = await get(bench, `/v1/groups/${gid}/online?limit=4&after=${first.next}`);
    const users = [...first.connections, ...second.connections].map(({ user }) => Number(user));
    assert.deepEqual(
      users.toSorted((a, b) => a - b),
      [...mids, mids[0]!].toSorted((a, b) => a - b),
    );
    await Promise.all([stranger, ...wires].map((wire) => wire.end()));
  });

  test('a kick closes what it names, says why, and leaves the others', async () => {
    const mid = bench.mid();
    const tcp = await bench.connect('tcp', mid);
    const phone = await bench.connect('ws-json', mid, 'phone');
    const other = await bench.connect('ws-binary', mid);
    assert.deepEqual(await kick(bench, mid, { device: 'tablet' }), { user: mid, closed: 0 });
    assert.deepEqual(await kick(bench, mid, { device: 'phone', code: 4777, reason: 'lost phone' }), {
      user: mid,
      closed: 1,
    });
    assert.deepEqual(await phone.closed, { code: 4777, reason: 'lost phone' });
    const { connections } = await get<Page>(bench, `/v1/users/${mid}`);
    const { connection } = connections.find(({ transport }) => transport === 'websocket')!;
    assert.deepEqual(await kick(bench, mid, { connection }), { user: mid, closed: 1 });
    assert.deepEqual(await other.closed, { code: 4410, reason: 'ended by the operator' });
    await tcp.beat();
    assert.deepEqual(await kick(bench, mid, {}), { user: mid, closed: 1 });
    assert.deepEqual(await tcp.closed, { code: 4410, reason: 'ended by the operator' });
    assert.deepEqual(await kick(bench, mid, {}), { user: mid, closed: 0 });
    const name = bench.ids.name();
    const client = await connectMessaging(bench, name);
    await until(async () => JSON.stringify(await kick(bench, name, {})).includes('"closed":1'), 'kick');
    assert.deepEqual(await within(client.closed, 'close'), { code: 4410, reason: 'ended by the operator' });
  });
});
