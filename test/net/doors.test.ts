import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, before, after, test } from 'node:test';
import { WebSocket } from 'ws';
import type { Authenticator } from '../../src/auth/auth.ts';
import { CometTcpClient, CometWebSocketClient } from '../../src/client/index.ts';
import { encodePackage } from '../../src/client/frames.ts';
import type { Server } from '../../src/server.ts';
import { CertificateFiles } from '../support/certificates.ts';
import { connectMessaging, connectTcp, connectWebSocket } from '../support/clients.ts';
import { upgradeRequest } from '../support/messaging.ts';
import { openRaw } from '../support/raw-sockets.ts';
import { startTestServer } from '../support/server.ts';

/** Believes everybody, and notes from where they are. */
class Noting implements Authenticator {
  readonly addresses: string[] = [];

  authenticate: Authenticator['authenticate'] = (credentials) => {
    this.addresses.push(credentials.remoteAddress);
    const user = credentials.protocol === 'comet' ? credentials.mid : credentials.clientId;
    return Promise.resolve({ ok: true, user });
  };
}

const auth = (mid: number): Buffer =>
  encodePackage({ ver: 1, op: 7, seq: 1, body: Buffer.from(`{"mid":${mid},"mkey":""}`) });

const openHeaders = (port: number, path: string, headers: Record<string, string>): WebSocket =>
  new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers });

/** HTTP status that refuses an upgrade. */
async function refusal(socket: WebSocket): Promise<number> {
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  socket.terminate();
  return response.statusCode;
}

describe('behind a trusted proxy', { timeout: 30_000 }, () => {
  const authenticator = new Noting();
  const files = new CertificateFiles();
  let server: Server;
  before(async () => {
    server = await startTestServer({
      authenticator,
      trustedProxies: ['127.0.0.0/8'],
      addressConnectionsMax: 2,
      authTimeoutMs: 500,
      tlsCert: files.tlsCert,
      tlsKey: files.tlsKey,
      tlsTcpPort: 0,
      tlsHttpPort: 0,
    });
  });
  after(async () => {
    await server.close();
    files.remove();
  });

  test('TCP: the PROXY header, in one piece or in many, says where the client is', async () => {
    const whole = await openRaw(server.tcpAddress);
    whole.write(Buffer.concat([Buffer.from('PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n'), auth(1)]));
    await once(whole.socket, 'data');
    const pieces = await openRaw(server.tcpAddress);
    for (const byte of Buffer.concat([Buffer.from('PROXY TCP6 2001:db8::1 ::1 1 2\r\n'), auth(2)])) {
      pieces.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await once(pieces.socket, 'data');
    const none = await connectTcp(server, 3);
    assert.deepEqual(authenticator.addresses.splice(0), ['198.51.100.1', '2001:db8::1', '127.0.0.1']);
    for (const { socket } of [whole, pieces]) socket.destroy();
    await none.close();
  });

  test('TLS: the PROXY header comes before the handshake', async () => {
    const { port } = server.tlsTcpAddress!;
    const raw = await openRaw({ host: '127.0.0.1', port });
    raw.write('PROXY TCP4 198.51.100.3 127.0.0.1 1 2\r\n');
    raw.socket.removeAllListeners('data');
    const { connect } = await import('node:tls');
    const socket = connect({ socket: raw.socket, rejectUnauthorized: false });
    const client = new CometTcpClient(socket, { heartbeatMs: 0 });
    await client.authenticate({ mid: 4 });
    assert.deepEqual(authenticator.addresses.splice(0), ['198.51.100.3']);
    await client.close();
  });

  test('HTTP: X-Forwarded-For says where the client is', async () => {
    const socket = openHeaders(server.httpAddress.port, '/sub', {
      'x-forwarded-for': '1.2.3.4, 198.51.100.4, 127.0.0.9',
    });
    await once(socket, 'open');
    const client = new CometWebSocketClient(socket, 'json', { heartbeatMs: 0 });
    await client.authenticate({ mid: 5 });
    assert.deepEqual(authenticator.addresses.splice(0), ['198.51.100.4']);
    await client.close();
  });

  test('a broken PROXY header cuts the connection off, as one that never ends does', async () => {
    for (const header of ['PROXY TCP4 nowhere 127.0.0.1 1 2\r\n', 'PROXY TCP4 198.51.100.1 ']) {
      const raw = await openRaw(server.tcpAddress);
      raw.write(header);
      await raw.closed;
      assert.equal(raw.received.length, 0);
    }
  });

  test('a proxy that says nothing is told 4401 like anybody', async () => {
    const raw = await openRaw(server.tcpAddress);
    await once(raw.socket, 'end');
    assert.equal(raw.closeCode, 4401);
    raw.socket.destroy();
  });

  test('connections count by the address that the proxy told: 4429 and HTTP 429 over the limit', async () => {
    const header = 'PROXY TCP4 198.51.100.9 127.0.0.1 1 2\r\n';
    const first = await openRaw(server.tcpAddress);
    first.write(Buffer.concat([Buffer.from(header), auth(11)]));
    await once(first.socket, 'data');
    const forwarded = { 'x-forwarded-for': '198.51.100.9' };
    const second = openHeaders(server.httpAddress.port, '/messaging?client_id=12', forwarded);
    await once(second, 'open');
    const third = await openRaw(server.tcpAddress);
    third.write(header);
    await once(third.socket, 'end');
    assert.equal(third.closeCode, 4429);
    third.socket.destroy();
    await third.closed;
    assert.equal(await refusal(openHeaders(server.httpAddress.port, '/sub', forwarded)), 429);
    second.terminate();
    first.socket.destroy();
    // Their places are free again once the server has seen them go.
    for (;;) {
      const again = openHeaders(server.httpAddress.port, '/sub', forwarded);
      again.on('error', () => {});
      const opened = await Promise.race([
        once(again, 'open').then(() => true),
        once(again, 'unexpected-response').then(() => false),
      ]);
      again.terminate();
      if (opened) break;
    }
  });
});

describe('without a proxy', { timeout: 30_000 }, () => {
  const authenticator = new Noting();
  let server: Server;
  before(async () => {
    server = await startTestServer({
      authenticator,
      authTimeoutMs: 500,
      origins: ['https://chat.example.org'],
    });
  });
  after(() => server.close());

  test('a PROXY header is a broken frame, a broken request, and X-Forwarded-For means nothing', async () => {
    const header = 'PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n';
    const tcp = await openRaw(server.tcpAddress);
    tcp.write(header);
    await once(tcp.socket, 'end');
    assert.equal(tcp.closeCode, 1009);
    tcp.socket.destroy();
    const http = await openRaw(server.httpAddress);
    http.write(header + upgradeRequest('/sub'));
    await http.closed;
    assert.equal(http.status, 400);
    const socket = openHeaders(server.httpAddress.port, '/messaging?client_id=1', {
      'x-forwarded-for': '198.51.100.1',
    });
    await once(socket, 'open');
    assert.deepEqual(authenticator.addresses.splice(0), ['127.0.0.1']);
    socket.terminate();
  });

  test('a page of another origin gets 403 on both paths', async () => {
    for (const path of ['/sub', '/messaging?client_id=2']) {
      const evil = openHeaders(server.httpAddress.port, path, { origin: 'https://evil.example' });
      assert.equal(await refusal(evil), 403);
      const good = openHeaders(server.httpAddress.port, path, { origin: 'https://chat.example.org' });
      await once(good, 'open');
      good.close();
      await once(good, 'close');
    }
  });

  test('a request that does not come in time gets 408, a head that is too large 431', async () => {
    const slow = await openRaw(server.httpAddress);
    slow.write('GET /sub HTTP/1.1\r\nHost: ');
    const large = await openRaw(server.httpAddress);
    large.write(`GET /sub HTTP/1.1\r\nX: ${'y'.repeat(17_000)}\r\n\r\n`);
    await Promise.all([slow.closed, large.closed]);
    assert.deepEqual([slow.status, large.status], [408, 431]);
  });

  for (const [limits, code, status] of [
    [{ connectionsMax: 3 }, 1013, 503],
    [{ addressConnectionsMax: 3 }, 4429, 429],
  ] as const) {
    test(`over ${Object.keys(limits)[0]} of all ports together a client is told ${code} or ${status}, until there is room`, async () => {
      const full = await startTestServer(limits);
      try {
        const inside = [await connectTcp(full, 1), await connectWebSocket(full, 2)];
        await connectMessaging(full, 'ann');
        const tcp = await openRaw(full.tcpAddress);
        const http = await openRaw(full.httpAddress);
        await Promise.all([tcp.closed, http.closed]);
        assert.deepEqual([tcp.closeCode, http.status], [code, status]);
        await inside[0]!.close();
        let next: CometTcpClient | undefined;
        while (next === undefined) next = await connectTcp(full, 3).catch(() => undefined);
        await inside[1]!.send(3, 'hello');
        assert.equal((await next.nextMessage()).text, 'hello');
      } finally {
        await full.close();
      }
    });
  }
});
