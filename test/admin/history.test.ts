import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOf, pairOf } from '../../src/store/conversation.ts';
import { Origin, PayloadKind } from '../../src/wire/run.ts';
import { SYSTEM } from '../../src/wire/user-id.ts';
import { refusalOf, startAdmin } from '../support/admin-rig.ts';
import { runOf } from '../support/runs.ts';

test('a page of a pair or a group is asked for as in op 24', async (t) => {
  const { call, history } = await startAdmin(t);
  const ask = async (path: string): Promise<unknown> => {
    assert.equal((await call('GET', path)).status, 200, path);
    return history.queries.pop();
  };
  const defaults = { after: 0, before: Infinity, limit: 50, newestFirst: false };
  assert.deepEqual(await ask('/v1/users/31/messages?with=21'), { ...defaults, conversation: pairOf(21, 31) });
  assert.deepEqual(await ask('/v1/users/a%20b/messages?with=0'), {
    ...defaults,
    conversation: pairOf('a b', SYSTEM),
  });
  assert.deepEqual(await ask('/v1/groups/7/messages?after=3&before=9&limit=256&order=newest'), {
    after: 3,
    before: 9,
    limit: 256,
    newestFirst: true,
    conversation: groupOf(7),
  });
  for (const path of [
    '/v1/users/31/messages',
    '/v1/users/31/messages?with=',
    '/v1/users/0/messages?with=31',
    '/v1/users/31/messages?with=21&limit=257',
    '/v1/users/31/messages?with=21&before=0',
    '/v1/users/31/messages?with=21&order=random',
    '/v1/groups/0/messages',
    '/v1/groups/7/messages?with=1',
  ]) {
    assert.deepEqual(refusalOf(await call('GET', path)), [400, 'bad_request'], path);
  }
});

test('each message has its number, sender, receiver, time and content as JSON clients get it', async (t) => {
  const { port, history } = await startAdmin(t);
  const time = 1_700_000_000_000;
  const json = '{ "n": 1.0, "long": 12345678901234567890 }';
  const named = '{"id":"i1","sid":"ann","rid":31,"text":"hi"}';
  const runs = [
    runOf(PayloadKind.text, ['a', '"'], { op: 18, from: 31, to: 21, first: 1 }),
    runOf(PayloadKind.json, [json], { op: 18, from: 21, to: 31, first: 3 }),
    { ...runOf(PayloadKind.bytes, [''], { op: 18, from: 21, to: 31, first: 4 }) },
  ].map((run) => ({ ...run, time }));
  history.page = { runs, last: 9, more: true };
  const get = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
    return response.text();
  };
  const at = '"time":"2023-11-14T22:13:20.000Z"';
  assert.equal(
    await get('/v1/users/31/messages?with=21'),
    `{"last":9,"more":true,"messages":[` +
      `{"chatId":1,"from":31,"to":21,${at},"msg":"a"},` +
      `{"chatId":2,"from":31,"to":21,${at},"msg":"\\""},` +
      `{"chatId":3,"from":21,"to":31,${at},"msg":${json}},` +
      `{"chatId":4,"from":21,"to":31,${at},"msg":""}]}`,
  );
  const messaging = { ...runOf(PayloadKind.json, [named], { op: 18, from: 0, to: 31, first: 1 }), time };
  history.page = { runs: [{ ...messaging, origin: Origin.messaging }], last: 1, more: false };
  assert.equal(
    await get('/v1/users/31/messages?with=ann'),
    `{"last":1,"more":false,"messages":[{"chatId":1,"from":"ann","to":31,${at},"msg":${named}}]}`,
  );
  const system = { ...runOf(PayloadKind.text, ['hi'], { op: 18, from: 0, to: 31, first: 1 }), time };
  history.page = { runs: [system], last: 1, more: false };
  assert.match(await get('/v1/users/31/messages?with=0'), /"from":0,"to":31,/);
  assert.match(await get('/v1/groups/7/messages'), /"from":0,"time":/);
});

test('figures are told as they are', async (t) => {
  const { call } = await startAdmin(t);
  const { body } = await call('GET', '/v1/stats');
  const { version, store, missingShards } = body as Record<string, unknown>;
  assert.deepEqual([version, store, missingShards], ['1.2.3', { kind: 'memory', bytes: 0 }, [0]]);
});
