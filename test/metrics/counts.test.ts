import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CometClient, MessagingClient } from '../../src/client/index.ts';
import { RequestRefused } from '../../src/client/index.ts';
import { putGroup } from '../support/admin.ts';
import { connectComet, connectMessaging, type CometKind } from '../support/clients.ts';
import { storeOptions } from '../support/disk.ts';
import { until } from '../support/messaging.ts';
import { scrape, type Scrape } from '../support/metrics.ts';
import { startTestServer } from '../support/server.ts';

/** What the load counts on its own side. */
interface Counts {
  pairMessages: number;
  groupMessages: number;
  refused: number;
  /** Messages that came, by the encoding in which they came. */
  readonly delivered: Record<'binary' | 'json' | 'messaging', number>;
}

const encodingOf = { tcp: 'binary', 'ws-binary': 'binary', 'ws-json': 'json' } as const;
const kinds: readonly CometKind[] = ['tcp', 'ws-json', 'ws-binary', 'tcp', 'ws-json', 'ws-binary'];
const GROUP = 7;
const FOREIGN_GROUP = 8;
const ROUNDS = 4;
/** Sent without waiting for replies, so that they become runs, batches and multicasts. */
const BURST = 25;

/** A round of everybody: bursts to the next client and to the group, one message that is refused. */
async function round(clients: readonly CometClient[], counts: Counts): Promise<void> {
  const answers: Promise<number>[] = [];
  clients.forEach((client, i) => {
    const next = clients[(i + 1) % clients.length];
    for (let n = 0; n < BURST; n++) answers.push(client.send(next?.mid ?? 0, `to the next ${n}`));
    for (let n = 0; n < BURST; n++) answers.push(client.sendToGroup(GROUP, `to all ${n}`));
    answers.push(client.sendToGroup(FOREIGN_GROUP, 'nobody gets this'));
  });
  for (const answer of await Promise.allSettled(answers)) {
    if (answer.status === 'rejected') {
      assert.ok(answer.reason instanceof RequestRefused);
      counts.refused += 1;
    }
  }
  counts.pairMessages += clients.length * BURST;
  counts.groupMessages += clients.length * BURST;
}

/** Messaging, with and without `ack`: what the former is told of, the latter is not. */
async function talk(ann: MessagingClient, bob: MessagingClient, counts: Counts): Promise<number> {
  const accepted: Promise<number>[] = [];
  for (let n = 0; n < BURST; n++) {
    accepted.push(ann.sendAccepted('bob', { n }));
    bob.send('ann', { n });
  }
  await Promise.all(accepted);
  bob.sendSections({ send: [{ id: 'x', sid: 'somebody else', rid: 'ann' }] });
  assert.equal((await bob.nextError()).error, 'bad_sender');
  counts.pairMessages += 2 * BURST;
  return accepted.length;
}

function compare(figures: Scrape, counts: Counts, accepted: number): void {
  const { pairMessages, groupMessages, refused, delivered } = counts;
  for (const name of ['encke_messages_received_total', 'encke_messages_stored_total']) {
    const isReceived = name === 'encke_messages_received_total';
    assert.equal(figures.sum(name, { to: 'user' }), pairMessages, name);
    // What the group's owner refuses was received; the store never saw it.
    assert.equal(figures.sum(name, { to: 'group' }), groupMessages + (isReceived ? refused : 0), name);
    assert.equal(figures.sum(name, { protocol: 'messaging' }), 2 * BURST, name);
  }
  for (const [encoding, count] of Object.entries(delivered))
    assert.equal(figures.sum('encke_messages_delivered_total', { encoding }), count, encoding);
  assert.equal(figures.sum('encke_batch_messages_sum'), figures.sum('encke_messages_delivered_total'));
  const replies = (request: string, outcome: string): number =>
    figures.sum('encke_replies_total', { request, outcome });
  assert.equal(replies('send', 'ok'), pairMessages - 2 * BURST + accepted);
  assert.equal(replies('group_send', 'ok'), groupMessages);
  assert.equal(replies('group_send', 'refused'), refused);
  assert.equal(figures.sum('encke_refusals_total', { code: 'no_such_group' }), refused);
  assert.equal(figures.sum('encke_refusals_total', { code: 'bad_sender' }), 1);
  assert.equal(figures.sum('encke_refusals_total'), refused + 1);
}

for (const store of ['memory', 'disk'] as const) {
  test(`after a run /metrics has exactly what the clients counted, store: ${store}`, async (t) => {
    const server = await startTestServer({ ...storeOptions(t, store), workers: 2 });
    t.after(() => server.close());
    const counts: Counts = {
      pairMessages: 0,
      groupMessages: 0,
      refused: 0,
      delivered: { binary: 0, json: 0, messaging: 0 },
    };
    const mids = kinds.map((_kind, i) => i + 1);
    await putGroup(server, GROUP, mids);
    const clients = await Promise.all(kinds.map((kind, i) => connectComet(kind, server, mids[i] ?? 0)));
    const ann = await connectMessaging(server, 'ann', { ack: true });
    const bob = await connectMessaging(server, 'bob');
    clients.forEach((client, i) => {
      client.on('message', () => void (counts.delivered[encodingOf[kinds[i] ?? 'tcp']] += 1));
    });
    for (const client of [ann, bob]) client.on('message', () => void (counts.delivered.messaging += 1));

    for (let n = 0; n < ROUNDS; n++) await round(clients, counts);
    const accepted = await talk(ann, bob, counts);
    const { pairMessages, groupMessages, delivered } = counts;
    const expected = pairMessages + groupMessages * (clients.length - 1);
    await until(
      () => delivered.binary + delivered.json + delivered.messaging >= expected,
      'everything is delivered',
    );

    const figures = await scrape(server);
    assert.equal(delivered.binary + delivered.json + delivered.messaging, expected);
    compare(figures, counts, accepted);
    assert.equal(figures.sum('encke_connections', { transport: 'tcp' }), 2);
    assert.equal(figures.sum('encke_connections', { transport: 'websocket' }), 6);
    assert.equal(figures.sum('encke_sessions', { encoding: 'json' }), 2);
    assert.equal(figures.sum('encke_sessions'), 8);
    assert.equal(figures.sum('encke_authentications_total', { outcome: 'accepted' }), 8);
    assert.ok(figures.sum('encke_store_commit_seconds_count') > 0);
    assert.equal(figures.sum('encke_commit_queue_runs'), 0, 'nothing waits');

    await Promise.all([...clients, ann, bob].map((client) => client.close()));
    await until(() => server.connections === 0, 'all are gone');
    await until(async () => (await scrape(server)).sum('encke_sessions') === 0, 'the shards know it');
    const after = await scrape(server);
    assert.equal(after.sum('encke_connections'), 0);
    assert.equal(after.sum('encke_connections_closed_total', { code: 'client' }), 8);
  });
}
