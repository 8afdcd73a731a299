import assert from 'node:assert/strict';
import { test } from 'node:test';
import { putGroup, adminRequest } from '../support/admin.ts';
import { connectMessaging, connectTcp, connectWebSocket, openTcp } from '../support/clients.ts';
import { spawnServer } from '../support/server.ts';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly connection?: number;
  readonly [field: string]: unknown;
}

const linesOf = (stderr: string): Line[] =>
  stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

test('a connection is three lines at debug: opened, authenticated, closed with code and reason', async () => {
  const server = await spawnServer(['--log-level', 'debug', '--auth-timeout', '0.05']);
  const client = await connectTcp(server, 21, { device: 'phone' });
  await client.close();
  await server.logged('"code":0');
  const silent = await openTcp(server);
  assert.equal((await silent.closed).code, 4401);
  await server.logged('"code":4401');
  const { stderr } = await server.stop();
  const lines = linesOf(stderr).filter(({ connection }) => connection !== undefined);
  const [first, second] = [1, 2].map((id) =>
    lines
      .filter(({ connection }) => connection === id)
      .map(({ level, time, pid, hostname, ...rest }) => {
        assert.ok(level === 20 && typeof time === 'number' && pid === server.pid && hostname !== '');
        return rest;
      }),
  );
  assert.deepEqual(first, [
    { connection: 1, transport: 'tcp', address: '127.0.0.1', msg: 'connection opened' },
    {
      connection: 1,
      user: 21,
      device: 'phone',
      encoding: 'binary',
      shard: first?.[1]?.['shard'],
      msg: 'connection authenticated',
    },
    { connection: 1, code: 0, reason: 'the client left', msg: 'connection closed' },
  ]);
  assert.deepEqual(second, [
    { connection: 2, transport: 'tcp', address: '127.0.0.1', msg: 'connection opened' },
    { connection: 2, code: 4401, reason: 'no op 7 in time', msg: 'connection closed' },
  ]);
});

test('no message and no secret is ever logged, whatever goes wrong', async () => {
  const secrets = ['adm-secret', 'key-secret', 'token-secret', 'said-secret', 'bad-secret', 'gid-secret'];
  const token = { authorization: 'Bearer adm-secret' };
  const server = await spawnServer(['--log-level', 'trace', '--admin-token', 'adm-secret']);
  const tcp = await connectTcp(server, 1, { mkey: 'key-secret' });
  const json = await connectWebSocket(server, 2, { mkey: 'key-secret' });
  const ann = await connectMessaging(server, 'ann', { token: 'token-secret', ack: true });
  await adminRequest(server.adminAddress, 'PUT', '/v1/groups/7', { members: [1, 2] }, token);
  await adminRequest(server.adminAddress, 'PUT', '/v1/groups/gid-secret', { members: ['bad-secret'] }, token);
  await assert.rejects(putGroup(server, 7, [1]), /401/);
  await tcp.send(2, 'said-secret');
  await json.sendToGroup(7, 'said-secret');
  await ann.sendAccepted(1, { text: 'said-secret' });
  await assert.rejects(json.sendToGroup(8, 'said-secret'));
  json.sendRaw('{"ver":1,"op":"bad-secret"');
  assert.equal((await json.closed).code, 1007);
  ann.sendRaw('["bad-secret"');
  await ann.nextError();
  const unknown = await openTcp(server);
  unknown.sendFrame({ ver: 1, op: 7, seq: 1, body: Buffer.from('{"mid":"bad-secret","mkey":"key-secret"}') });
  await unknown.closed;
  const { stderr } = await server.stop();
  assert.match(stderr, /connection authenticated/);
  assert.ok(linesOf(stderr).length > 8, 'every line is JSON');
  for (const secret of secrets) assert.ok(!stderr.includes(secret), `${secret} is in no line`);
});
