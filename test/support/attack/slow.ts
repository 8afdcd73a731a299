/** Abuses that take their time: what never comes in full, never answers, never reads. */
import assert from 'node:assert/strict';
import { encodePackage } from '../../../src/client/frames.ts';
import { closeCodeOf, pause, type Arena, type Attacker, type PortName } from './arena.ts';

const DRIP_MS = 100;

/** Sends a byte now and then until the server has had enough. */
async function drip(attacker: Attacker, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length && !attacker.socket.destroyed && attacker.socket.writable; at++) {
    attacker.write(bytes.subarray(at, at + 1));
    await Promise.race([attacker.closed, pause(DRIP_MS)]);
  }
  await attacker.closed;
}

const many = <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => make(i)));

/** Sockets that say a little, or nothing: 4401 over TCP, 408 over HTTP, cut off in a TLS handshake. */
export async function slowBeginnings(arena: Arena): Promise<void> {
  const frame = encodePackage({ ver: 1, op: 7, seq: 1, body: Buffer.alloc(60_000) });
  const head = Buffer.from(`GET /sub HTTP/1.1\r\nHost: encke\r\nX-Slow: ${'x'.repeat(2_000)}`);
  const one = async (
    name: PortName,
    bytes: Buffer,
    isRight: (attacker: Attacker) => boolean,
  ): Promise<void> => {
    const attacker = await arena.open(name);
    await drip(attacker, bytes);
    assert.ok(isRight(attacker), `${name}: ${attacker.kept.toString('latin1')}`);
  };
  const none = Buffer.alloc(0);
  const is4401 = (attacker: Attacker): boolean => attacker.closeCode === 4401;
  const is408 = (attacker: Attacker): boolean => attacker.status === 408;
  await many(arena.size.sockets, async (i) => {
    const bytes = i % 2 === 0;
    await Promise.all([
      one('tcp', bytes ? frame : none, is4401),
      one('tlsTcp', bytes ? frame : none, is4401),
      one('http', bytes ? head : none, is408),
      one('tlsHttp', bytes ? head : none, is408),
      unfinishedHandshake(arena, 'tlsTcp', bytes),
      unfinishedHandshake(arena, 'tlsHttp', bytes),
    ]);
  });
  await many(Math.ceil(arena.size.sockets / 4), () => one('admin', head, is408));
}

async function unfinishedHandshake(arena: Arena, name: 'tlsTcp' | 'tlsHttp', hello: boolean): Promise<void> {
  const attacker = await arena.openBelowTls(name);
  if (hello) attacker.write(Buffer.from('160301', 'hex'));
  await attacker.closed;
  assert.equal(attacker.bytes, 0);
}

/** Connections of users that went silent, answer no ping, or send a frame without an end: 4408. */
export async function halfOpen(arena: Arena): Promise<void> {
  const count = arena.size.sockets;
  const endless = encodePackage({ ver: 1, op: 2, seq: 1, body: Buffer.alloc(60_000) });
  await many(count, async (i) => {
    const [tcp, tls, webSocket, silent] = await Promise.all([
      arena.enter('tcp'),
      arena.enter('tlsTcp'),
      arena.enterWebSocket(i % 2 === 0 ? 'http' : 'tlsHttp', 'json'),
      arena.openWebSocket('http', `/messaging?client_id=silent-${i}`, { autoPong: false }),
    ]);
    const codes = [closeCodeOf(webSocket), closeCodeOf(silent)];
    await Promise.all([drip(tcp, endless), tls.closed]);
    assert.deepEqual([tcp.closeCode, tls.closeCode, ...(await Promise.all(codes))], [4408, 4408, 4408, 4408]);
  });
}

/**
 * Connections of a user who is sent a lot and reads nothing. It is stored once; would it wait for each
 * of them in the server, it would be many times as much.
 */
export async function neverRead(arena: Arena): Promise<void> {
  const bytesOfOne = 50_000;
  const mid = arena.mid();
  const from = arena.mid();
  const silent: Attacker[] = [];
  await many(arena.size.sockets, async () => {
    const [tcp, tls, webSocket] = await Promise.all([
      arena.enter('tcp', mid),
      arena.enter('tlsTcp', mid),
      arena.enterWebSocket('http', 'json', mid),
    ]);
    silent.push(tcp, tls);
    webSocket.pause();
    for (const { socket } of [tcp, tls]) socket.pause();
    arena.keep(async () => {
      webSocket.terminate();
      await Promise.all([tcp.cut(), tls.cut()]);
    });
  });
  const sender = await arena.enter('tcp', from);
  const body = Buffer.alloc(8 + bytesOfOne, 'x');
  body.writeInt32BE(from, 0);
  body.writeInt32BE(mid, 4);
  for (let seq = 1; seq * bytesOfOne <= arena.size.unreadBytes; seq++) {
    sender.write(encodePackage({ ver: 1, op: 18, seq, body }));
    await sender.heard();
    assert.ok(!sender.socket.destroyed, 'the sender is not at fault');
  }
  // Who asks without reading is not read either: of these the server takes only some.
  const heartbeats = Buffer.concat(
    Array.from({ length: 3_000 }, (_, seq) => encodePackage({ ver: 1, op: 2, seq, body: Buffer.alloc(0) })),
  );
  for (const attacker of silent) attacker.write(heartbeats);
  await sender.cut();
}
