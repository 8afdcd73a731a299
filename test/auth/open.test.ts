import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Credentials } from '../../src/auth/auth.ts';
import { openAuthenticator } from '../../src/auth/open.ts';

const remoteAddress = '127.0.0.1';
const ask = (credentials: Credentials): Promise<unknown> =>
  openAuthenticator.authenticate(credentials, AbortSignal.timeout(1_000));

test('everyone is who they say', async () => {
  assert.deepEqual(await ask({ protocol: 'comet', mid: 7, mkey: '', remoteAddress }), { ok: true, user: 7 });
  const messaging = (clientId: string): Promise<unknown> =>
    ask({ protocol: 'messaging', clientId, remoteAddress });
  assert.deepEqual(await messaging('ann'), { ok: true, user: 'ann' });
  assert.deepEqual(await messaging('7'), { ok: true, user: 7 });
  assert.deepEqual(await messaging('07'), { ok: true, user: '07' });
});

test('a name that nobody can have is refused', async () => {
  assert.deepEqual(await ask({ protocol: 'messaging', clientId: '0', remoteAddress }), {
    ok: false,
    error: 'not_authenticated',
    reason: 'no such client id',
  });
});
