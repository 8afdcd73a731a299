import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import type { Authenticator } from '../../src/auth/auth.ts';
import type { Closed } from '../../src/client/index.ts';
import { cometKinds, connectComet, connectMessaging } from '../support/clients.ts';
import { Bench } from '../support/comet.ts';
import { watchMessaging } from '../support/messaging.ts';

/** Longer than it takes to connect, even on a busy machine. */
const lifeMs = 3_000;

/** Everyone is who they say, for a while; who shows "forever" for good. */
const authenticator: Authenticator = {
  authenticate: async (credentials) => {
    const isComet = credentials.protocol === 'comet';
    const user = isComet ? credentials.mid : credentials.clientId;
    const token = isComet ? credentials.mkey : credentials.token;
    return { ok: true, user, ...(token !== 'forever' && { expiresAt: Date.now() + lifeMs }) };
  },
};
const ranOut: Closed = { code: 4401, reason: 'the credentials have run out' };

// At once: each of these waits for the time to pass.
describe('credentials that run out', { concurrency: true }, () => {
  const bench = new Bench(2, { authenticator });

  for (const kind of cometKinds) {
    test(`end the connection with 4401 over ${kind}, with a notice before for who asked for it`, async () => {
      const client = await connectComet(kind, bench, bench.mid(), { notices: true });
      const [notice] = (await once(client, 'notice')) as [{ expiring: { in: number } }];
      assert.deepEqual(Object.keys(notice), ['expiring']);
      assert.ok(notice.expiring.in >= 1 && notice.expiring.in <= lifeMs / 1_000, `${notice.expiring.in}`);
      assert.deepEqual(await client.closed, ranOut);
    });

    test(`tell nothing that is not known to who did not ask, over ${kind}`, async () => {
      const wire = await bench.connect(kind);
      const frames: number[] = [];
      await assert.rejects(async () => {
        for (;;) frames.push((await wire.next()).op);
      });
      assert.deepEqual(await wire.closed, ranOut);
      assert.deepEqual(frames, kind === 'tcp' ? [6] : []);
    });
  }

  test('end a messaging connection with 4401, with a section before for who asked for it', async () => {
    const { client, texts } = await watchMessaging(bench, 'ann', 'client_id=ann&notices=1');
    assert.deepEqual(await client.closed, ranOut);
    assert.equal(texts.length, 1);
    assert.match(texts[0] ?? '', /^\{"expiring":\{"in":[123]\}\}$/);
    const plain = await watchMessaging(bench, 'bob');
    assert.deepEqual(await plain.client.closed, ranOut);
    assert.deepEqual(plain.texts, []);
  });

  test('lose nothing: what came meanwhile waits for the next connection', async () => {
    const sender = await connectComet('tcp', bench, bench.mid(), { mkey: 'forever' });
    const mid = bench.mid();
    const first = await connectComet('tcp', bench, mid);
    await first.closed;
    await sender.send(mid, 'meanwhile');
    const second = await connectComet('tcp', bench, mid);
    assert.equal((await second.nextMessage()).text, 'meanwhile');
    await Promise.all([second.close(), sender.close()]);
  });

  test('are no matter for those that have no end', async () => {
    const kept = await connectMessaging(bench, 'kept', { token: 'forever', notices: true });
    const peer = await connectMessaging(bench, 'peer', { token: 'forever' });
    const ends = await connectMessaging(bench, 'ends');
    await ends.closed;
    peer.send('kept', { text: 'still here' });
    assert.equal((await kept.nextMessage())['text'], 'still here');
    await Promise.all([kept.close(), peer.close()]);
  });
});
