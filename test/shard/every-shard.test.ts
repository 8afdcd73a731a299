import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AskFailed, AskRefused, AskTimeout } from '../../src/actor/index.ts';
import { EnckeError } from '../../src/errors.ts';
import { answer, everyShard } from '../../src/shard/every-shard.ts';

const failures = [
  new AskTimeout('presence', 1, 'page', 5),
  new AskRefused('presence', 1, 'page', 'unreachable'),
  new AskFailed('broken', undefined),
];

test('A shard that does not answer is missing, and the answers of the others count.', async () => {
  for (const failure of failures) {
    const ask = (shard: number): Promise<number> =>
      shard === 1 ? Promise.reject(failure) : Promise.resolve(shard * 10);
    assert.deepEqual(await everyShard(3, ask), { answers: [0, 20], missingShards: [1] });
  }
  assert.deepEqual(await everyShard(2, (shard) => Promise.resolve(shard)), {
    answers: [0, 1],
    missingShards: [],
  });
});

test('A mistake of our own is no shard that is away.', async () => {
  const wrong = (): Promise<never> => Promise.reject(new TypeError('wrong'));
  await assert.rejects(everyShard(1, wrong), TypeError);
  await assert.rejects(answer(wrong()), TypeError);
});

test('Who asks one shard is told that it is not available.', async () => {
  const isUnavailable = (error: unknown): boolean =>
    error instanceof EnckeError && error.code === 'unavailable';
  for (const failure of failures.slice(0, 2))
    await assert.rejects(answer(Promise.reject(failure)), isUnavailable);
});
