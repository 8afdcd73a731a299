import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closes } from '../../src/errors.ts';
import { reasonText } from '../../src/net/close-frame.ts';
import { connectComet, connectMessaging, openTcp, openWebSocket } from '../support/clients.ts';
import { startTestServer } from '../support/server.ts';

const kinds = ['tcp', 'ws-json', 'ws-binary'] as const;
const WINDOW_MS = 1_000_000;
const reason = closes.goingAway.reason;

/** Connections of every kind, closed by a drain: what each was told. */
async function drained(drainReconnectMs: number): Promise<readonly { reason: string; retryMs?: number }[]> {
  const server = await startTestServer({ drainReconnectMs });
  const clients = [
    ...(await Promise.all(kinds.map((kind, i) => connectComet(kind, server, i + 1)))),
    await connectMessaging(server, 'ann'),
    // These have not authenticated.
    await openTcp(server),
    await openWebSocket(server, 'json'),
  ];
  await server.drain();
  const closed = await Promise.all(clients.map((client) => client.closed));
  for (const { code } of closed) assert.equal(code, 1001);
  return closed;
}

test('a server that stops tells each client another time within the window', async () => {
  const closed = await drained(WINDOW_MS);
  for (const { retryMs, ...told } of closed) {
    assert.ok(retryMs !== undefined && Number.isInteger(retryMs), JSON.stringify(told));
    assert.ok(retryMs >= 0 && retryMs < WINDOW_MS);
    assert.ok([reason, `${reason}; retryMs=${retryMs}`].includes(told.reason), told.reason);
  }
  assert.equal(new Set(closed.map(({ retryMs }) => retryMs)).size, closed.length);
});

test('with a window of 0 it tells nobody', async () => {
  for (const told of await drained(0)) assert.deepEqual(told, { code: 1001, reason });
});

test('other closes have no such time', async () => {
  const server = await startTestServer({ authTimeoutMs: 10 });
  for (const client of [await openTcp(server), await openWebSocket(server, 'json')])
    assert.deepEqual(await client.closed, { code: 4401, reason: 'no op 7 in time' });
  await server.close();
});

test('a reason that leaves no room for the time goes without it', () => {
  assert.ok(Buffer.byteLength(reasonText(closes.goingAway, 3_600_000)) <= 123);
  assert.match(reasonText(closes.goingAway, 3_600_000), /; retryMs=3600000$/);
  const long = 'r'.repeat(123);
  assert.equal(reasonText({ code: 1001, reason: long }, 1), long);
});
