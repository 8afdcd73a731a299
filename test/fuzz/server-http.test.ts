/** As server-comet.test.ts, for messaging texts and for what is hardly HTTP. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import type { Server } from '../../src/server.ts';
import { Bystanders } from '../support/bystanders.ts';
import { connectMessaging } from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import { getRequest, statusOf, upgradeRequest } from '../support/messaging.ts';
import { mutated, randomJson } from '../support/random-json.ts';
import { seededRandom, type Random } from '../support/random.ts';
import { startTestServer } from '../support/server.ts';

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

function randomSections(random: Random, clientId: string): string {
  const id = (): string =>
    random.pick(['1', '"a"', '1e2', '12345678901234567890', '""', 'null', randomJson(random, 1)]);
  const message = (): string =>
    random.chance(0.8)
      ? `{"id":${id()},"sid":"${clientId}","rid":${random.pick([`"${clientId}"`, '"#7"', '"#news"', id()])},"x":${randomJson(random)}}`
      : randomJson(random);
  const list = (): string => `[${Array.from({ length: random.int(0, 4) }, message).join(',')}]`;
  const section = (): string =>
    `${random.pick(['"send"', '"read"', '"typing"'])}:${random.chance(0.8) ? list() : randomJson(random)}`;
  const text = `{${Array.from({ length: random.int(0, 3) }, section).join(',')}}`;
  return random.chance(0.6) ? text : mutated(random, text);
}

test('/messaging: random texts never end a connection, and what follows them is carried out.', async () => {
  const random = seededRandom('server-messaging');
  const sinkId = ids.name();
  const sink = await connectMessaging(server, sinkId);
  for (let round = 0; round < rounds; round++) {
    const clientId = ids.name();
    const client = await connectMessaging(server, clientId);
    for (let i = random.int(1, 10); i > 0; i--) client.sendRaw(randomSections(random, clientId));
    const id = client.send(sinkId, {});
    assert.equal((await sink.nextMessage()).id, id);
    if (random.chance(0.3)) {
      client.sendRaw(random.bytes(random.int(0, 20)));
      assert.equal((await client.closed).code, 1003);
    } else await client.close();
    if (round % 10 === 0) await bystanders.check();
  }
  await sink.close();
  await bystanders.check();
});

const lines = [
  'Host: encke',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAA',
  'Content-Length: 5',
  'Content-Length: -1',
  'Transfer-Encoding: chunked',
  'X: \u0000',
  ': ',
  `X: ${'y'.repeat(9_000)}`,
];

function randomRequest(random: Random): string {
  const path = random.pick([
    '/',
    '/sub',
    '/messaging?client_id=%',
    '/messaging?client_id=x&device_id=%ff',
    '*',
    'http://[',
    '//',
    '/%00',
  ]);
  switch (random.int(0, 4)) {
    case 0:
      return mutated(random, getRequest(path));
    case 1:
      return mutated(random, upgradeRequest(path));
    case 2:
      return upgradeRequest(path) + random.bytes(random.int(0, 100)).toString('latin1');
    case 3: {
      const head = Array.from({ length: random.int(0, 6) }, () => random.pick(lines));
      return `${random.pick(['GET', 'POST', 'CONNECT', 'G\u0000T'])} ${path} HTTP/${random.pick(['1.1', '1.0', '9'])}\r\n${head.join('\r\n')}\r\n\r\n`;
    }
    default:
      return random.bytes(random.int(1, 300)).toString('latin1');
  }
}

test('The HTTP port takes any garbage: an answer or a closed socket, and nobody else notices.', async () => {
  const random = seededRandom('server-http');
  const { host, port } = server.httpAddress;
  for (let round = 0; round < rounds * 2; round++) {
    const socket = connect(port, host);
    let answer = '';
    socket.on('error', () => {}); // 'close' follows
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
    socket.end(randomRequest(random), 'latin1'); // with the FIN behind it, nothing is left to wait for
    await once(socket, 'close');
    if (answer !== '') assert.ok(statusOf(answer) >= 100, answer.slice(0, 100));
    if (round % 20 === 0) await bystanders.check();
  }
  await bystanders.check();
});
