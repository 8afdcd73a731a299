import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { closes } from '../../src/errors.ts';
import type { WebSocketConnection } from '../../src/net/connection.ts';
import { KeepAlive } from '../../src/net/keep-alive.ts';
import { ManualTimers } from '../support/timers.ts';

/** As much of a WebSocket connection as is kept alive. */
class Client {
  readonly webSocket = new EventEmitter();
  pings = 0;
  ended: unknown[] = [];

  ping(): void {
    this.pings += 1;
  }

  end(close: unknown): void {
    this.ended.push(close);
  }

  get connection(): WebSocketConnection {
    return this as unknown as WebSocketConnection;
  }
}

test('A client that answers pings, or says something, is kept however long it lasts.', (t) => {
  const timers = new ManualTimers(t);
  const keepAlive = new KeepAlive(1000);
  assert.deepEqual(timers.waiting, [500]);
  const [answering, talking] = [new Client(), new Client()];
  for (const client of [answering, talking]) keepAlive.add(client.connection);
  for (let i = 1; i <= 5; i++) {
    timers.fire();
    assert.deepEqual([answering.pings, talking.pings], [i, i]);
    answering.webSocket.emit('pong');
    talking.webSocket.emit('message');
  }
  assert.deepEqual([answering.ended, talking.ended], [[], []]);
});

test('A client that answers nothing is ended once, as idle, when the time is over.', (t) => {
  const timers = new ManualTimers(t);
  const keepAlive = new KeepAlive(1000);
  const client = new Client();
  keepAlive.add(client.connection);
  timers.fire();
  assert.deepEqual(client.ended, []);
  timers.fire();
  assert.deepEqual(client.ended, [closes.idle]);
  client.webSocket.emit('pong'); // too late
  timers.fire();
  timers.fire();
  assert.deepEqual([client.ended.length, client.pings], [1, 1]);
});

test('A connection that is gone is neither pinged nor ended, and nothing is once it stops.', (t) => {
  const timers = new ManualTimers(t);
  const keepAlive = new KeepAlive(1000);
  const client = new Client();
  keepAlive.add(client.connection);
  keepAlive.delete(client.connection);
  client.webSocket.emit('message');
  for (let i = 0; i < 3; i++) timers.fire();
  assert.deepEqual([client.pings, client.ended], [0, []]);
  keepAlive.stop();
  assert.deepEqual(timers.waiting, []);
});
