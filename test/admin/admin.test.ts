import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Status } from '../../src/admin/admin.ts';
import { EnckeError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import type { AdminAnswer } from '../support/admin.ts';
import { refusalOf, startAdmin } from '../support/admin-rig.ts';

test('healthz answers while the process lives, readyz only when it may get traffic', async (t) => {
  let status: Status = 'ready';
  const { call } = await startAdmin(t, { status: () => status });
  for (status of ['starting', 'draining', 'degraded'] as const) {
    const ready = await call('GET', '/readyz');
    assert.deepEqual([ready.status, ready.body], [503, { status }]);
    const healthy = await call('GET', '/healthz');
    assert.deepEqual([healthy.status, healthy.body], [200, { status: 'ok' }]);
  }
  status = 'ready';
  const ready = await call('GET', '/readyz');
  assert.deepEqual([ready.status, ready.body], [200, { status: 'ready' }]);
});

test('a group is created, replaced, changed, read and removed', async (t) => {
  const { call, groups } = await startAdmin(t);
  const path = '/v1/groups/7';
  assert.deepEqual(refusalOf(await call('GET', path)), [404, 'no_such_group']);

  const created = await call('PUT', path, { members: [20, 3] });
  assert.deepEqual([created.status, created.body], [201, { gid: 7, members: 2, lastChatId: 0 }]);
  groups.said(7, 5);
  const replaced = await call('PUT', path, { members: [1, 20, 3] });
  assert.deepEqual([replaced.status, replaced.body], [200, { gid: 7, members: 3, lastChatId: 5 }]);

  const changed = await call('POST', `${path}/members`, { add: [100, 3], remove: [20, 21] });
  assert.deepEqual([changed.status, changed.body], [200, { gid: 7, members: 3, added: 1, removed: 1 }]);

  const read = await call('GET', path);
  assert.deepEqual([read.status, read.body], [200, { gid: 7, members: [1, 3, 100], lastChatId: 5 }]);

  const removed = await call('DELETE', path);
  assert.deepEqual([removed.status, removed.body], [204, undefined]);
  assert.deepEqual(refusalOf(await call('DELETE', path)), [404, 'no_such_group']);
  assert.deepEqual(refusalOf(await call('POST', `${path}/members`, { add: [1] })), [404, 'no_such_group']);
});

test('members that are named twice count once; a group may be empty', async (t) => {
  const { call } = await startAdmin(t);
  assert.deepEqual((await call('PUT', '/v1/groups/1', { members: [5, 5, 6, 5] })).body, {
    gid: 1,
    members: 2,
    lastChatId: 0,
  });
  assert.equal((await call('PUT', '/v1/groups/2147483647', { members: [] })).status, 201);
});

test('a full group fits one call, one more member does not', async (t) => {
  const { call } = await startAdmin(t);
  const members = Array.from({ length: limits.groupMembersMax }, (_, i) => 2_147_483_647 - i);
  assert.equal((await call('PUT', '/v1/groups/1', { members })).status, 201);
  members.push(1);
  assert.deepEqual(refusalOf(await call('PUT', '/v1/groups/1', { members })), [422, 'group_too_large']);
  assert.deepEqual(refusalOf(await call('POST', '/v1/groups/1/members', { add: members })), [
    422,
    'group_too_large',
  ]);
  assert.deepEqual(refusalOf(await call('POST', '/v1/groups/1/members', { add: [1] })), [
    422,
    'group_too_large',
  ]);
});

test('a gid is the decimal form of 1..2147483647', async (t) => {
  const { call, groups } = await startAdmin(t);
  for (const gid of [
    '0',
    '-1',
    '2147483648',
    '99999999999',
    '01',
    '1.0',
    '1e3',
    '%31x',
    'news',
    '+1',
    '%20',
  ]) {
    assert.deepEqual(
      refusalOf(await call('PUT', `/v1/groups/${gid}`, { members: [1] })),
      [400, 'bad_request'],
      gid,
    );
  }
  assert.equal(groups.count, 0);
});

test('a body of another shape is refused and changes nothing', async (t) => {
  const { call, groups } = await startAdmin(t);
  const puts: unknown[] = [
    [1, 2],
    null,
    'members',
    {},
    { members: 1 },
    { members: { 0: 1 } },
    { members: [1], other: 1 },
    ...[0, -1, 2_147_483_648, 1.5, '1', null, true, [1], {}].map((mid) => ({ members: [1, mid] })),
  ];
  for (const body of puts) {
    assert.deepEqual(
      refusalOf(await call('PUT', '/v1/groups/1', body)),
      [400, 'bad_request'],
      JSON.stringify(body),
    );
  }
  const posts: unknown[] = [
    {},
    { members: [1] },
    { add: 1 },
    { add: [0] },
    { remove: ['1'] },
    { add: [1], remove: [1] },
  ];
  await groups.replace(1, [9]);
  for (const body of posts) {
    const answer = await call('POST', '/v1/groups/1/members', body);
    assert.deepEqual(refusalOf(answer), [400, 'bad_request'], JSON.stringify(body));
  }
  assert.deepEqual((await groups.get(1))?.members, [9]);
});

test('a request without JSON is refused', async (t) => {
  const { port, call } = await startAdmin(t);
  const send = async (body: string, type: string): Promise<[number, unknown]> => {
    const response = await fetch(`http://127.0.0.1:${port}/v1/groups/1`, {
      method: 'PUT',
      headers: { 'content-type': type },
      body,
    });
    return refusalOf({ status: response.status, headers: response.headers, body: await response.json() });
  };
  for (const body of ['', '{', '{"members":[1],"__proto__":{}}']) {
    assert.deepEqual(await send(body, 'application/json'), [400, 'bad_request'], body);
  }
  // Types that a page of another origin may send without being asked first.
  for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
    assert.deepEqual(await send('{"members":[1]}', type), [400, 'bad_request']);
  }
  assert.deepEqual(refusalOf(await call('PUT', '/v1/groups/1')), [400, 'bad_request']);
});

test('a body over the limit is too large', async (t) => {
  const { call } = await startAdmin(t);
  const members = 'x'.repeat(limits.adminBodyBytesMax);
  assert.deepEqual(refusalOf(await call('PUT', '/v1/groups/1', { members })), [413, 'too_large']);
});

test('other paths, methods and broken requests are answered in the same form', async (t) => {
  const { call, port } = await startAdmin(t);
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/v1/groups'],
    ['POST', '/healthz'],
    ['PATCH', '/v1/groups/1'],
  ]) {
    assert.deepEqual(refusalOf(await call(method!, path!)), [404, 'not_found'], `${method} ${path}`);
  }
  assert.deepEqual(refusalOf(await call('GET', '/v1/groups/%ff')), [400, 'bad_request']);
  const socket = connect(port, '127.0.0.1').end('nonsense\r\n\r\n');
  assert.match(await readText(socket), /^HTTP\/1\.1 400 .*\{"error":"bad_request","reason":"[^"]+"\}$/s);
});

test('with a token, groups need it and health does not', async (t) => {
  const { call, groups } = await startAdmin(t, { token: 'right' });
  const put = (authorization?: string): Promise<AdminAnswer> =>
    call('PUT', '/v1/groups/1', { members: [1] }, authorization === undefined ? {} : { authorization });
  for (const wrong of [
    undefined,
    'Bearer wrong',
    'Bearer right2',
    'Bearer',
    'Basic right',
    'right',
    'Bearer righ',
  ]) {
    const answer = await put(wrong);
    assert.deepEqual(refusalOf(answer), [401, 'unauthorized'], wrong);
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
  }
  assert.equal(groups.count, 0);
  assert.equal((await put('Bearer right')).status, 201);
  assert.equal((await put('bearer right')).status, 200);
  assert.equal((await call('GET', '/healthz')).status, 200);
  assert.equal((await call('GET', '/readyz')).status, 200);
});

test('without a token, a name that someone made point here is refused', async (t) => {
  const { port } = await startAdmin(t);
  const get = async (host: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    socket.end(`GET /v1/groups/1 HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return (await readText(socket)).slice(9, 12);
  };
  assert.equal(await get('rebound.example.org'), '400');
  assert.equal(await get(`rebound.example.org:${port}`), '400');
  for (const host of ['localhost', `127.0.0.1:${port}`, `[::1]:${port}`])
    assert.equal(await get(host), '404');
});

test('what is not available is 503, what is broken is 500 and logged', async (t) => {
  const { call, groups, logged } = await startAdmin(t);
  for (const code of ['unavailable', 'overloaded'] as const) {
    groups.failure = new EnckeError(code);
    assert.deepEqual(refusalOf(await call('GET', '/v1/groups/1')), [503, 'unavailable']);
  }
  groups.failure = new EnckeError('storage_unavailable');
  assert.deepEqual(refusalOf(await call('PUT', '/v1/groups/1', { members: [1] })), [
    503,
    'storage_unavailable',
  ]);
  groups.failure = new EnckeError('group_too_large');
  assert.deepEqual(refusalOf(await call('GET', '/v1/groups/1')), [422, 'group_too_large']);
  assert.equal(logged(), '');
  groups.failure = new Error('a secret of the inside');
  const broken = await call('GET', '/v1/groups/1');
  assert.deepEqual(refusalOf(broken), [500, 'internal_error']);
  assert.doesNotMatch(JSON.stringify(broken.body), /secret/);
  assert.match(logged(), /a secret of the inside/);
});

test('changes are logged without their members', async (t) => {
  const { call, logged } = await startAdmin(t);
  await call('PUT', '/v1/groups/7', { members: [123_456_789] });
  await call('POST', '/v1/groups/7/members', { add: [987_654_321] });
  await call('DELETE', '/v1/groups/7');
  assert.match(logged(), /"gid":7/);
  assert.doesNotMatch(logged(), /123456789|987654321/);
});
