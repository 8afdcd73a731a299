import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import { mintToken } from '../../src/auth/mac-token.ts';
import { TokenAuthenticator } from '../../src/auth/token.ts';
import { ask, comet, inSeconds, messaging, otherSecret, secret, signed } from '../support/auth.ts';

const provider = new TokenAuthenticator([secret]);
const wrong = 'the credentials are not those of this user';
const reasonOf = async (...who: Parameters<typeof comet>): Promise<string> => {
  const result = await ask(provider, comet(...who));
  return !result.ok && 'reason' in result ? result.reason : `let in: ${JSON.stringify(result)}`;
};

test('A token lets its user in, in both protocols, until it runs out.', async () => {
  const exp = inSeconds(60);
  const admission = { ok: true, user: 123, expiresAt: exp * 1_000 + 5_000 };
  assert.deepEqual(await ask(provider, comet(123, signed(123, exp))), admission);
  assert.deepEqual(await ask(provider, messaging('123', signed(123, exp))), admission);
  assert.deepEqual(await ask(provider, messaging('ann é', signed('ann é', exp))), {
    ...admission,
    user: 'ann é',
  });
});

test('A token with expiry 0 does not run out.', async () => {
  assert.deepEqual(await ask(provider, comet(1, signed(1, 0))), { ok: true, user: 1 });
});

test('What mints tokens writes them as the docs say.', () => {
  assert.equal(mintToken(secret, 123, { exp: 5 }), signed(123, '5'));
  const permissions = { groups: [7, 8], publish: false, broadcast: true, rateClass: 'bot' };
  const head = '5.groups=7-8,publish=0,broadcast=1,rate=bot';
  assert.equal(mintToken(secret, 'ann', { exp: 5, permissions }), signed('ann', head));
});

test('A token carries permissions; what it does not say has its default.', async () => {
  for (const [text, permissions] of [
    ['', { publish: true, broadcast: false }],
    ['publish=0', { publish: false, broadcast: false }],
    ['broadcast=1,publish=1', { publish: true, broadcast: true }],
    ['groups=', { groups: [], publish: true, broadcast: false }],
    [
      'rate=bot_2,groups=7-2147483647',
      { groups: [7, 2_147_483_647], publish: true, broadcast: false, rateClass: 'bot_2' },
    ],
  ] as const) {
    const result = await ask(provider, comet(1, signed(1, `0.${text}`)));
    assert.deepEqual(result, { ok: true, user: 1, permissions }, text);
  }
});

const badPermissions = [
  'publish',
  'publish=',
  'publish=2',
  'publish=1,publish=1',
  'admin=1',
  ',',
  'groups=0',
  'groups=x',
  'groups=1--2',
  'groups=2147483648',
  `groups=${Array.from({ length: 1_025 }, () => 1).join('-')}`,
  'rate=',
  `rate=${'x'.repeat(65)}`,
  'hasOwnProperty=1',
];
test('A token whose permissions are none is refused, well signed or not.', async () => {
  for (const text of badPermissions) assert.equal(await reasonOf(1, signed(1, `0.${text}`)), wrong, text);
});

test('A token is refused when it has run out, but not within the tolerance for clocks.', async () => {
  assert.equal(await reasonOf(1, signed(1, inSeconds(-6))), 'the credentials have run out');
  assert.equal(await reasonOf(1, signed(1, 1)), 'the credentials have run out');
  assert.equal((await ask(provider, comet(1, signed(1, inSeconds(-3))))).ok, true);
});

test("A token is nobody else's: not that of another mid, nor of a name that looks like it.", async () => {
  const token = signed(123, 0);
  for (const mid of [1, 12, 1_234, 124, 2_147_483_647]) assert.equal(await reasonOf(mid, token), wrong);
  for (const name of ['0123', '123 ', 'ann', '+123']) {
    assert.equal((await ask(provider, messaging(name, token))).ok, false, name);
  }
});

test('No part of a token can be passed off as part of a name, nor the other way round.', async () => {
  // Who may choose a name gets a token for it: it must not be one for another head and user.
  for (const [name, head] of [
    ['publish=0:bob', '5'],
    ['5.broadcast=1:bob', '0'],
    [':bob', '0'],
    ['bob', '0.broadcast=1'],
  ] as const) {
    const signature = signed(name, head).slice(-64);
    for (const user of ['bob', ':bob', 'publish=0:bob', 'broadcast=1:bob']) {
      for (const other of [
        '0',
        '5',
        '5.publish=0',
        '0.5.broadcast=1',
        '0:5.broadcast=1',
        '0.broadcast=1',
        '0.',
      ]) {
        if (user === name && other === head) continue;
        const result = await ask(provider, messaging(user, `${other}.${signature}`));
        assert.equal(result.ok, false, `${name}/${head} as ${user}/${other}`);
      }
    }
  }
});

const good = signed(1, 0);
const garbage: readonly [string, string][] = [
  ['nothing', ''],
  ['a dot', '.'],
  ['two dots', '..'],
  ['no signature', '0'],
  ['an empty signature', '0.'],
  ['no head', good.slice(1)],
  ['a signature that is short', good.slice(0, -1)],
  ['a signature that is long', `${good}0`],
  ['a signature in upper case', `0.${good.slice(2).toUpperCase()}`],
  ['a signature that is not hex', `0.${'g'.repeat(64)}`],
  ['a bit that is not as it was signed', `0.${flip(good.slice(2))}`],
  ['an expiry that was not signed', `${inSeconds(9)}.${good.slice(2)}`],
  ['permissions that were not signed', `0.broadcast=1.${good.slice(2)}`],
  ['a negative expiry', signed(1, '-1')],
  ['an expiry with a fraction', signed(1, '1.5')],
  ['an expiry with a plus', signed(1, '+9999999999')],
  ['an expiry with leading zeros', signed(1, '00')],
  ['an expiry of a million digits', signed(1, '9'.repeat(1_000_000))],
  ['spaces', ` ${good} `],
  ['a null byte', `${good}\0`],
  ['another secret', signed(1, 0, otherSecret)],
  ['over 4,096 characters', signed(1, `0.rate=${'x'.repeat(4_100)}`)],
];
for (const [what, token] of garbage) {
  test(`A token with ${what} is refused.`, async () => {
    assert.equal(await reasonOf(1, token), wrong);
    assert.equal((await ask(provider, messaging('1', token))).ok, false);
  });
}

test('Messaging without a token is refused.', async () => {
  assert.equal((await ask(provider, messaging('1'))).ok, false);
  assert.equal((await ask(provider, messaging('0', good))).ok, false);
});

test('While secrets are changed the old one and the new one are good, and afterwards the old one is not.', async () => {
  const both = new TokenAuthenticator([otherSecret, secret]);
  for (const key of [secret, otherSecret]) {
    assert.equal((await ask(both, comet(1, signed(1, 0, key)))).ok, true);
  }
  const after = new TokenAuthenticator([otherSecret]);
  assert.equal((await ask(after, comet(1, signed(1, 0)))).ok, false);
});

test('Signatures are compared as a whole and in constant time, with each secret, whatever they are.', async (t) => {
  const compared = t.mock.method(crypto, 'timingSafeEqual');
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  const both = new TokenAuthenticator([secret, otherSecret]);
  const nearly = `0.${flip(good.slice(2))}`;
  for (const token of [good, signed(1, 0, otherSecret), nearly, `0.${'0'.repeat(64)}`]) {
    compared.mock.resetCalls();
    await ask(both, comet(1, token));
    const lengths = compared.mock.calls.map(({ arguments: [a, b] }) => [a.byteLength, b.byteLength]);
    assert.deepEqual(lengths, [
      [32, 32],
      [32, 32],
    ]);
  }
});

/** The last digit is another one. */
function flip(hex: string): string {
  return hex.slice(0, -1) + (hex.endsWith('0') ? '1' : '0');
}
