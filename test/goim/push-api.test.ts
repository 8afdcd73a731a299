import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { Bench } from '../support/comet.ts';
import { GoimConnection, goimRequest } from '../support/goim.ts';
import { startTestServer } from '../support/server.ts';

const bench = new Bench(2);

const post = async (path: string, body?: string): Promise<[number, number, string]> => {
  const { status, text } = await goimRequest(bench, 'POST', `/goim/push/${path}`, body);
  const { code, message } = JSON.parse(text) as { code: number; message: string };
  return [status, code, message];
};

const get = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
  const { status, text } = await goimRequest(bench, 'GET', `/goim/${path}`);
  return { status, body: JSON.parse(text) as Record<string, unknown> };
};

for (const path of [
  'keys?operation=x&keys=a',
  'keys?operation=2147483648&keys=a',
  'mids?operation=1&mids=1,2',
  'mids?operation=1&mids=99999999999999999999',
  'room?type=live&room=1',
  'room?operation=0&type=live&room=1',
  'room?operation=1&room=1',
  'room?operation=1&type=live&room=',
  'all',
  'all?operation=1&speed=fast',
]) {
  test(`push/${path} is refused as goim refuses it: status 400, code -400 and what is wrong.`, async () => {
    const [status, code, message] = await post(path, 'x');
    assert.deepEqual([status, code], [400, -400]);
    assert.match(message, /^(operation|keys|mids|type|room|speed): /);
  });
}

test('What goim answers with code 0 and what it answers with -400 alone are answered so.', async () => {
  assert.deepEqual(await post('keys?operation=1'), [200, -400, '']);
  assert.deepEqual(await post('keys?operation=1&keys=nobody', 'x'), [200, 0, '']);
  assert.deepEqual(await post('mids?operation=1', 'x'), [200, 0, '']);
  assert.deepEqual(await post('mids?mids=0&mids=&mids=-4', 'x'), [200, 0, '']);
  assert.deepEqual(await post('room?operation=1&type=live&room=empty', 'x'), [200, 0, '']);
  assert.deepEqual(await post('all?operation=1&speed=-1', 'x'), [200, 0, '']);
});

test('A message is whatever the body has, of any type and up to its limit; none is an empty one.', async () => {
  const mid = bench.mid();
  const client = await GoimConnection.connect('tcp', bench, { mid, accepts: [0, 7] });
  const path = `/goim/push/mids?operation=7&mids=${mid}`;
  const types = ['text/plain', 'application/json', 'application/x-www-form-urlencoded', 'not a type', ''];
  for (const type of types) {
    const body = `{not json} & a=b ${type}`;
    await goimRequest(bench, 'POST', path, body, { 'content-type': type });
    assert.equal(await client.push(), `7 ${body}`);
  }
  assert.deepEqual(await post(`mids?operation=7&mids=${mid}`), [200, 0, '']);
  assert.equal(await client.push(), '7 ');
  assert.deepEqual(await post(`mids?mids=${mid}`, 'no operation is operation 0'), [200, 0, '']);
  assert.equal(await client.push(), '0 no operation is operation 0');
  const largest = 'x'.repeat(limits.goimPushBytesMax);
  assert.deepEqual(await post(`mids?operation=7&mids=${mid}`, largest), [200, 0, '']);
  assert.equal((await client.push()).length, largest.length + 2);
  const [status, code] = await post(`mids?operation=7&mids=${mid}`, `${largest}x`);
  assert.deepEqual([status, code], [413, -400]);
  assert.equal(await client.online(), 0);
  client.close();
});

test('The queries want what goim wants.', async () => {
  for (const path of [
    'online/top',
    'online/top?type=live',
    'online/top?type=live&limit=0',
    'online/top?type=live&limit=many',
    'online/room?type=live',
    'online/room?rooms=1',
  ]) {
    const { status, body } = await get(path);
    assert.deepEqual([status, body['code']], [400, -400], path);
  }
});

test('nodes/weighted says where and how to connect, nodes/instances that there is one node.', async () => {
  const { body } = await get('nodes/weighted?platform=web');
  assert.deepEqual(body, {
    code: 0,
    message: '',
    data: {
      domain: '127.0.0.1',
      tcp_port: bench.tcpAddress.port,
      ws_port: bench.httpAddress.port,
      heartbeat: 150,
      heartbeat_max: 2,
      nodes: ['127.0.0.1'],
      backoff: { max_delay: 300, base_delay: 3, factor: 1.8, jitter: 0.3 },
    },
  });
  const client = await GoimConnection.connect('tcp', bench, { mid: bench.mid(), accepts: [] });
  const connections = String(bench.server.connections); // of tests before this one as well
  const { body: nodes } = await get('nodes/instances');
  const [node, ...others] = nodes['data'] as { appid: string; metadata: Record<string, string> }[];
  assert.deepEqual([node?.appid, others], ['goim.comet', []]);
  assert.deepEqual(node?.metadata, {
    addrs: '127.0.0.1',
    conn_count: connections,
    ip_count: '1',
    offline: 'false',
    weight: '1',
  });
  client.close();
});

test('A web page cannot push: its browser says where a request is from.', async () => {
  const headers = { 'content-type': 'text/plain', origin: 'http://evil.example' };
  const { status, text } = await goimRequest(bench, 'POST', '/goim/push/all?operation=1', 'x', headers);
  assert.deepEqual([status, (JSON.parse(text) as { code: number }).code], [400, -400]);
});

test('With an admin token the push API needs it as everything else does.', async () => {
  const server = await startTestServer({ adminToken: 'hush' });
  try {
    for (const [method, path] of [
      ['POST', '/goim/push/all?operation=1'],
      ['GET', '/goim/online/total'],
    ] as const) {
      const { host, port } = server.adminAddress;
      const url = `http://${host}:${port}${path}`;
      const without = await fetch(url, { method });
      assert.equal(without.status, 401);
      assert.equal(((await without.json()) as { code: number }).code, -400);
      const given = await fetch(url, { method, headers: { authorization: 'Bearer hush' } });
      assert.equal(((await given.json()) as { code: number }).code, 0);
    }
  } finally {
    await server.close();
  }
});
