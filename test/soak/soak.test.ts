/**
 * Clients of all kinds under load, while the server is killed and started again, its shards crash,
 * and connections break. What every client saw is held against the contract (test/support/history).
 * The seed is printed; ENCKE_FUZZ_SEED runs it again. `npm run soak` is the same for longer.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../support/random.ts';
import { bestStore, soakDefaults } from '../support/soak/options.ts';
import { soak } from '../support/soak/soak.ts';

test('Whatever is killed, crashes or breaks: nothing acknowledged is lost, nothing comes twice or out of order.', async (t) => {
  const { seed } = seededRandom('soak');
  const { line, facts } = await soak({ ...soakDefaults, seed, store: bestStore() });
  t.diagnostic(line);
  assert.deepEqual(facts, [], line);
});
