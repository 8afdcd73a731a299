/**
 * Clients of all kinds under load, while the server is killed and started again, its shards crash,
 * and connections break. What every client saw is held against the contract (test/support/history).
 * The seed is printed; ENCKE_FUZZ_SEED runs it again. `npm run soak` is the same for longer. It ends
 * by counts: on an idle machine it takes about a minute.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../support/random.ts';
import { bestStore, soakDefaults } from '../support/soak/options.ts';
import { soak } from '../support/soak/soak.ts';

const counted = { messages: 200_000, kills: 20, crashes: 10, ratePerSecond: 8_000 };

test('Whatever is killed, crashes or breaks: nothing acknowledged is lost, nothing comes twice or out of order.', async (t) => {
  const { seed } = seededRandom('soak');
  const { line, facts, kills, messages } = await soak({
    ...soakDefaults,
    ...counted,
    seed,
    store: bestStore(),
  });
  t.diagnostic(line);
  assert.deepEqual(facts, [], line);
  assert.ok(kills >= counted.kills && messages >= counted.messages, line);
});
