import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnckeError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { PayloadKind } from '../../src/wire/run.ts';
import { SYSTEM } from '../../src/wire/user-id.ts';
import { adminRequest } from '../support/admin.ts';
import { refusalOf, startAdmin } from '../support/admin-rig.ts';

const path = '/v1/messages';

test('a message has a sender, receivers and a content of one of three kinds', async (t) => {
  const { call, sending } = await startAdmin(t);
  const send = async (body: Record<string, unknown>): Promise<unknown[]> => {
    assert.equal((await call('POST', path, body)).status, 200, JSON.stringify(body));
    const { message, text, to } = sending.sent.pop()!;
    return [message.from, to, message.kind, text, message.id];
  };
  const { text, json, bytes } = PayloadKind;
  const users = [31, '32', 'ann', 31, '31'];
  assert.deepEqual(await send({ to: { users }, msg: 'hi' }), [SYSTEM, [31, 32, 'ann'], text, 'hi', null]);
  assert.deepEqual(await send({ from: 21, to: { users: [1] }, msg: '' }), [21, [1], text, '', null]);
  assert.deepEqual(await send({ from: '21', to: { groups: [7, 8, 7] }, msg: { a: 1 } }), [
    21,
    { groups: [7, 8] },
    json,
    '{"a":1}',
    null,
  ]);
  assert.deepEqual(await send({ from: 'ann', to: { everyone: true }, msg: null, id: 'x1' }), [
    'ann',
    'everyone',
    json,
    'null',
    'x1',
  ]);
  assert.deepEqual(await send({ to: { users: [1] }, msg: '/wAB', enc: 'base64' }), [
    SYSTEM,
    [1],
    bytes,
    '\xff\x00\x01',
    null,
  ]);
});

test('a JSON value is sent as it was written', async (t) => {
  const { port, sending } = await startAdmin(t);
  const value = '{ "n": 1.0, "long": 12345678901234567890 }';
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `\uFEFF{"msg":0,"to":{"users":[1]},"from":2,"msg":${value}}`,
  });
  assert.equal(response.status, 200);
  assert.equal(sending.sent[0]?.text, value);
});

test('each receiver has its outcome, and they are counted', async (t) => {
  const { call, sending } = await startAdmin(t);
  const users = await call('POST', path, { to: { users: [31, 'ann'] }, msg: 'hi' });
  assert.deepEqual(users.body, {
    results: [
      { user: 31, status: 'delivered', chatId: 4, connections: 2 },
      { user: 'ann', status: 'delivered', chatId: 4, connections: 2 },
    ],
    counts: { delivered: 2, stored: 0, offline: 0, failed: 0 },
  });
  sending.error = 'no_such_group';
  const groups = await call('POST', path, { to: { groups: [7] }, msg: 'hi' });
  assert.deepEqual(groups.body, {
    results: [
      {
        group: 7,
        status: 'failed',
        chatId: 0,
        connections: 0,
        error: 'no_such_group',
        reason: 'there is no group with this id',
      },
    ],
    counts: { delivered: 0, stored: 0, offline: 0, failed: 1 },
  });
  const everyone = await call('POST', path, { to: { everyone: true }, msg: 'hi' });
  assert.deepEqual(everyone.body, {
    users: 3,
    counts: { delivered: 2, stored: 0, offline: 1, failed: 0 },
    missingShards: [1],
  });
});

test('a message of another shape is refused, and nothing is sent', async (t) => {
  const { call, sending } = await startAdmin(t);
  const msg = 'hi';
  const bodies: unknown[] = [
    null,
    {},
    { msg },
    { to: { users: [1] } },
    { to: {}, msg },
    { to: { users: [] }, msg },
    { to: { users: [1], groups: [1] }, msg },
    { to: { users: [1], everyone: true }, msg },
    { to: { everyone: false }, msg },
    { to: { all: true }, msg },
    { to: { groups: ['news'] }, msg },
    { to: { users: [1] }, msg, other: 1 },
    { to: { users: [1] }, msg: 'no base64', enc: 'base64' },
    { to: { users: [1] }, msg: 5, enc: 'base64' },
    { to: { users: [1] }, msg: 'aGk=', enc: 'hex' },
    { to: { users: [1] }, msg, id: '' },
    { to: { users: [1] }, msg, id: 5 },
    { to: { users: [1] }, msg: JSON.parse('['.repeat(200) + ']'.repeat(200)) as unknown },
    // To a comet client that would be a message of ann.
    { to: { users: [1] }, msg: { sid: 'ann', text: 'hi' } },
    { to: { users: Array.from({ length: limits.adminRecipientsMax + 1 }, (_, i) => i + 1) }, msg },
    ...[0, -1, 2_147_483_648, 1.5, '', '0', 'x'.repeat(129), null, {}].flatMap((user) => [
      { to: { users: [1, user] }, msg },
      { from: user, to: { users: [1] }, msg },
    ]),
  ];
  for (const body of bodies) {
    const text = JSON.stringify(body).slice(0, 100);
    assert.deepEqual(refusalOf(await call('POST', path, body)), [400, 'bad_request'], text);
  }
  assert.deepEqual(sending.sent, []);
});

test('as many receivers as there may be fit one call', async (t) => {
  const { call, sending } = await startAdmin(t);
  const users = Array.from({ length: limits.adminRecipientsMax }, (_, i) => 2_147_483_647 - i);
  const { status, body } = await call('POST', path, { to: { users }, msg: 'hi' });
  assert.deepEqual([status, (body as { results: unknown[] }).results.length], [200, users.length]);
  assert.deepEqual(sending.sent[0]?.to, users);
});

test('a message is as long as one of a client may be', async (t) => {
  const { call } = await startAdmin(t, { messageBytesMax: 10 });
  const send = (msg: unknown, more: object = {}): ReturnType<typeof call> =>
    call('POST', path, { to: { users: [1] }, msg, ...more });
  assert.equal((await send('é'.repeat(5))).status, 200);
  assert.deepEqual(refusalOf(await send('é'.repeat(5) + 'e')), [413, 'too_large']);
  assert.deepEqual(refusalOf(await send({ a: 12345 })), [413, 'too_large']);
  const bytes = Buffer.alloc(11).toString('base64');
  assert.deepEqual(refusalOf(await send(bytes, { enc: 'base64' })), [413, 'too_large']);
});

test('too much at a time is refused, and no content is logged', async (t) => {
  const { call, sending, logged } = await startAdmin(t);
  await call('POST', path, { to: { users: [1] }, msg: 'a secret text' });
  sending.failure = new EnckeError('overloaded');
  const answer = await call('POST', path, { to: { users: [1] }, msg: 'a secret text' });
  assert.deepEqual(refusalOf(answer), [503, 'unavailable']);
  assert.match(logged(), /"delivered":1/);
  assert.doesNotMatch(logged(), /secret/);
});

test('what is no JSON is refused here as elsewhere', async (t) => {
  const { port } = await startAdmin(t);
  for (const [type, body] of [
    ['application/json', '{'],
    ['application/json', ''],
    ['application/json', '{"to":{"users":[1]},"msg":1,"__proto__":{}}'],
    ['text/plain', '{"to":{"users":[1]},"msg":1}'],
  ] as const) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    assert.deepEqual(
      [response.status, ((await response.json()) as { error: string }).error],
      [400, 'bad_request'],
    );
  }
  const none = await adminRequest({ host: '127.0.0.1', port }, 'POST', path);
  assert.deepEqual(refusalOf(none), [400, 'bad_request']);
});
