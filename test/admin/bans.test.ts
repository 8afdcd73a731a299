import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Bans } from '../../src/admin/bans.ts';
import { limits } from '../../src/limits.ts';
import { refusalOf, startAdmin } from '../support/admin-rig.ts';
import { temporaryPath } from '../support/data-dirs.ts';

/** What a process that starts now finds. */
async function reopen(t: TestContext, path: string, now = (): number => 1_000): Promise<Bans> {
  const bans = new Bans(now);
  await bans.open(path);
  t.after(() => bans.close());
  return bans;
}

const usersOf = (bans: Bans): unknown[] => bans.list(0, limits.bansMax).map(({ user }) => user);

test('bans are there after a restart, those that were lifted are not', async (t) => {
  const path = temporaryPath(t, 'bans.jsonl');
  const bans = await reopen(t, path);
  await Promise.all([bans.add(21, null, 'spam'), bans.add('ann', 5_000, 'x'), bans.add('022', null, 'x')]);
  assert.equal(await bans.remove('022'), true);
  assert.equal(await bans.remove('022'), false);
  assert.deepEqual(bans.find(21), { user: 21, since: 1_000, until: null, reason: 'spam', number: 1 });
  const again = await reopen(t, path);
  assert.deepEqual(usersOf(again), [21, 'ann']);
  assert.equal(again.find('ann')?.until, 6_000);
  assert.equal(again.has('21'), false);
  await again.add(21, 1, 'again'); // replaced, and last in the list
  assert.deepEqual(usersOf(await reopen(t, path)), ['ann', 21]);
});

test('a ban with an end is over then, also after a restart', async (t) => {
  const path = temporaryPath(t, 'bans.jsonl');
  let now = 1_000;
  const bans = await reopen(t, path, () => now);
  await bans.add(21, 500, 'x');
  await bans.add(22, null, 'x');
  now = 1_499;
  assert.equal(bans.has(21), true);
  now = 1_500;
  assert.equal(bans.has(21), false);
  assert.equal(await bans.remove(21), false);
  assert.deepEqual(usersOf(bans), [22]);
  assert.deepEqual(usersOf(await reopen(t, path, () => now)), [22]);
  assert.doesNotMatch(readFileSync(path, 'utf8'), /21,/);
});

test('a line that a crash cut off is left out, one that is damaged stops the start', async (t) => {
  const path = temporaryPath(t, 'bans.jsonl');
  const bans = await reopen(t, path);
  await bans.add(21, null, 'x');
  appendFileSync(path, '{"ban":{"user":22,');
  const again = await reopen(t, path);
  assert.deepEqual(usersOf(again), [21]);
  await again.add(23, null, 'x');
  assert.deepEqual(usersOf(await reopen(t, path)), [21, 23]);
  for (const line of ['{"ban":{"user":0,"since":1,"until":null,"reason":""}}', 'x', '{}', '{"unban":true}']) {
    writeFileSync(path, `${line}\n`);
    await assert.rejects(new Bans().open(path), /is damaged/, line);
  }
});

test('the file does not grow with changes that cancel each other', async (t) => {
  const path = temporaryPath(t, 'bans.jsonl');
  const bans = await reopen(t, path);
  for (let round = 0; round < 12; round++) {
    const users = Array.from({ length: 200 }, (_, i) => i + 1);
    await Promise.all(users.map((user) => bans.add(user, null, 'x')));
    await Promise.all(users.map((user) => bans.remove(user)));
  }
  await bans.add(7, null, 'x');
  assert.ok(readFileSync(path, 'utf8').split('\n').length < 2_500);
  assert.deepEqual(usersOf(await reopen(t, path)), [7]);
});

test('what cannot be stored is as it was before, and works when the disk does', async (t) => {
  const path = temporaryPath(t, 'bans/bans.jsonl');
  mkdirSync(dirname(path));
  const bans = await reopen(t, path);
  rmSync(dirname(path), { recursive: true });
  await assert.rejects(bans.add(21, null, 'x'), { code: 'storage_unavailable' });
  assert.equal(bans.has(21), false);
  mkdirSync(dirname(path));
  chmodSync(dirname(path), 0o700);
  await bans.add(22, null, 'x');
  assert.deepEqual(usersOf(await reopen(t, path)), [22]);
});

test('there are so many bans and no more, unless some are over', async () => {
  let now = 0;
  const bans = new Bans(() => now);
  await bans.add(1, 10, 'x');
  for (let user = 2; user <= limits.bansMax; user++) await bans.add(user, null, 'x');
  await assert.rejects(bans.add('one more', null, 'x'), { code: 'too_many_bans' });
  await bans.add(2, null, 'changed');
  now = 10;
  await bans.add('one more', null, 'x');
  assert.equal(bans.size, limits.bansMax);
});

test('the routes ban, list, show and lift', async (t) => {
  const { call, presence, logged } = await startAdmin(t);
  presence.add(1, 21);
  const put = async (user: string, body: unknown): Promise<unknown> => {
    const { status, body: answer } = await call('PUT', `/v1/users/${user}/ban`, body);
    assert.equal(status, 200);
    const { since, ...rest } = answer as { since: string };
    assert.ok(Math.abs(Date.parse(since) - Date.now()) < 60_000);
    return rest;
  };
  assert.deepEqual(await put('21', {}), { user: 21, until: null, reason: 'forbidden', closed: 1 });
  const { until, ...rest } = (await put('ann', { seconds: 60, reason: 'spam' })) as { until: string };
  assert.deepEqual(rest, { user: 'ann', reason: 'spam', closed: 0 });
  assert.ok(Date.parse(until) > Date.now());
  assert.deepEqual(presence.kicks[0], { user: 21, code: 4403, reason: 'forbidden' });
  type Page = { bans: { user: unknown }[]; next: number | null };
  const first = (await call('GET', '/v1/bans?limit=1')).body as Page;
  const second = (await call('GET', `/v1/bans?limit=1&after=${first.next}`)).body as Page;
  assert.deepEqual(
    [...first.bans, ...second.bans].map(({ user }) => user),
    [21, 'ann'],
  );
  assert.equal(second.next, null);
  const seen = (await call('GET', '/v1/users/ann')).body as { ban: { reason: string } | null };
  assert.equal(seen.ban?.reason, 'spam');
  assert.equal((await call('DELETE', '/v1/users/ann/ban')).status, 204);
  assert.deepEqual(refusalOf(await call('DELETE', '/v1/users/ann/ban')), [404, 'not_banned']);
  assert.equal(((await call('GET', '/v1/users/ann')).body as { ban: unknown }).ban, null);
  assert.match(logged(), /a ban was lifted/);
  const bad = [null, { seconds: 0 }, { seconds: 1.5 }, { seconds: '5' }, { seconds: 1e12 }, { other: 1 }];
  for (const body of [...bad, { reason: 'x'.repeat(124) }, { reason: 1 }]) {
    assert.deepEqual(refusalOf(await call('PUT', '/v1/users/5/ban', body)), [400, 'bad_request']);
  }
  assert.deepEqual(refusalOf(await call('PUT', '/v1/users/0/ban', {})), [400, 'bad_request']);
});
