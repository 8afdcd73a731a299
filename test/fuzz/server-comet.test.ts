/**
 * A live server is sent what no client would send, while others use it. Its seed is printed;
 * ENCKE_FUZZ_SEED runs it again. What must hold: no thread dies, no connection of others suffers,
 * every frame before a bad one is answered, and every connection that broke the protocol is ended.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encodePackage } from '../../src/client/frames.ts';
import type { Frame } from '../../src/client/index.ts';
import type { CometClient } from '../../src/client/index.ts';
import { putGroup } from '../support/admin.ts';
import {
  connectTcp,
  connectWebSocket,
  connectWebSocketBinary,
  openTcp,
  openWebSocket,
} from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import { mutated, randomJson } from '../support/random-json.ts';
import { seededRandom, type Random } from '../support/random.ts';
import { Bystanders } from '../support/bystanders.ts';
import { startTestServer } from '../support/server.ts';
import type { Server } from '../../src/server.ts';

const ids = new Ids(2);
let server: Server;
let bystanders: Bystanders;

before(async () => {
  server = await startTestServer();
  bystanders = await Bystanders.connect(server);
});
after(async () => {
  await bystanders.close();
  await server.close();
});

const rounds = 150;
const ops = [0, 2, 3, 6, 7, 8, 9, 18, 18, 18, 19, 20, 20, 21, 22, 22, 23, 24, 24, 25, -1, 99, 0x7fff_ffff];

/** A whole frame, good or with a body that is not. */
function randomFrame(random: Random, mid: number, gid: number, seq: number): Buffer {
  const op = random.pick(ops);
  let body = random.bytes(random.int(0, 40));
  if ((op === 18 || op === 20) && random.chance(0.8)) {
    body = Buffer.alloc(8 + random.int(0, 300));
    body.writeInt32BE(random.chance(0.9) ? mid : random.int32(), 0);
    body.writeInt32BE(random.pick([mid, gid, random.int32(), 0, -1]), 4);
  } else if (op === 7) body = Buffer.from(mutated(random, `{"mid":${mid},"mkey":"","ack":true}`));
  else if ((op === 22 || op === 24) && random.chance(0.8)) body = queryBody(random, op, mid, gid);
  return encodePackage({ ver: random.pick([0, 1, 1, 1, 2, -1]), op, seq, body });
}

/** The body of op 22 or 24, most of them good. */
function queryBody(random: Random, op: number, mid: number, gid: number): Buffer {
  const kind = random.pick([0, 0, 1, 1, 2, 3]);
  const name = Buffer.from(kind === 2 ? 'bystander' : '');
  const body = Buffer.alloc(op === 22 ? 13 : 26);
  body.writeInt8(kind, 0);
  body.writeInt32BE(kind === 2 ? 0 : random.pick([mid, gid, gid, random.int32(), 0]), 1);
  for (let at = 5; at + 8 <= body.length; at += 8)
    body.writeBigInt64BE(BigInt(random.pick([0, 1, 3, 50, -1, Number.MAX_SAFE_INTEGER])), at);
  if (op === 24) {
    body.writeInt32BE(random.pick([0, 1, 7, 256, 257]), 21);
    body.writeInt8(random.int(0, 2), 25);
  }
  return Buffer.concat([body, name]);
}

/** Bytes that can be no frame: what a header may not say. */
function badHeader(random: Random): Buffer {
  const frame = encodePackage({ ver: 1, op: 18, seq: 1, body: random.bytes(random.int(0, 30)) });
  switch (random.int(0, 4)) {
    case 0:
      frame.writeInt32BE(random.pick([0, 15, -1, -2_147_483_648]), 0);
      break;
    case 1:
      frame.writeInt32BE(random.pick([65_537, 1 << 20, 0x7fff_ffff]), 0);
      break;
    case 2:
      frame.writeInt16BE(random.pick([0, 15, -1, -32_768]), 4);
      break;
    default:
      frame.writeInt16BE(frame.length + 1, 4);
  }
  return frame;
}

/** Writes the bytes in pieces of random sizes. */
async function writeInPieces(random: Random, client: CometClient, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const end = at + random.int(1, random.pick([1, 5, 40, 4_000]));
    client.sendRaw(bytes.subarray(at, end));
    at = end;
    if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
  }
}

const replyOps = new Map([
  [2, 3],
  [7, 8],
  [18, 19],
  [20, 21],
  [22, 23],
  [24, 25],
]);

/** Replies to these requests have come, in their order. Pushes are skipped. */
async function assertAnswered(client: CometClient, frames: readonly Buffer[]): Promise<void> {
  for (const frame of frames) {
    const [op, seq] = [frame.readInt32BE(8), frame.readInt32BE(12)];
    let reply: Frame;
    do reply = await client.nextFrame();
    while (reply.op === 9 && reply.seq === 0);
    assert.deepEqual([reply.op, reply.seq], [replyOps.get(op) ?? op, seq]);
  }
}

test('TCP: frames cut anywhere are answered in order, a bad header ends with 1002 or 1009 after that.', async () => {
  const random = seededRandom('server-tcp');
  const gid = ids.mid();
  const mid = ids.mid();
  await putGroup(server, gid, [mid]);
  for (let round = 0; round < rounds; round++) {
    const client = await connectTcp(server, mid, { unpack: false });
    const frames = Array.from({ length: random.int(0, 12) }, (_, i) =>
      randomFrame(random, mid, gid, 1_000 + i),
    );
    const breaks = random.chance(0.7);
    const writing = writeInPieces(
      random,
      client,
      Buffer.concat([...frames, ...(breaks ? [badHeader(random)] : [])]),
    );
    await assertAnswered(client, frames);
    await writing;
    if (breaks) assert.ok([1002, 1009].includes((await client.closed).code));
    else await client.close();
    if (round % 10 === 0) await bystanders.check();
  }
  await bystanders.check();
});

test('TCP: random bytes before or after authentication end the connection or wait for more.', async () => {
  const random = seededRandom('server-tcp-bytes');
  for (let round = 0; round < rounds; round++) {
    const client = random.chance(0.5) ? await openTcp(server) : await connectTcp(server, ids.mid());
    const bytes = random.bytes(random.int(1, 200));
    // A first byte above 0 is a length over the limit: such a connection is ended. Others may wait.
    if (random.chance(0.7)) bytes[0] = random.int(1, 255);
    else if (bytes.length >= 4) bytes.writeInt32BE(random.int(0, 70_000), 0);
    await writeInPieces(random, client, bytes);
    if ((bytes[0] ?? 0) > 0 && bytes.length >= 16)
      assert.ok([1002, 1009].includes((await client.closed).code));
    else await client.close();
    if (round % 10 === 0) await bystanders.check();
  }
  await bystanders.check();
});

test('TCP: mutated and truncated streams never hurt anyone else.', async () => {
  const random = seededRandom('server-tcp-mutated');
  const mid = ids.mid();
  const auth = encodePackage({ ver: 1, op: 7, seq: 1, body: Buffer.from(`{"mid":${mid},"mkey":""}`) });
  for (let round = 0; round < rounds; round++) {
    const client = await openTcp(server, { unpack: false });
    const frames = Array.from({ length: random.int(1, 8) }, (_, i) => randomFrame(random, mid, mid, i));
    const bytes = Buffer.concat([auth, ...frames]);
    for (let i = random.int(1, 4); i > 0; i--) bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
    await writeInPieces(random, client, bytes.subarray(0, random.int(1, bytes.length)));
    if (random.chance(0.5)) client.destroy();
    else await client.close(); // the server ends its side as well, whatever it has read
    if (round % 10 === 0) await bystanders.check();
  }
  await bystanders.check();
});

test('/sub: binary messages of many frames are answered up to the bad one, which ends with 1002 or 1009.', async () => {
  const random = seededRandom('server-ws-binary');
  const mid = ids.mid();
  for (let round = 0; round < rounds; round++) {
    const client = await connectWebSocketBinary(server, mid, { unpack: false });
    const frames = Array.from({ length: random.int(0, 12) }, (_, i) =>
      randomFrame(random, mid, mid, 1_000 + i),
    );
    const bad = random.pick([badHeader(random), random.bytes(random.int(1, 15)), Buffer.alloc(0)]);
    const whole = Buffer.concat([...frames, bad]);
    if (bad.length === 0 && whole.length > 0) {
      client.sendRaw(whole);
      client.sendRaw(bad); // an empty message
    } else client.sendRaw(whole);
    await assertAnswered(client, frames);
    assert.ok([1002, 1009].includes((await client.closed).code));
    if (round % 10 === 0) await bystanders.check();
  }
  await bystanders.check();
});

test('/sub: random JSON is answered or ends the connection with 1007 or 4400, after what came before.', async () => {
  const random = seededRandom('server-ws-json');
  const mid = ids.mid();
  for (let round = 0; round < rounds; round++) {
    const client = await connectWebSocket(server, mid, { unpack: false });
    const good = Array.from({ length: random.int(0, 5) }, (_, i) => client.send(mid, `round ${round} ${i}`));
    for (let i = random.int(1, 6); i > 0; i--) {
      const body = random.pick([
        randomJson(random),
        `{"from":${mid},"to":${mid},"msg":${randomJson(random)}}`,
        `{"with":${mid},"chatId":${random.int(0, 5)},"limit":${random.int(0, 9)},"order":"newest"}`,
      ]);
      const text = `{"ver":1,"op":${random.pick(ops)},"seq":${random.int(0, 9)},"body":${body}}`;
      client.sendRaw(random.chance(0.5) ? text : mutated(random, text));
    }
    await Promise.all(good);
    client.sendRaw('no JSON');
    const { code } = await client.closed;
    assert.ok([1007, 4400].includes(code), `${code}`);
    if (round % 10 === 0) await bystanders.check();
  }
  await bystanders.check();
});

test('/sub: whatever comes before op 7 ends the connection.', async () => {
  const random = seededRandom('server-ws-early');
  for (let round = 0; round < rounds; round++) {
    const client = await openWebSocket(server, 'json');
    if (random.chance(0.5)) client.sendRaw(random.bytes(random.int(0, 60)));
    else client.sendRaw(mutated(random, `{"ver":1,"op":18,"seq":1,"body":${randomJson(random)}}`));
    const { code } = await client.closed;
    assert.ok([1002, 1007, 1009, 4400, 4401].includes(code), `${code}`);
  }
  await bystanders.check();
});
