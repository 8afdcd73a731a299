/** The soak run finds what it is there for: servers with a fault planted (faulty-shard.ts) fail it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../support/random.ts';
import { bestStore, soakDefaults } from '../support/soak/options.ts';
import { soak } from '../support/soak/soak.ts';

const short = { ...soakDefaults, messages: 12_000, kills: 4, crashes: 2, store: bestStore() };

test('Replies that leave before the store has the message are found: a kill loses what was acknowledged.', async (t) => {
  const { seed } = seededRandom('early replies');
  const { line, counts } = await soak({ ...short, seed, fault: 'early-replies' });
  t.diagnostic(line);
  assert.ok(counts.lost > 0, line);
});

test('A cursor that moves before the kernel took what it stands for is found: a closed connection skips it.', async (t) => {
  const { seed } = seededRandom('early cursors');
  const closing = { messages: 30_000, kills: 1, crashes: 1, connectionTroubleEveryMs: 10 };
  const { line, counts } = await soak({ ...short, ...closing, seed, fault: 'early-cursors' });
  t.diagnostic(line);
  assert.ok(counts.lost > 0, line);
});

test('Acknowledgements that are answered before the store has them are found: a kill forgets them.', async (t) => {
  const { seed } = seededRandom('early acks');
  const { line, facts } = await soak({ ...short, seed, fault: 'early-acks' });
  t.diagnostic(line);
  assert.ok(
    facts.some(({ kind, text }) => kind === 'duplicated' && text.endsWith('it was acknowledged')),
    line,
  );
});

test('A cursor of an acknowledging device that moves by itself is found: what was not acknowledged does not come again.', async (t) => {
  const { seed } = seededRandom('deaf acks');
  const { line, counts } = await soak({ ...short, seed, fault: 'deaf-acks' });
  t.diagnostic(line);
  assert.ok(counts.lost > 0, line);
});
