import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoimConnection, goimRequest } from '../support/goim.ts';
import { scrape } from '../support/metrics.ts';
import { startTestServer } from '../support/server.ts';

test("packages of goim's push API are counted for each client", async (t) => {
  const server = await startTestServer();
  t.after(() => server.close());
  const clients = await Promise.all(
    [1, 2, 3].map((mid) => GoimConnection.connect('tcp', server, { mid, accepts: [1000], key: `k${mid}` })),
  );
  const { status } = await goimRequest(server, 'POST', '/goim/push/all?operation=1000&speed=0', 'news');
  assert.equal(status, 200);
  for (const client of clients) {
    assert.equal(await client.push(), '1000 news');
    client.close();
  }
  assert.equal((await scrape(server)).sum('encke_pushes_total'), 3);
});
