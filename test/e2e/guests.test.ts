import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MessagingClient } from '../../src/client/index.ts';
import { secret, signed } from '../support/auth.ts';
import { adminRequest, putGroup } from '../support/admin.ts';
import { connectMessaging } from '../support/clients.ts';
import { Bench } from '../support/comet.ts';
import { getRequest, rawHttp, statusOf, upgradeRequest, watchMessaging } from '../support/messaging.ts';

/** A guest that the server has told its name. */
async function connectGuest(bench: Bench, query = ''): Promise<{ client: MessagingClient; texts: string[] }> {
  const watched = await watchMessaging(bench, '', query);
  await watched.client.welcome;
  return watched;
}

const refusedWith = async (bench: Bench, query: string): Promise<number> =>
  statusOf(await rawHttp(bench.httpAddress, upgradeRequest(`/messaging${query}`)));

describe('--guests', () => {
  const bench = new Bench(2, {
    auth: { kind: 'token', secrets: [secret] },
    guests: { publish: false, secrets: [secret] },
  });

  test('messaging without a client_id is a guest, told its name before everything else', async () => {
    const { client, texts } = await connectGuest(bench);
    const { client_id: name, token } = await client.welcome;
    assert.match(name, /^guest:[A-Za-z0-9_-]{22}$/);
    assert.deepEqual(texts, [JSON.stringify({ welcome: { client_id: name, token } })]);
    await client.close();
  });

  test('a guest gets what is sent to its name, and finds it unread when it comes back', async () => {
    const sender = await connectMessaging(bench, 'ann', { token: signed('ann', 0) });
    const { client } = await connectGuest(bench);
    const { client_id: name, token } = await client.welcome;
    const id = sender.send(name, { text: 'hello' });
    assert.equal((await client.nextMessage()).id, id);
    await client.close();
    const back = await connectGuest(bench, `client_id=${name}&token=${token}`);
    assert.equal((await back.client.welcome).client_id, name);
    assert.equal((await back.client.nextMessage()).id, id);
    assert.match(back.texts[0] ?? '', /^\{"welcome":/);
    await Promise.all([back.client.close(), sender.close()]);
  });

  test('a guest may not send, not even to itself, and to groups it never may', async () => {
    await putGroup(bench, 7, [21]);
    const { client } = await connectGuest(bench);
    const sid = client.clientId;
    const rids = [21, 'ann', sid, '#7'];
    client.sendSections({ send: rids.map((rid, id) => ({ id, sid, rid })) });
    const errors: string[] = [];
    for (const _ of rids) errors.push((await client.nextError()).error);
    assert.deepEqual(errors, ['forbidden', 'forbidden', 'forbidden', 'not_supported']);
    await client.close();
  });

  test('nobody is a guest without the token of that guest', async () => {
    const { client } = await connectGuest(bench);
    const { client_id: name } = await client.welcome;
    const other = await connectGuest(bench);
    const { token } = await other.client.welcome;
    for (const wrong of ['', '&token=', `&token=${token}`, `&token=${signed(name, 0)}`]) {
      assert.equal(await refusedWith(bench, `?client_id=${name}${wrong}`), 401, wrong);
    }
    await Promise.all([client.close(), other.client.close()]);
  });

  test('a guest that is banned is put out, and its token does not let it in', async () => {
    const { client } = await connectGuest(bench);
    const { client_id: name, token } = await client.welcome;
    const path = `/v1/users/${encodeURIComponent(name)}/ban`;
    assert.equal((await adminRequest(bench.adminAddress, 'PUT', path, {})).status, 200);
    assert.equal((await client.closed).code, 4403);
    assert.equal(await refusedWith(bench, `?client_id=${name}&token=${token}`), 403);
  });

  test('who names itself must show its credentials: an empty name is no guest', async () => {
    for (const query of ['?client_id=', '?client_id=0', '?client_id=ann', '?client_id=21&token=x']) {
      assert.equal(await refusedWith(bench, query), 401, query);
    }
    assert.equal(await refusedWith(bench, '?device_id=%00'), 400);
    assert.equal(statusOf(await rawHttp(bench.httpAddress, getRequest('/messaging'))), 426);
  });
});

describe('--guests publish', () => {
  const bench = new Bench(2, { guests: { publish: true, secrets: [] } });

  test('a guest may send to users, and says who it is', async () => {
    const reader = await connectMessaging(bench, 'ann');
    const { client } = await connectGuest(bench);
    const id = client.send('ann', { text: 'help' });
    const message = await reader.nextMessage();
    assert.deepEqual([message.id, message.sid], [id, client.clientId]);
    client.sendSections({ send: [{ id: 2, sid: 'bob', rid: 'ann' }] });
    assert.equal((await client.nextError()).error, 'bad_sender');
    await Promise.all([client.close(), reader.close()]);
  });

  test('with --auth open, too, a name of a guest is had by its token only', async () => {
    assert.equal(await refusedWith(bench, '?client_id=guest:bob'), 401);
    const { client } = await connectGuest(bench);
    const { client_id: name, token } = await client.welcome;
    await client.close();
    assert.equal(await refusedWith(bench, `?client_id=${name}`), 401);
    const back = await connectGuest(bench, `client_id=${name}&token=${token}`);
    await back.client.close();
  });
});
