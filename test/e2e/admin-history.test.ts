import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVersion } from '../../src/version.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { connectMessaging } from '../support/clients.ts';
import { onStores, range } from '../support/comet.ts';

interface Page {
  readonly last: number;
  readonly more: boolean;
  readonly messages: readonly { chatId: number; from: unknown; to?: unknown; msg: unknown; time: string }[];
}

onStores('history and figures of the admin port', (bench) => {
  const get = async <T = Page>(path: string): Promise<T> => {
    const { status, body } = await adminRequest(bench.adminAddress, 'GET', path);
    assert.equal(status, 200, JSON.stringify(body));
    return body as T;
  };
  const numbers = ({ messages }: Page): number[] => messages.map(({ chatId }) => chatId);

  test('a pair is read from either side, in pages, in both directions', async () => {
    const [one, other] = [bench.mid(), bench.mid()];
    const before = Date.now();
    const wire = await bench.connect('ws-json', one);
    for (const chatId of range(1, 7)) assert.equal(await wire.say(other, `m${chatId}`), chatId);
    for (const [user, peer] of [
      [one, other],
      [other, one],
    ] as const) {
      const path = `/v1/users/${user}/messages?with=${peer}&limit=3`;
      const first = await get(path);
      assert.deepEqual([numbers(first), first.more, first.last], [[1, 2, 3], true, 7]);
      const [message] = first.messages;
      assert.deepEqual([message?.from, message?.to, message?.msg], [one, other, 'm1']);
      assert.ok(Date.parse(message!.time) >= before && Date.parse(message!.time) <= Date.now());
      assert.deepEqual(numbers(await get(`${path}&after=6`)), [7]);
      const newest = await get(`${path}&order=newest`);
      assert.deepEqual([numbers(newest), newest.more], [[7, 6, 5], true]);
      assert.deepEqual(numbers(await get(`${path}&order=newest&before=3`)), [2, 1]);
    }
    assert.deepEqual(await get(`/v1/users/${one}/messages?with=${one}`), {
      last: 0,
      more: false,
      messages: [],
    });
    await wire.end();
  });

  test('a group is read from its beginning, also when it was removed', async () => {
    const [gid, mid, late] = [bench.mid(), bench.mid(), bench.mid()];
    await putGroup(bench, gid, [mid]);
    const wire = await bench.connect('tcp', mid);
    assert.equal(await wire.say(gid, 'one', 20), 1);
    await putGroup(bench, gid, [mid, late]);
    assert.deepEqual(numbers(await get(`/v1/groups/${gid}/messages`)), [1]);
    await adminRequest(bench.adminAddress, 'DELETE', `/v1/groups/${gid}`);
    const { messages } = await get(`/v1/groups/${gid}/messages`);
    assert.deepEqual([messages[0]?.from, messages[0]?.msg], [mid, 'one']);
    assert.equal((await get(`/v1/groups/${bench.mid()}/messages`)).last, 0);
    await wire.end();
  });

  test('string clients and the system are named', async () => {
    const [name, mid] = [bench.ids.name(), bench.mid()];
    const client = await connectMessaging(bench, name, { ack: true });
    const accepted = new Promise((resolve) => client.once('accepted', resolve));
    const id = client.send(mid, { text: 'hi' });
    await accepted;
    const { messages } = await get(`/v1/users/${mid}/messages?with=${name}`);
    assert.deepEqual(
      [messages[0]?.from, messages[0]?.to, messages[0]?.msg],
      [name, mid, { id, sid: name, rid: mid, text: 'hi' }],
    );
    await adminRequest(bench.adminAddress, 'POST', '/v1/messages', { to: { users: [mid] }, msg: 'news' });
    const system = await get(`/v1/users/${mid}/messages?with=0`);
    assert.deepEqual([system.messages[0]?.from, system.messages[0]?.msg], [0, 'news']);
    await client.close();
  });

  test('figures count what there is', async () => {
    const wire = await bench.connect('tcp');
    await bench.open('tcp'); // a socket that has not said who it is
    interface Stats {
      readonly version: string;
      readonly uptimeSeconds: number;
      readonly workers: number;
      readonly sockets: number;
      readonly store: { readonly kind: string; readonly bytes: number };
      readonly shards: readonly Record<string, number>[];
      readonly missingShards: readonly number[];
    }
    const stats = await get<Stats>('/v1/stats');
    assert.deepEqual([stats.version, stats.workers, stats.missingShards], [readVersion(), bench.workers, []]);
    assert.ok(stats.uptimeSeconds > 0 && stats.sockets >= 2 && stats.store.bytes > 0);
    assert.deepEqual(
      stats.shards.map(({ shard }) => shard),
      range(0, bench.workers - 1),
    );
    const online = stats.shards.reduce((sum, { connections = 0 }) => sum + connections, 0);
    assert.ok(online >= 1 && online < stats.sockets, `${online} of ${stats.sockets}`);
    assert.ok(stats.shards.some(({ usersInMemory = 0 }) => usersInMemory > 0));
    await wire.end();
  });
});
