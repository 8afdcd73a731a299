import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { CometClient } from '../../src/client/index.ts';
import { CometTcpClient, CometWebSocketClient, MessagingClient } from '../../src/client/index.ts';
import type { Server } from '../../src/server.ts';
import { CertificateFiles, certificates } from '../support/certificates.ts';
import { connectTcp } from '../support/clients.ts';
import { spawnMain, spawnServer, startTestServer, type Address } from '../support/server.ts';

const tls = { ca: certificates.map(({ cert }) => cert) };
const settings = { heartbeatMs: 0, timeoutMs: 5_000, tls };

/** One of each kind over TLS, mids from `first` on. */
async function clientsOf(tcp: Address, http: Address, first: number): Promise<CometClient[]> {
  return Promise.all([
    CometTcpClient.connect({ ...tcp, ...settings, mid: first }),
    CometWebSocketClient.connect({ ...http, ...settings, mid: first + 1, encoding: 'json' }),
    CometWebSocketClient.connect({ ...http, ...settings, mid: first + 2, encoding: 'binary' }),
  ]);
}

/** Everybody writes to the next one. */
async function talk(clients: readonly CometClient[], text: string): Promise<void> {
  for (const [i, sender] of clients.entries()) {
    const receiver = clients[(i + 1) % clients.length] as CometClient;
    await sender.send(receiver.mid, text);
    assert.equal((await receiver.nextMessage()).text, text);
  }
}

/** The name in the certificate that the server shows. */
async function shown({ host, port }: Address, options: object = {}): Promise<string> {
  const socket = connectTls({ host, port, ...tls, ...options });
  await once(socket, 'secureConnect');
  const name = String(socket.getPeerCertificate().subject.CN);
  socket.destroy();
  return name;
}

describe('TLS beside the plain ports', { timeout: 60_000 }, () => {
  const files = new CertificateFiles();
  let server: Server;
  let tcp: Address;
  let http: Address;
  before(async () => {
    const { tlsCert, tlsKey } = files;
    server = await startTestServer({ tlsCert, tlsKey, tlsTcpPort: 0, tlsHttpPort: 0, authTimeoutMs: 300 });
    assert.ok(server.tlsTcpAddress !== undefined && server.tlsHttpAddress !== undefined);
    [tcp, http] = [server.tlsTcpAddress, server.tlsHttpAddress];
  });
  after(async () => {
    await server.close();
    files.remove();
  });

  test('every kind of client talks over TLS, also with clients without', async () => {
    const clients = [...(await clientsOf(tcp, http, 101)), await connectTcp(server, 110)];
    await talk(clients, 'hello');
    const ann = await MessagingClient.connect({ ...http, tls, clientId: 'ann', ack: true });
    await ann.sendAccepted(101, { text: 'from ann' });
    assert.equal((await clients[0]!.nextMessage()).from, 0);
    for (const client of [...clients, ann]) await client.close();
  });

  test('what a client took over TLS is delivered, and what it did not comes when it is back', async () => {
    const sender = await connectTcp(server, 120);
    const text = 'x'.repeat(30_000);
    for (const open of [
      () => CometTcpClient.connect({ ...tcp, ...settings, mid: 121 }),
      () => CometWebSocketClient.connect({ ...http, ...settings, mid: 122, encoding: 'json' }),
    ]) {
      const first = await open();
      const { mid } = first;
      await sender.send(mid, 'taken');
      assert.equal((await first.nextMessage()).text, 'taken');
      first.socket.pause();
      // More than the kernel's buffers of both ends and what may wait in the server.
      await Promise.all(Array.from({ length: 400 }, () => sender.send(mid, text)));
      first.destroy();
      await first.closed;
      const second = await open();
      let last = (await second.nextMessage()).chatId;
      assert.ok(last > 1, 'the first one was taken');
      while (last < 401) {
        const { chatId } = await second.nextMessage();
        assert.equal(chatId, last + 1);
        last = chatId;
      }
      await second.close();
    }
    await sender.close();
  });

  test('TLS below 1.2 and ciphers without forward secrecy are refused, 1.2 and 1.3 are not', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
      await shown(tcp, { minVersion: version, maxVersion: version });
    for (const options of [
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' },
    ])
      await assert.rejects(shown(tcp, options), /alert|ECONNRESET|disconnected/);
  });

  test('a handshake that does not come, or is none, is cut off', async () => {
    for (const { host, port } of [tcp, http]) {
      const sockets = ['', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01'].map((bytes) => {
        const socket = connectPlain({ host, port });
        socket.on('error', () => {}).resume();
        socket.write(bytes, 'latin1');
        return once(socket, 'close');
      });
      await Promise.all(sockets);
    }
  });

  test('a certificate is exchanged while clients are connected, a bad one is not taken', async () => {
    const clients = await clientsOf(tcp, http, 131);
    assert.equal(await shown(tcp), 'encke test a');
    files.write(certificates[1]);
    server.reload();
    for (const address of [tcp, http]) assert.equal(await shown(address), 'encke test b');
    await talk(clients, 'still here');
    for (const bad of [
      { cert: 'nothing', key: 'nothing' },
      { cert: certificates[0].cert, key: certificates[1].key },
    ]) {
      files.write(bad);
      server.reload();
      assert.equal(await shown(http), 'encke test b');
    }
    await talk(clients, 'and now');
    for (const client of clients) await client.close();
  });
});

test('the ready line names the TLS ports, and SIGHUP exchanges the certificate', async () => {
  const files = new CertificateFiles();
  const args = ['--tls-cert', files.tlsCert, '--tls-key', files.tlsKey, '--log-level', 'info'];
  const server = await spawnServer(['--tls-tcp-port', '0', '--tls-http-port', '0', ...args]);
  try {
    const [, tcp, http] =
      / tls-tcp=127\.0\.0\.1:(\d+) tls-http=127\.0\.0\.1:(\d+)$/.exec(server.readyLine) ?? [];
    const address = { host: '127.0.0.1', port: Number(tcp) };
    const clients = await clientsOf(address, { host: '127.0.0.1', port: Number(http) }, 1);
    files.write(certificates[1]);
    server.child.kill('SIGHUP');
    await server.logged('the certificate was reloaded');
    assert.equal(await shown(address), 'encke test b');
    files.write({ cert: '', key: '' });
    server.child.kill('SIGHUP');
    await server.logged('the certificate was not reloaded');
    assert.equal(await shown(address), 'encke test b');
    await talk(clients, 'hello');
    assert.equal((await server.stop()).code, 0);
    for (const client of clients) assert.equal((await client.closed).code, 1001);
  } finally {
    server.child.kill('SIGKILL');
    files.remove();
  }
});

test('with --tls-only on the usual ports speak TLS and nothing else', async () => {
  const files = new CertificateFiles();
  const server = await startTestServer({ tlsCert: files.tlsCert, tlsKey: files.tlsKey, tlsOnly: true });
  try {
    assert.equal(server.tlsTcpAddress, undefined);
    await talk(await clientsOf(server.tcpAddress, server.httpAddress, 1), 'hello');
    await assert.rejects(connectTcp(server, 9, { timeoutMs: 1_000 }));
  } finally {
    await server.close();
    files.remove();
  }
});

test('a certificate that cannot be used at the start is one line and exit code 2', async () => {
  const files = new CertificateFiles();
  files.write({ cert: certificates[0].cert, key: certificates[1].key });
  const pairs = [
    [files.tlsCert, files.tlsKey],
    ['/nowhere/cert.pem', files.tlsKey],
    [files.tlsKey, files.tlsKey],
  ];
  for (const [cert, key] of pairs) {
    const run = spawnMain(['--store', 'memory', '--tls-cert', cert!, '--tls-key', key!]);
    const { code, stdout, stderr } = await run.exit;
    assert.match(stderr, /^encke: [^\n]+ (cert|key)[^\n]+\n$/);
    assert.deepEqual([code, stdout], [2, '']);
  }
  files.remove();
});
