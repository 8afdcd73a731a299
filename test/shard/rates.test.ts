import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { Rates } from '../../src/shard/rates.ts';

const rate = (burst: number) => ({ perSecond: 1, burst });

test('Connections of a user share its bucket and have one each; without rates they have none.', () => {
  const rates = new Rates({ connection: rate(2), user: rate(3), classes: {} });
  const [a, b] = [rates.open(1, undefined, 0), rates.open(1, undefined, 0)];
  assert.ok(a !== undefined && b !== undefined);
  assert.deepEqual([a.take(1, 0), a.take(1, 0), a.take(1, 0)], [true, true, false], 'its own is empty');
  assert.deepEqual([b.take(1, 0), b.take(1, 0)], [true, false], "the user's is empty");
  assert.ok(rates.open(2, undefined, 0)!.take(2, 0), 'that of another is not');
  assert.equal(new Rates({ classes: {} }).open(1, undefined, 0), undefined);
});

test('A rate class is one bucket for the user instead of both; an unknown one is none.', () => {
  const rates = new Rates({ connection: rate(2), classes: { gold: rate(5) } });
  const [a, b] = [rates.open(1, 'gold', 0)!, rates.open(1, 'gold', 0)!];
  assert.ok(a.take(4, 0) && b.take(1, 0) && !a.take(1, 0));
  for (const unknown of ['silver', 'constructor', '__proto__']) {
    const other = rates.open(2, unknown, 0)!;
    assert.ok(other.take(2, 0) && !other.take(1, 0), unknown);
  }
});

test('Who connects anew finds the bucket as it was; one that is full again is forgotten.', () => {
  const rates = new Rates({ user: rate(10), classes: {} });
  const first = rates.open(1, undefined, 0)!;
  assert.ok(first.take(10, 0));
  rates.close(1, first, 0);
  assert.ok(!rates.open(1, undefined, 0)!.take(1, 0));
  const [second, unused] = [rates.open(2, undefined, 0)!, rates.open(3, undefined, 0)!];
  second.take(1, 0);
  rates.close(2, second, 0);
  assert.equal(rates.size, 3);
  rates.close(3, unused, 2_000);
  assert.equal(rates.size, 1, 'the one that is connected');
});

test('No more buckets are kept than the limit, beside those of connected users.', () => {
  const rates = new Rates({ user: rate(10), classes: {} });
  for (let user = 1; user <= limits.rateUsersLeftMax + 10; user++) {
    const one = rates.open(user, undefined, 0)!;
    one.take(1, 0);
    rates.close(user, one, 0);
  }
  assert.equal(rates.size, limits.rateUsersLeftMax);
});
