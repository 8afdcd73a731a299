import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnckeError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { refusalOf, startAdmin } from '../support/admin-rig.ts';

type Body = Record<string, unknown>;

test('a page has what comes behind a number, and says where the next one begins', async (t) => {
  const { call, presence } = await startAdmin(t);
  for (let number = 1; number <= 5; number++) presence.add(number, number * 10);
  const numbers = async (query: string): Promise<unknown> => {
    const { body } = await call('GET', `/v1/connections${query}`);
    const { connections, next, missingShards } = body as { connections: Body[]; next: unknown } & Body;
    assert.deepEqual(missingShards, []);
    return [connections.map(({ connection }) => connection), next];
  };
  assert.deepEqual(await numbers('?limit=2'), [[1, 2], 2]);
  assert.deepEqual(await numbers('?limit=2&after=2'), [[3, 4], 4]);
  assert.deepEqual(await numbers('?limit=2&after=4'), [[5], null]);
  assert.deepEqual(await numbers(''), [[1, 2, 3, 4, 5], null]);
  assert.deepEqual(await numbers('?after=5'), [[], null]);
});

test('a query of another shape is refused', async (t) => {
  const { call } = await startAdmin(t);
  const queries = [
    'limit=0',
    `limit=${limits.adminPageMax + 1}`,
    'limit=x',
    'limit=1.5',
    'limit=1e2',
    'limit=',
    'after=-1',
  ];
  for (const query of [...queries, 'after=01', 'other=1', 'limit=1&limit=2']) {
    assert.deepEqual(refusalOf(await call('GET', `/v1/connections?${query}`)), [400, 'bad_request'], query);
  }
  assert.equal((await call('GET', `/v1/connections?limit=${limits.adminPageMax}`)).status, 200);
  assert.deepEqual(refusalOf(await call('GET', '/v1/online?x=1')), [400, 'bad_request']);
});

test('a user is named as everywhere: a mid by its digits, a string client by its name', async (t) => {
  const { call, presence } = await startAdmin(t);
  presence.add(1, 21);
  presence.add(2, 'a/b c');
  presence.add(3, '021');
  for (const [path, user, number] of [
    ['21', 21, 1],
    ['a%2Fb%20c', 'a/b c', 2],
    ['021', '021', 3],
  ] as const) {
    const { body } = await call('GET', `/v1/users/${path}`);
    const { connections, ...rest } = body as { connections: Body[] };
    assert.deepEqual(rest, { user, online: true, ban: null });
    assert.deepEqual([connections.length, connections[0]?.['connection']], [1, number]);
    assert.equal(connections[0]?.['connectedAt'], '2023-11-14T22:13:20.000Z');
  }
  const { body } = await call('GET', '/v1/users/22');
  assert.deepEqual(body, { user: 22, online: false, ban: null, connections: [] });
  for (const path of ['0', 'x'.repeat(129)]) {
    assert.deepEqual(refusalOf(await call('GET', `/v1/users/${path}`)), [400, 'bad_request'], path);
  }
});

test('what a shard that does not answer has is missing, and said to be', async (t) => {
  const { call, presence } = await startAdmin(t);
  presence.missingShards = [1];
  for (const path of ['/v1/online', '/v1/connections', '/v1/groups/7/online']) {
    const { status, body } = await call('GET', path);
    assert.deepEqual([status, (body as Body)['missingShards']], [200, [1]], path);
  }
  presence.failure = new EnckeError('unavailable');
  assert.deepEqual(refusalOf(await call('GET', '/v1/users/1')), [503, 'unavailable']);
});

test('a kick says what it closes, with which code and reason', async (t) => {
  const { call, presence, logged } = await startAdmin(t);
  presence.add(1, 21);
  const kick = (body: unknown, user = '21'): ReturnType<typeof call> =>
    call('POST', `/v1/users/${user}/kick`, body);
  assert.deepEqual((await kick({})).body, { user: 21, closed: 1 });
  assert.deepEqual((await kick({ device: 'phone', code: 4999, reason: 'bye' })).body, {
    user: 21,
    closed: 1,
  });
  assert.deepEqual((await kick({ connection: 8, reason: 'é'.repeat(61) }, '22')).body, {
    user: 22,
    closed: 0,
  });
  assert.deepEqual(presence.kicks, [
    { user: 21, code: 4410, reason: 'ended by the operator' },
    { user: 21, code: 4999, reason: 'bye', device: 'phone' },
    { user: 22, code: 4410, reason: 'é'.repeat(61), connection: 8 },
  ]);
  assert.match(logged(), /"closed":1/);
  const bad = [null, [], { code: 1000 }, { code: 2999 }, { code: 5000 }, { code: '4000' }, { reason: 1 }];
  for (const body of [...bad, { reason: 'é'.repeat(62) }, { connection: 0 }, { device: 1 }, { other: 1 }]) {
    assert.deepEqual(refusalOf(await kick(body)), [400, 'bad_request'], JSON.stringify(body));
  }
  assert.equal(presence.kicks.length, 3);
});

test('a group that is not there has nobody online', async (t) => {
  const { call } = await startAdmin(t);
  assert.deepEqual(refusalOf(await call('GET', '/v1/groups/8/online')), [404, 'no_such_group']);
  const { body } = await call('GET', '/v1/groups/7/online');
  assert.deepEqual(body, {
    gid: 7,
    members: 5,
    online: { users: 0, connections: 0 },
    connections: [],
    next: null,
    missingShards: [],
  });
});
