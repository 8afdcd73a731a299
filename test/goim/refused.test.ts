import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Credentials } from '../../src/auth/auth.ts';
import { GoimConnection, goimKinds } from '../support/goim.ts';
import { startTestServer } from '../support/server.ts';

test('A goim client is authenticated by its mkey; one that is refused gets no op 8, which clients of goim take for a success.', async () => {
  const asked: Credentials[] = [];
  const server = await startTestServer({
    authenticator: {
      authenticate: async (credentials) => {
        asked.push(credentials);
        const secret = credentials.protocol === 'comet' ? credentials.mkey : credentials.token;
        if (secret !== 'secret') return { ok: false, error: 'not_authenticated', reason: 'wrong' };
        return { ok: true, user: credentials.protocol === 'comet' ? credentials.mid : credentials.clientId };
      },
    },
  });
  try {
    for (const kind of goimKinds) {
      const refused = await GoimConnection.open(kind, server);
      refused.frame(7, 1, '{"mid":123,"accepts":[1000]}');
      assert.equal(await refused.closed, kind === 'ws' ? 4401 : 0);
      assert.ok(!refused.hasMore);
      for (const mid of [123, 0, 3_000_000_000]) {
        const client = await GoimConnection.connect(kind, server, { mid, accepts: [1000], mkey: 'secret' });
        client.close();
      }
    }
  } finally {
    await server.close();
  }
  const names = asked.map((credentials) =>
    credentials.protocol === 'comet'
      ? `mid ${credentials.mid}`
      : `client ${credentials.clientId.replace(/^goim:[0-9a-f-]{36}$/, 'goim:UUID')}`,
  );
  const once = ['mid 123', 'mid 123', 'client goim:UUID', 'client 3000000000'];
  assert.deepEqual(names, [...once, ...once]);
});
