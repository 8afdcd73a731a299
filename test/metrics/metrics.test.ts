import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { catalog } from '../../src/metrics/metrics.ts';
import { connectTcp, openTcp } from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import { until } from '../support/messaging.ts';
import { scrape } from '../support/metrics.ts';
import { startTestServer } from '../support/server.ts';

test('every metric of the catalog is told, with its type and its labels, and no other', async (t) => {
  const server = await startTestServer();
  t.after(() => server.close());
  const figures = await scrape(server);
  assert.deepEqual(
    [...figures.types],
    catalog.map(({ name, type }) => [name, type]),
  );
  for (const { name, type, labels } of catalog) {
    const series = figures.series.filter((one) => one.name.replace(/_(bucket|sum|count)$/, '') === name);
    assert.notEqual(series.length, 0, `${name} has a value`);
    for (const one of series) {
      const more = type === 'histogram' && one.name.endsWith('_bucket') ? ['le'] : [];
      assert.deepEqual(Object.keys(one.labels), [...labels, ...more], one.name);
      assert.ok(Number.isFinite(one.value) && one.value >= 0, `${one.name} ${one.value}`);
    }
  }
});

test('names are those of Prometheus: _total for counters alone, base units', () => {
  for (const { name, type } of catalog) {
    assert.match(name, /^(encke|process)_[a-z0-9_]+$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.doesNotMatch(name, /_(ms|millis|mb|kb)(_|$)/);
  }
});

test('a histogram counts up to its last bucket', async (t) => {
  const server = await startTestServer();
  t.after(() => server.close());
  const [one, two] = [await connectTcp(server, 1), await connectTcp(server, 2)];
  await one.send(2, 'hello');
  await two.nextMessage();
  const figures = await scrape(server);
  assert.equal(figures.sum('encke_batch_messages_bucket', { le: '1' }), 1);
  assert.equal(figures.sum('encke_batch_messages_bucket', { le: '+Inf' }), 1);
  assert.equal(figures.sum('encke_authentication_seconds_bucket', { le: '+Inf' }), 2);
});

test('what connections end with is counted by close code', async (t) => {
  const server = await startTestServer({ authTimeoutMs: 20 });
  t.after(() => server.close());
  assert.equal((await (await openTcp(server)).closed).code, 4401);
  await until(() => server.connections === 0, 'it is gone');
  assert.equal((await scrape(server)).sum('encke_connections_closed_total', { code: '4401' }), 1);
});

test('the counters of a shard do not fall when its thread dies', async (t) => {
  const server = await startTestServer();
  t.after(() => server.close());
  const ids = new Ids(2);
  const mid = ids.mid(0);
  const stored = async (): Promise<number> =>
    (await scrape(server)).sum('encke_messages_stored_total', { shard: '0' });
  const before = await connectTcp(server, mid);
  for (let n = 0; n < 5; n++) await before.send(mid, 'hello');
  assert.equal(await stored(), 5);

  const thread = server.threadOf(0);
  assert.ok(thread);
  const exited = once(thread, 'exit');
  await thread.terminate();
  await exited;
  await before.closed;
  assert.equal(await stored(), 5, 'while it is down');
  await until(async () => (await scrape(server)).sum('encke_shard_up') === 2, 'it is back');
  const after = await connectTcp(server, mid);
  await after.send(mid, 'hello');
  const figures = await scrape(server);
  assert.equal(await stored(), 6, 'and goes on from there');
  assert.equal(figures.sum('encke_shard_restarts_total', { shard: '0' }), 1);
  assert.equal(figures.sum('encke_shard_restarts_total', { shard: '1' }), 0);
  await after.close();
});

test('a scrape does not wait for a shard that does not answer', { timeout: 20_000 }, async (t) => {
  const shardEntry = new URL('../support/deaf-shard.js', import.meta.url);
  const server = await startTestServer({ shardEntry });
  t.after(() => server.close());
  const both = await Promise.all([scrape(server), scrape(server)]);
  assert.equal(both[0].text, both[1].text, 'who comes meanwhile gets the same answer');
  assert.equal(both[0].sum('encke_shard_up', { shard: '0' }), 1);
  assert.equal(both[0].sum('encke_shard_up', { shard: '1' }), 0);
  assert.equal(both[0].sum('encke_messages_stored_total', { shard: '0' }), 0);
});

test('with an admin token /metrics needs it', async (t) => {
  const server = await startTestServer({ adminToken: 'open-sesame' });
  t.after(() => server.close());
  const { host, port } = server.adminAddress;
  const statusWith = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`http://${host}:${port}/metrics`, { headers })).status;
  assert.equal(await statusWith({}), 401);
  assert.equal(await statusWith({ authorization: 'Bearer wrong' }), 401);
  assert.equal(await statusWith({ authorization: 'Bearer open-sesame' }), 200);
});
