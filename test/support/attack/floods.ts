/** Abuses that are too much at once. */
import assert from 'node:assert/strict';
import type { WebSocket } from 'ws';
import { heartbeatFrame, authFrame, closeCodeOf, type Arena, type Attacker } from './arena.ts';

const heartbeats = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, seq) => heartbeatFrame(seq)));

/** More requests than the rate allows, over each kind of connection: 4429 behind the answers. */
export async function tooManyRequests(arena: Arena): Promise<void> {
  const count = arena.limits.burst * 2;
  for (const name of ['tcp', 'tlsTcp'] as const) {
    const attacker = await arena.enter(name);
    attacker.write(heartbeats(count));
    await attacker.closed;
    assert.equal(attacker.closeCode, 4429, name);
  }
  const texts: [WebSocket, string][] = [
    [await arena.enterWebSocket('http', 'json'), '{"op":2}'],
    [await arena.openWebSocket('tlsHttp', '/messaging?client_id=flood'), '{"send":[{}]}'],
  ];
  for (const [socket, text] of texts) {
    const code = closeCodeOf(socket);
    for (let i = 0; i < count; i++) socket.send(text, () => {});
    assert.equal(await code, 4429, text);
  }
  const binary = await arena.enterWebSocket('tlsHttp', 'binary');
  const code = closeCodeOf(binary);
  binary.send(heartbeats(count));
  assert.equal(await code, 4429);
}

/** Heartbeats before op 7, and WebSocket pings, without an end: 4429. */
export async function tooManyPings(arena: Arena): Promise<void> {
  for (const name of ['tcp', 'tlsTcp'] as const) {
    const attacker = await arena.open(name);
    attacker.socket.pause(); // it does not read the answers
    attacker.write(heartbeats(8_000));
    attacker.socket.resume();
    await attacker.closed;
    assert.equal(attacker.closeCode, 4429, name);
  }
  for (const path of ['/sub', '/messaging?client_id=pinger']) {
    const socket = await arena.openWebSocket('http', path);
    const code = closeCodeOf(socket);
    for (let i = 0; i < 1_000; i++) socket.ping('x'.repeat(125), true, () => {});
    assert.equal(await code, 4429, path);
  }
}

/** Connections that come and go, in the middle of everything. */
export async function churn(arena: Arena): Promise<void> {
  const { churn: count } = arena.size;
  const half = authFrame(1).subarray(0, 20);
  await Promise.all(
    (['tcp', 'tlsTcp', 'http', 'tlsHttp', 'admin'] as const).map(async (name) => {
      for (let i = 0; i < count; i++) {
        const attacker = await arena.open(name);
        switch (i % 4) {
          case 0:
            break;
          case 1:
            attacker.write(half);
            break;
          case 2:
            attacker.write('GET /sub HTTP/1.1\r\n');
            if (!name.startsWith('tls')) attacker.socket.resetAndDestroy();
            break;
          default:
            attacker.write(
              name === 'tcp' || name === 'tlsTcp' ? authFrame(arena.mid()) : 'GET / HTTP/1.1\r\n\r\n',
            );
        }
        await attacker.cut();
      }
    }),
  );
  // In and out again, as fast as it goes: the same user, who takes a device over each time.
  for (let i = 0; i < count; i++) {
    const attacker = await arena.enter(i % 2 === 0 ? 'tcp' : 'tlsTcp', 77);
    attacker.socket.destroy();
  }
}

const CHUNK = 50;
const ENOUGH = 10_000;

/**
 * Opens authenticated connections from one address of this machine after another until one of them
 * is refused with this code. 127.0.0.1 is that of the users.
 */
async function fill(arena: Arena, addresses: readonly string[], code: number): Promise<Attacker[]> {
  const held: Attacker[] = [];
  while (held.length < ENOUGH) {
    const from = addresses[Math.floor(held.length / arena.limits.addressConnectionsMax) % addresses.length];
    const chunk = await Promise.all(Array.from({ length: CHUNK }, () => arena.open('tcp', from)));
    for (const attacker of chunk) attacker.write(authFrame(arena.mid()));
    await Promise.all(chunk.map((attacker) => attacker.heard()));
    held.push(...chunk);
    if (chunk.some((attacker) => attacker.closeCode === code)) return held;
  }
  assert.fail(`${held.length} connections, and none was refused with ${code}`);
}

/** More connections than one address may have, then more than the server takes: 4429 and 1013. */
export async function tooManyConnections(arena: Arena): Promise<void> {
  for (const [addresses, code, status] of [
    [['127.0.0.2'], 4429, 429],
    [['127.0.0.3', '127.0.0.4', '127.0.0.5'], 1013, 503],
  ] as const) {
    const held = await fill(arena, addresses, code);
    try {
      const from = addresses[0];
      const tcp = await arena.open('tcp', from);
      const http = await arena.open('http', from);
      const tls = await arena.openBelowTls('tlsTcp', from);
      await Promise.all([tcp.closed, http.closed, tls.closed]);
      assert.deepEqual([tcp.closeCode, http.status, tls.bytes], [code, status, 0]);
    } finally {
      await Promise.all(held.map((attacker) => attacker.cut()));
    }
  }
}

/** The 257th connection of a user: 4429. */
export async function tooManyOfOneUser(arena: Arena): Promise<void> {
  const mid = arena.mid();
  const held: Attacker[] = [];
  for (let i = 0; i < 256; i++) held.push(await arena.enter('tcp', mid));
  const one = await arena.open('tcp');
  one.write(authFrame(mid));
  await one.closed;
  assert.equal(one.closeCode, 4429);
  await Promise.all(held.map((attacker) => attacker.cut()));
}
