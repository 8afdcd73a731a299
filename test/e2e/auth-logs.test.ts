import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otherSecret, secret, signed } from '../support/auth.ts';
import { connectMessaging, connectTcp } from '../support/clients.ts';
import { Wire } from '../support/comet.ts';
import { rawHttp, statusOf, upgradeRequest, watchMessaging } from '../support/messaging.ts';
import { spawnServer } from '../support/server.ts';

test('no secret and no token is in the log, at any level, whether it lets its user in or not', async () => {
  const args = ['--auth', 'token', '--guests', 'publish', '--log-level', 'trace'];
  const server = await spawnServer(args, { ENCKE_AUTH_SECRET: secret });
  const [good, bad] = [signed(21, 0), signed(21, 0, otherSecret)];
  await (await connectTcp(server, 21, { mkey: good })).close();
  await (await connectMessaging(server, 21, { token: good })).close();
  const { client: guest } = await watchMessaging(server, '', '');
  const { token: guestToken } = await guest.welcome;
  await guest.close();
  const wire = await Wire.open('tcp', server);
  wire.jsonFrame(7, 1, { mid: 21, mkey: bad });
  assert.equal((await wire.closed).code, 4401);
  const inQuery = upgradeRequest(`/messaging?client_id=21&token=${bad}`);
  const inHeader = upgradeRequest('/messaging?client_id=21').replace(
    '\r\n',
    `\r\nAuthorization: Bearer ${bad}\r\n`,
  );
  for (const request of [inQuery, inHeader]) {
    const answer = await rawHttp(server.httpAddress, request);
    assert.equal(statusOf(answer), 401);
    assert.ok(!answer.includes(bad));
  }
  const { stdout, stderr } = await server.stop();
  assert.match(stderr, /connection authenticated/);
  for (const hidden of [secret, good, bad, guestToken]) assert.ok(!(stdout + stderr).includes(hidden));
});
