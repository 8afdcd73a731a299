import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { connect, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { Connection } from '../../src/net/connection.ts';
import { DeferredTcpConnection, DeferredWebSocketConnection } from '../../src/net/deferred-connection.ts';
import { WebSocket, WebSocketServer } from 'ws';
import { certificates } from '../support/certificates.ts';

const listener = createServer({ highWaterMark: 1 });
const tls = createTlsServer(certificates[0]);
before(async () => {
  listener.on('connection', (socket) => tls.emit('connection', socket));
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
});
after(() => listener.close());

/** Both ends of a TLS connection, and what the listener of the server's end was told. */
async function pair() {
  const { port } = listener.address() as AddressInfo;
  const accepted = once(tls, 'secureConnection') as Promise<[TLSSocket]>;
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  const [socket] = await accepted;
  socket.on('error', () => {});
  client.on('error', () => {});
  const told: string[] = [];
  const tell = (what: string) => (_connection: Connection) => void told.push(what);
  const connection = new DeferredTcpConnection(1, socket, {
    congested: tell('congested'),
    drained: tell('drained'),
    deferred: tell('deferred'),
    closing: () => {},
  });
  socket.on('drain', () => {
    connection.onDrain();
  });
  return { client, socket, connection, told };
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('A write over TLS that the kernel takes is known as taken within the tick, and no congestion is told.', async () => {
  const { client, connection, told } = await pair();
  client.resume();
  assert.equal(connection.write(Buffer.from('one'), 1), false, 'its bytes are not given back');
  connection.write(Buffer.from('two'), 1);
  assert.deepEqual([connection.taken, told], [0, ['deferred']], 'once until it expires');
  await tick();
  connection.expire();
  assert.deepEqual([connection.taken, told], [2, ['deferred']]);
  connection.write(Buffer.from('three'), 1);
  assert.deepEqual(told, ['deferred', 'deferred']);
  client.destroy();
});

test('A write that is not taken when it expires is told as congestion, and as drained when it is.', async () => {
  const { client, socket, connection, told } = await pair();
  client.pause();
  const chunk = Buffer.alloc(1 << 20, 'x');
  let writes = 0;
  while (connection.taken === writes) {
    connection.write(chunk, 1);
    writes += 1;
    await tick();
    connection.expire();
  }
  assert.deepEqual(
    told.filter((what) => what !== 'deferred'),
    ['congested'],
  );
  const drained = once(socket, 'drain');
  client.resume();
  await drained;
  await tick();
  assert.equal(connection.taken, writes);
  assert.equal(told.at(-1), 'drained');
  client.destroy();
});

test('What expires before the tick is over counts as not taken.', async () => {
  const { client, connection, told } = await pair();
  client.resume();
  connection.write(Buffer.from('one'), 1);
  connection.expire();
  assert.deepEqual([connection.taken, told], [0, ['deferred', 'congested']]);
  await tick();
  assert.deepEqual([connection.taken, told], [1, ['deferred', 'congested', 'drained']]);
  client.destroy();
});

test('A ping or pong behind a write does not leave a WebSocket congested for ever.', async () => {
  const { client, socket } = await pair();
  const web = new WebSocketServer({ noServer: true });
  const http = createHttpServer();
  const upgraded = new Promise<WebSocket>((resolve) => {
    http.on('upgrade', (request, duplex, head) => web.handleUpgrade(request, duplex, head, resolve));
  });
  http.emit('connection', socket);
  const peer = new WebSocket('ws://localhost', { createConnection: () => client });
  const webSocket = await upgraded;
  await once(peer, 'open');
  const wsFrame = Buffer.concat([Buffer.from('8103', 'hex'), Buffer.from('one')]); // one text message
  for (const more of ['ping', 'pong'] as const) {
    const told: string[] = [];
    const drained = new Promise<void>((resolve) => {
      const connection = new DeferredWebSocketConnection(
        1,
        socket,
        webSocket,
        {
          congested: () => told.push('congested'),
          drained: () => resolve(),
          deferred: () => {},
          closing: () => {},
        },
        false,
      );
      connection.write(wsFrame, 1);
      connection[more](Buffer.alloc(0));
      connection.expire();
    });
    assert.deepEqual(told, ['congested']);
    await drained;
  }
  peer.terminate();
});
