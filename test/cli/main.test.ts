import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { readyLine, startFailure } from '../../src/cli/lines.ts';
import { adminRequest } from '../support/admin.ts';
import { connectComet, cometKinds, connectMessaging, openTcp } from '../support/clients.ts';
import { spawnMain, spawnServer } from '../support/server.ts';

const oneLine = /^encke: [^\n]+\n$/;

test('a wrong flag, variable or key is one line on standard error and exit code 2', async () => {
  const runs = [
    spawnMain(['--tcp-prot', '1']),
    spawnMain(['--workers', '0']),
    spawnMain([], { ENCKE_WORKERS: 'many' }),
    spawnMain([], { ENCKE_WROKERS: '1' }),
    spawnMain(['--config', '/nowhere/encke.json']),
    spawnMain(['--host', '0.0.0.0']),
    spawnMain(['--admin-host', '0.0.0.0']),
    spawnMain(['--store', 'tape']),
  ];
  for (const run of runs) {
    const { code, stdout, stderr } = await run.exit;
    assert.match(stderr, oneLine);
    assert.equal(stdout, '');
    assert.equal(code, 2, stderr);
  }
});

test('--help and --version go to standard output with exit code 0', async () => {
  const help = await spawnMain(['--help']).exit;
  assert.equal(help.code, 0);
  assert.equal(help.stderr, '');
  assert.match(help.stdout, /^Usage: encke/);
  const version = await spawnMain(['--version']).exit;
  const file = new URL('../../../package.json', import.meta.url);
  const expected = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  assert.deepEqual([version.code, version.stdout, version.stderr], [0, `${expected}\n`, '']);
});

test('a port in use is one line on standard error and exit code 1', async () => {
  const occupier = createServer().listen(0, '127.0.0.1');
  await once(occupier, 'listening');
  const { port } = occupier.address() as AddressInfo;
  try {
    for (const flag of ['--tcp-port', '--http-port', '--admin-port']) {
      const free = ['--tcp-port', '0', '--http-port', '0', '--admin-port', '0'];
      const options = ['--workers', '1', '--store', 'memory', '--log-level', 'silent'];
      const run = spawnMain([...free, flag, String(port), ...options]);
      const { code, stdout, stderr } = await run.exit;
      assert.equal(stderr, `encke: cannot start: 127.0.0.1:${port} is in use\n`);
      assert.equal(stdout, '');
      assert.equal(code, 1);
    }
  } finally {
    occupier.close();
  }
});

test('standard output is the ready line, and what it names listens', async () => {
  const server = await spawnServer(['--workers', '1']);
  try {
    assert.match(
      server.readyLine,
      /^encke ready tcp=127\.0\.0\.1:\d+ http=127\.0\.0\.1:\d+ admin=127\.0\.0\.1:\d+ workers=1 pid=\d+$/,
    );
    assert.match(server.readyLine, new RegExp(`pid=${server.pid}$`));
    for (const kind of cometKinds) await (await connectComet(kind, server, 1)).close();
    const { status, body } = await adminRequest(server.adminAddress, 'GET', '/readyz');
    assert.deepEqual([status, body], [200, { status: 'ready' }]);
  } finally {
    const { stdout, code } = await server.stop();
    assert.equal(stdout, `${server.readyLine}\n`);
    assert.equal(code, 0);
  }
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} tells the clients 1001 and ends with exit code 0`, async () => {
    const server = await spawnServer();
    const clients = await Promise.all(cometKinds.map((kind, i) => connectComet(kind, server, i + 1)));
    const all = [...clients, await connectMessaging(server, 'ann'), await openTcp(server)];
    const { code } = await server.stop(signal);
    assert.equal(code, 0);
    for (const client of all) assert.equal((await client.closed).code, 1001);
  });
}

test('a second signal ends at once', async () => {
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    const server = await spawnServer(['--drain-timeout', '60']);
    const client = await openTcp(server);
    client.socket.pause(); // never sees the end, so the drain waits for it
    process.kill(server.pid, 'SIGTERM');
    while (!server.output().stderr.includes('draining')) await once(server.child.stderr!, 'data');
    const ended = await server.stop(signal);
    client.destroy();
    assert.equal(ended.code, code);
  }
});

test('a reader of standard output that is gone stops nothing', async () => {
  const server = await spawnServer();
  server.child.stdout!.destroy();
  const client = await connectComet('tcp', server, 1);
  assert.equal(await client.send(2, 'hello'), 1);
  await client.close();
  assert.equal((await server.stop()).code, 0);
});

test('an IPv6 address is written in brackets', () => {
  const v4 = { host: '127.0.0.1', port: 1 };
  const v6 = { host: '::1', port: 2 };
  const line = readyLine({ tcpAddress: v4, httpAddress: v6, adminAddress: v4, workers: 3 });
  assert.equal(
    line,
    `encke ready tcp=127.0.0.1:1 http=[::1]:2 admin=127.0.0.1:1 workers=3 pid=${process.pid}`,
  );
});

test('why it did not start is one line, whatever was thrown', () => {
  const denied = Object.assign(new Error('x'), { code: 'EACCES', address: '::1', port: 80 });
  assert.equal(startFailure(denied), 'cannot start: [::1]:80 may not be used by this user');
  assert.equal(startFailure(new Error('two\n  lines')), 'cannot start: two lines');
  assert.equal(startFailure('text'), 'cannot start: text');
});
