/** Abuses by content: too large, too deep, somebody else's. */
import assert from 'node:assert/strict';
import { encodePackage } from '../../../src/client/frames.ts';
import { adminRequest } from '../admin.ts';
import { getRequest, upgradeRequest } from '../messaging.ts';
import { authFrame, closeCodeOf, nextMessage, refusalOf, type Arena } from './arena.ts';

/** Lengths beyond the limits, told or sent: 1009, 431, 413. */
export async function tooLarge(arena: Arena): Promise<void> {
  const header = encodePackage({ ver: 1, op: 18, seq: 1, body: Buffer.alloc(0) });
  header.writeInt32BE(0x7fff_ffff, 0);
  for (const name of ['tcp', 'tlsTcp'] as const) {
    for (const open of [() => arena.open(name), () => arena.enter(name)]) {
      const attacker = await open();
      attacker.write(header);
      await attacker.closed;
      assert.equal(attacker.closeCode, 1009, name);
    }
  }
  // A WebSocket frame that says it has a gigabyte, by hand: no library sends one.
  for (const name of ['http', 'tlsHttp'] as const) {
    const attacker = await arena.open(name);
    attacker.write(upgradeRequest('/sub'));
    await attacker.heard();
    attacker.write(Buffer.from('82ff000000004000000000000000', 'hex'));
    await attacker.closed;
    assert.equal(attacker.kept.subarray(-4).toString('hex'), '880203f1', '1009');
    const large = await arena.open(name);
    large.write(`GET /sub HTTP/1.1\r\nHost: encke\r\nCookie: ${'x'.repeat(20_000)}\r\n\r\n`);
    await large.closed;
    assert.equal(large.status, 431);
  }
  const socket = await arena.enterWebSocket('http', 'json');
  const code = closeCodeOf(socket);
  socket.send(`{"op":18,"body":"${'x'.repeat(70_000)}"}`);
  assert.equal(await code, 1009);
}

/** A few kilobytes that inflate to a lot: 1009. */
export async function compressionBomb(arena: Arena): Promise<void> {
  const bomb = Buffer.alloc(16 << 20);
  for (const path of ['/sub', '/messaging?client_id=bomber']) {
    const socket = await arena.openWebSocket('http', path, { perMessageDeflate: true });
    assert.match(socket.extensions, /permessage-deflate/);
    if (path === '/sub') socket.send(authFrame(arena.mid()));
    const code = closeCodeOf(socket);
    socket.send(bomb, () => {});
    assert.equal(await code, 1009, path);
  }
}

/** JSON that is nothing but brackets: 1007 for comet, an error for messaging, which goes on. */
export async function tooDeep(arena: Arena): Promise<void> {
  const deep = '['.repeat(30_000) + ']'.repeat(30_000);
  const comet = await arena.enterWebSocket('http', 'json');
  const code = closeCodeOf(comet);
  comet.send(`{"op":18,"body":{"from":1,"to":2,"msg":${deep}}}`);
  assert.equal(await code, 1007);
  const messaging = await arena.openWebSocket('tlsHttp', '/messaging?client_id=deep');
  messaging.send(`{"send":${deep}}`);
  assert.match(await nextMessage(messaging), /^\{"errors":\[\{"error":"not_json"/);
  messaging.terminate();
}

/** Web pages of others, forged headers of proxies, and users who say they are somebody else. */
export async function pretenders(arena: Arena): Promise<void> {
  const { http } = arena.ports;
  for (const origin of ['https://evil.example', 'null', `http://${http.host}.evil.example`])
    assert.equal(await refusalOf(http, '/messaging?client_id=victim', { origin }), 403, origin);
  const tcp = await arena.open('tcp');
  tcp.write('PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n');
  await tcp.closed;
  assert.equal(tcp.closeCode, 1009);
  const web = await arena.open('http');
  web.write(`PROXY TCP4 198.51.100.1 127.0.0.1 1 2\r\n${upgradeRequest('/sub')}`);
  await web.closed;
  assert.equal(web.status, 400);
  const socket = await arena.enterWebSocket('http', 'json');
  for (const [request, error] of [
    [`{"op":18,"seq":1,"body":{"from":1500000000,"to":1500000001,"msg":"x"}}`, 'bad_sender'],
    [`{"op":20,"seq":2,"body":{"from":1500000000,"to":${arena.gid},"msg":"x"}}`, 'bad_sender'],
    [`{"op":24,"seq":3,"body":{"group":${arena.gid}}}`, 'not_member'],
    [`{"op":22,"seq":4,"body":{"group":${arena.gid},"chatId":1}}`, 'not_member'],
  ] as const) {
    socket.send(request);
    assert.match(await nextMessage(socket), new RegExp(`"ret":-1.*"error":"${error}"`), request);
  }
  socket.terminate();
}

/** The admin port: no token, a host name of somebody else's, garbage, and bodies without an end. */
export async function adminAbuse(arena: Arena): Promise<void> {
  const { admin } = arena.ports;
  for (const headers of [{}, { authorization: 'Bearer nobody' }, { authorization: 'Basic eDp4' }]) {
    const { status } = await adminRequest(admin, 'PUT', `/v1/groups/${arena.gid}`, { members: [] }, headers);
    assert.equal(status, 401);
  }
  const garbage = await arena.open('admin');
  garbage.write(arena.random.bytes(4_000));
  await garbage.closed;
  assert.equal(garbage.status, 400);
  const large = await arena.open('admin');
  large.write(`GET /healthz HTTP/1.1\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`);
  await large.closed;
  assert.equal(large.status, 431);
  const endless = await arena.open('admin');
  endless.write(
    `PUT /v1/groups/1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${arena.adminToken}\r\n` +
      'Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{',
  );
  await endless.heard();
  assert.equal(endless.status, 413);
  await endless.cut();
  const idle = await arena.open('admin');
  idle.write(getRequest('/healthz'));
  await idle.heard();
  assert.equal(idle.status, 200);
  await idle.cut();
}
