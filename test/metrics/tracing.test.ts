import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { trace } from '@opentelemetry/api';
import { findTracer } from '../../src/tracing.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { connectMessaging, connectTcp } from '../support/clients.ts';
import { until } from '../support/messaging.ts';
import { spawnServer, startTestServer } from '../support/server.ts';
import { registerProvider, type Ended } from '../support/spans.ts';

after(() => trace.disable());

test('without a provider there is no tracer', () => {
  assert.equal(findTracer(), undefined);
});

test('a provider that an embedder registers gets spans of authentication and admin requests', async (t) => {
  const ended: Ended[] = [];
  registerProvider((span) => ended.push(span));
  t.after(() => trace.disable());
  const server = await startTestServer({
    authenticator: {
      authenticate: async ({ protocol }) => {
        if (protocol === 'messaging') throw new TypeError('a secret: hush');
        return { ok: true, user: 1 };
      },
    },
  });
  t.after(() => server.close());
  const client = await connectTcp(server, 1);
  await assert.rejects(connectMessaging(server, 'ann'));
  await putGroup(server, 7, [1]);
  await adminRequest(server.adminAddress, 'GET', '/v1/groups/8');
  await until(() => ended.length === 4, 'four spans have ended');
  assert.deepEqual(ended, [
    { name: 'encke.authenticate', attributes: { 'encke.protocol': 'comet' }, failed: false },
    {
      name: 'encke.authenticate',
      attributes: { 'encke.protocol': 'messaging', 'error.type': 'TypeError' },
      failed: true,
    },
    {
      name: 'encke.admin PUT /v1/groups/:gid',
      attributes: {
        'http.request.method': 'PUT',
        'http.route': '/v1/groups/:gid',
        'http.response.status_code': 201,
      },
      failed: false,
    },
    {
      name: 'encke.admin GET /v1/groups/:gid',
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/v1/groups/:gid',
        'http.response.status_code': 404,
      },
      failed: false,
    },
  ]);
  await client.close();
});

test('node --import registers a provider in every thread: commits are traced as well', async () => {
  const provider = new URL('../support/spans-to-stderr.js', import.meta.url);
  const server = await spawnServer(['--workers', '1'], { NODE_OPTIONS: `--import ${provider.href}` });
  try {
    const client = await connectTcp(server, 1);
    await client.send(2, 'hello');
    await server.logged('span thread encke.commit {"encke.runs":1}');
    await server.logged('span main encke.authenticate');
    await client.close();
  } finally {
    await server.stop();
  }
});
