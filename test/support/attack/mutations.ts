/** What no client would send, by the million: bytes and texts of requests with random changes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { encodePackage } from '../../../src/client/frames.ts';
import { getRequest, upgradeRequest } from '../messaging.ts';
import { mutated, randomJson } from '../random-json.ts';
import type { Random } from '../random.ts';
import { heartbeatFrame, type Arena } from './arena.ts';

/** Sent before it is asked whether the server is still there, and on one connection. */
const BATCH = 50;
const CONNECTION = 1_000;
const HEADER_BYTES = 16;
const MARK = 0x7000_0000;

const ops = [0, 2, 3, 6, 7, 8, 9, 18, 18, 18, 19, 20, 20, 21, 22, 22, 23, 24, 24, 24, 25, -1, 99];

/** Shares of the whole; texts of comet that are no JSON end their connection, so they are fewer. */
export async function mutations(arena: Arena): Promise<void> {
  const { mutations: count } = arena.size;
  const share = (of: number): number => Math.ceil(count * of);
  await Promise.all([
    streams(arena, 'tcp', share(0.4)),
    streams(arena, 'tlsTcp', share(0.15)),
    binaryMessages(arena, share(0.2)),
    cometTexts(arena, share(0.05)),
    messagingTexts(arena, share(0.195)),
    httpRequests(arena, share(0.005)),
  ]);
}

/** A request with some of its bytes changed; its lengths stay as they are. */
function mutatedFrame(arena: Arena, mid: number, seq: number): Buffer {
  const { random, gid } = arena;
  const op = random.pick(ops);
  const body = random.chance(0.8) ? requestBody(random, op, mid, gid) : random.bytes(random.int(0, 60));
  const frame = encodePackage({ ver: 1, op, seq, body });
  for (let i = random.int(0, 3); i > 0; i--) {
    const at = random.int(6, frame.length - 1);
    frame[at] = random.int(0, 255);
  }
  if (random.chance(0.05)) frame.writeInt16BE(random.int(HEADER_BYTES, frame.length), 4);
  return frame;
}

function requestBody(random: Random, op: number, mid: number, gid: number): Buffer {
  if (op === 7) return Buffer.from(mutated(random, `{"mid":${mid},"mkey":"","ack":true}`));
  const bytes = op === 22 ? 13 : op === 24 ? 26 : 8 + random.int(0, 100);
  const body = random.bytes(bytes);
  if (op === 18 || op === 20) {
    body.writeInt32BE(mid, 0);
    body.writeInt32BE(random.pick([mid, gid, 7]), 4);
  } else if (bytes >= 13) {
    body.writeInt8(random.int(0, 3), 0);
    body.writeInt32BE(random.pick([mid, gid, 1_500_000_000]), 1);
    for (let at = 5; at + 8 <= bytes; at += 8) body.writeBigInt64BE(BigInt(random.int(0, 9)), at);
    if (op === 24) {
      body.writeInt32BE(random.int(0, 256), 21);
      body.writeInt8(random.int(0, 1), 25);
    }
  }
  return body;
}

const batchOf = (arena: Arena, mid: number, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, seq) => mutatedFrame(arena, mid, seq)));

async function streams(arena: Arena, name: 'tcp' | 'tlsTcp', count: number): Promise<void> {
  const mid = arena.mid();
  for (let left = count; left > 0;) {
    const attacker = await arena.enter(name, mid);
    for (let sent = 0; sent < CONNECTION && left > 0; sent += BATCH, left -= BATCH) {
      const mark = MARK + sent;
      attacker.write(Buffer.concat([batchOf(arena, mid, BATCH), heartbeatFrame(mark)]));
      const answer = encodePackage({ ver: 1, op: 3, seq: mark, body: Buffer.alloc(0) });
      while (!attacker.kept.includes(answer)) {
        assert.ok(!attacker.socket.destroyed, `a whole frame ended the connection: ${attacker.closeCode}`);
        await attacker.heard();
      }
    }
    // At the end its lengths as well: the connection is ended, or waits for more and is left.
    const wild = batchOf(arena, mid, 5);
    for (let i = 0; i < 10; i++) wild[arena.random.int(0, wild.length - 1)] = arena.random.int(0, 255);
    attacker.socket.end(wild);
    await attacker.closed;
  }
}

async function binaryMessages(arena: Arena, count: number): Promise<void> {
  const mid = arena.mid();
  for (let left = count; left > 0;) {
    const socket = await arena.enterWebSocket(left % 2 === 0 ? 'http' : 'tlsHttp', 'binary', mid);
    for (let sent = 0; sent < CONNECTION && left > 0; sent += BATCH, left -= BATCH) {
      const answer = encodePackage({ ver: 1, op: 3, seq: MARK, body: Buffer.alloc(0) });
      const answered = heardIn(socket, (data) => data.includes(answer));
      socket.send(Buffer.concat([batchOf(arena, mid, BATCH), heartbeatFrame(MARK)]));
      assert.ok(await answered, 'whole frames do not end the connection');
    }
    socket.terminate();
  }
}

async function cometTexts(arena: Arena, count: number): Promise<void> {
  const { random, gid } = arena;
  const mid = arena.mid();
  for (let left = count; left > 0;) {
    const socket = await arena.enterWebSocket('http', 'json', mid);
    let broken = false;
    for (let sent = 0; sent < BATCH && left > 0 && !broken; sent++, left--) {
      const body = random.pick([
        randomJson(random),
        `{"from":${mid},"to":${random.pick([mid, gid])},"msg":${randomJson(random)}}`,
        `{"group":${gid},"chatId":${random.int(0, 5)},"limit":${random.int(0, 9)},"order":"newest"}`,
      ]);
      const text = `{"ver":1,"op":${random.pick(ops)},"seq":${random.int(0, 9)},"body":${body}}`;
      broken = random.chance(0.05);
      socket.send(broken ? mutated(random, text) : text, () => {});
    }
    const closed = once(socket, 'close') as Promise<[number]>;
    socket.send('no JSON', () => {});
    const [code] = await closed;
    assert.ok([1007, 4400].includes(code), `${code}`);
  }
}

async function messagingTexts(arena: Arena, count: number): Promise<void> {
  const { random } = arena;
  const id = `mutant-${random.int32()}`;
  for (let left = count; left > 0;) {
    const socket = await arena.openWebSocket(
      left % 2 === 0 ? 'http' : 'tlsHttp',
      `/messaging?client_id=${id}`,
    );
    for (let sent = 0; sent < CONNECTION && left > 0; sent += BATCH, left -= BATCH) {
      for (let i = 0; i < BATCH; i++) socket.send(mutated(random, sections(random, id)));
      const mark = `mark-${left}`;
      const answered = heardIn(socket, (data) => data.includes(mark));
      socket.send(`{"send":[{"id":"${mark}","sid":"another","rid":"x"}]}`);
      assert.ok(await answered, 'texts do not end the connection');
    }
    socket.terminate();
  }
}

function sections(random: Random, id: string): string {
  const rid = random.pick([`"${id}"`, '"1500000000"', '"#7"', '1', randomJson(random, 1)]);
  const message = `{"id":${randomJson(random, 1)},"sid":"${id}","rid":${rid},"x":${randomJson(random, 2)}}`;
  return `{"${random.pick(['send', 'read', 'typing'])}":[${message}]}`;
}

async function httpRequests(arena: Arena, count: number): Promise<void> {
  const { random } = arena;
  for (let i = 0; i < count; i++) {
    const attacker = await arena.open(random.pick(['http', 'tlsHttp', 'admin', 'tlsTcp', 'tcp']));
    const make = random.pick([getRequest, upgradeRequest]);
    const path = random.pick(['/sub', '/messaging?client_id=%', '/v1/groups/7', '/%00', '*']);
    attacker.socket.end(mutated(random, make(path)), 'latin1');
    await attacker.closed;
  }
}

/** Whether such a message comes before the connection ends. */
function heardIn(socket: WebSocket, isIt: (data: Buffer) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const onMessage = (data: Buffer): void => {
      if (isIt(data)) done(true);
    };
    const onClose = (): void => {
      done(false);
    };
    const done = (heard: boolean): void => {
      socket.off('message', onMessage).off('close', onClose);
      resolve(heard);
    };
    if (socket.readyState === WebSocket.CLOSED) return done(false);
    socket.on('message', onMessage).on('close', onClose);
  });
}
