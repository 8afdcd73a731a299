import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Authenticator } from '../../src/auth/auth.ts';
import { defaultPermissions } from '../../src/auth/permissions.ts';
import type { Server } from '../../src/server.ts';
import {
  cometKinds,
  connectComet,
  connectMessaging,
  connectTcp,
  connectWebSocket,
} from '../support/clients.ts';
import { startTestServer } from '../support/server.ts';

/** Refilled so slowly that no test sees it. */
const perSecond = 0.001;
const goldFrom = 1_000;

/** Mids from `goldFrom` on are of the class gold. */
const authenticator: Authenticator = {
  authenticate: (credentials) => {
    if (credentials.protocol === 'messaging')
      return Promise.resolve({ ok: true, user: credentials.clientId });
    const { mid } = credentials;
    const permissions = { ...defaultPermissions, ...(mid >= goldFrom && { rateClass: 'gold' }) };
    return Promise.resolve({ ok: true, user: mid, permissions });
  },
};

describe('rates', { timeout: 30_000 }, () => {
  let server: Server;
  before(async () => {
    server = await startTestServer({
      authenticator,
      rates: {
        connection: { perSecond, burst: 5 },
        user: { perSecond, burst: 8 },
        classes: { gold: { perSecond, burst: 20 } },
      },
    });
  });
  after(() => server.close());

  for (const [i, kind] of cometKinds.entries()) {
    test(`${kind}: as many requests as the bucket holds are answered, then the connection ends with 4429`, async () => {
      const client = await connectComet(kind, server, 11 + i);
      const replies = await Promise.allSettled(
        Array.from({ length: 7 }, (_, n) => (n === 2 ? client.heartbeat() : client.send(12, `${n}`))),
      );
      assert.deepEqual(
        replies.map(({ status }) => status === 'fulfilled'),
        [true, true, true, true, true, false, false],
      );
      assert.equal((await client.closed).code, 4429);
    });
  }

  test('messaging: entries count, and none of a text that has too many is carried out', async () => {
    const sink = await connectMessaging(server, 'sink');
    const client = await connectMessaging(server, 'fast');
    const send = (ids: number[]): void => {
      client.sendSections({ send: ids.map((id) => ({ id, sid: 'fast', rid: 'sink' })) });
    };
    send([1, 2, 3]);
    client.sendSections({}); // one as well
    send([4, 5]);
    assert.equal((await client.closed).code, 4429);
    for (const id of [1, 2, 3]) assert.equal((await sink.nextMessage()).id, id);
    const again = await connectMessaging(server, 'fast');
    again.sendSections({ send: [{ id: 6, sid: 'fast', rid: 'sink' }] });
    assert.equal((await sink.nextMessage()).id, 6);
    await again.close();
    await sink.close();
  });

  test('the connections of a user share a bucket, which one that connects anew finds as it was', async () => {
    const [a, b] = [await connectTcp(server, 21), await connectWebSocket(server, 21)];
    for (let i = 0; i < 4; i++) await a.heartbeat();
    for (let i = 0; i < 4; i++) await b.heartbeat();
    await assert.rejects(a.heartbeat());
    assert.equal((await a.closed).code, 4429);
    await b.close();
    const c = await connectTcp(server, 21);
    await assert.rejects(c.heartbeat());
    assert.equal((await c.closed).code, 4429);
  });

  test('a rate class has the bucket of its name', async () => {
    const client = await connectTcp(server, goldFrom);
    for (let i = 0; i < 20; i++) await client.heartbeat();
    await assert.rejects(client.heartbeat());
    assert.equal((await client.closed).code, 4429);
  });
});
