import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { JwtAuthenticator, type JwtSettings } from '../../src/auth/jwt.ts';
import { parsePublicKeys, secretKeys } from '../../src/auth/jwt-keys.ts';
import { ask, comet, inSeconds, messaging, otherSecret, secret } from '../support/auth.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;

type SigningKey = KeyObject | Uint8Array;

const sign = (claims: JWTPayload, alg: string, key: SigningKey, head: object = {}): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg, ...head }).sign(key);

const hs = (claims: JWTPayload, key = secret): Promise<string> => sign(claims, 'HS256', Buffer.from(key));

const withSecret = (more: Partial<JwtSettings> = {}): JwtAuthenticator =>
  new JwtAuthenticator({ keys: secretKeys([secret]), ...more });

const provider = withSecret();
const soon = (): number => inSeconds(60);
const isIn = async (token: string, by = provider, mid = 123): Promise<boolean> =>
  (await ask(by, comet(mid, token))).ok;

for (const [alg, key, keys] of [
  ['HS256', Buffer.from(secret), secretKeys([secret])],
  ['RS256', rsa.privateKey, parsePublicKeys(pemOf(rsa.publicKey))],
  ['ES256', ec.privateKey, parsePublicKeys(pemOf(ec.publicKey))],
  ['EdDSA', ed.privateKey, parsePublicKeys(pemOf(ed.publicKey))],
] as const) {
  test(`${alg}: a token lets its sub in, in both protocols, until it runs out.`, async () => {
    const exp = soon();
    const by = new JwtAuthenticator({ keys });
    const token = await sign({ sub: '123', exp }, alg, key);
    const admission = { ok: true, user: 123, expiresAt: exp * 1_000 + 5_000 };
    assert.deepEqual(await ask(by, comet(123, token)), admission);
    assert.deepEqual(await ask(by, messaging('123', token)), admission);
    const named = await sign({ sub: 'ann', exp }, alg, key);
    assert.deepEqual(await ask(by, messaging('ann', named)), { ...admission, user: 'ann' });
  });

  test(`${alg}: a token with one bit that was not signed is refused.`, async () => {
    const by = new JwtAuthenticator({ keys });
    const token = await sign({ sub: '123', exp: soon() }, alg, key);
    const [head = '', payload = '', signature = ''] = token.split('.');
    const other = Buffer.from(JSON.stringify({ sub: '123', exp: soon() + 9 })).toString('base64url');
    assert.equal(await isIn(`${head}.${other}.${signature}`, by), false);
    assert.equal(await isIn(`${head}.${payload}.${flip(signature)}`, by), false);
    assert.equal(await isIn(`${head}.${payload}.`, by), false);
    assert.equal(await isIn(token, by), true);
  });
}

test('The claim encke says what the user may do.', async () => {
  const exp = soon();
  const encke = { groups: [7], broadcast: true, rateClass: 'bot' };
  const result = await ask(provider, comet(123, await hs({ sub: '123', exp, encke })));
  assert.deepEqual(result, {
    ok: true,
    user: 123,
    expiresAt: exp * 1_000 + 5_000,
    permissions: { groups: [7], publish: true, broadcast: true, rateClass: 'bot' },
  });
});

const badClaims: readonly [string, JWTPayload][] = [
  ['no sub', { exp: soon() }],
  ['another sub', { sub: '124', exp: soon() }],
  ['a sub that is a number', { sub: 123 as never, exp: soon() }],
  ['a sub that only looks like it', { sub: '0123', exp: soon() }],
  ['a sub that is a list', { sub: ['123'] as never, exp: soon() }],
  ['no exp', { sub: '123' }],
  ['an exp that is a text', { sub: '123', exp: String(soon()) as never }],
  ['an exp beyond all dates', { sub: '123', exp: 1e300 }],
  ['an exp that has passed', { sub: '123', exp: inSeconds(-6) }],
  ['an nbf that is to come', { sub: '123', exp: soon(), nbf: inSeconds(20) }],
  ['an nbf that is a text', { sub: '123', exp: soon(), nbf: 'now' as never }],
  ['an audience, which is somebody else', { sub: '123', exp: soon(), aud: 'chat' }],
  ['permissions of the wrong type', { sub: '123', exp: soon(), encke: { publish: 'yes' } }],
  ['permissions that are not known', { sub: '123', exp: soon(), encke: { admin: true } }],
  ['permissions that are a list', { sub: '123', exp: soon(), encke: [] }],
  ['permissions that are null', { sub: '123', exp: soon(), encke: null }],
];
for (const [what, claims] of badClaims) {
  test(`A token with ${what} is refused.`, async () => {
    assert.equal(await isIn(await hs(claims)), false);
  });
}

test('Clocks may differ by five seconds.', async () => {
  assert.equal(await isIn(await hs({ sub: '123', exp: inSeconds(-3) })), true);
  assert.equal(await isIn(await hs({ sub: '123', exp: soon(), nbf: inSeconds(3) })), true);
});

test('Who comes too late is told so, and nothing else is told.', async () => {
  const late = await ask(provider, comet(123, await hs({ sub: '123', exp: 1 })));
  assert.deepEqual(late, {
    ok: false,
    error: 'not_authenticated',
    reason: 'the credentials have run out',
  });
  const wrong = await ask(provider, comet(124, await hs({ sub: '123', exp: soon() })));
  assert.deepEqual(wrong, {
    ok: false,
    error: 'not_authenticated',
    reason: 'the credentials are not those of this user',
  });
});

test('With an audience and an issuer a token must have both.', async () => {
  const by = withSecret({ audience: 'chat', issuer: 'https://id.example/' });
  const claims = { sub: '123', exp: soon(), aud: 'chat', iss: 'https://id.example/' };
  assert.equal(await isIn(await hs(claims), by), true);
  assert.equal(await isIn(await hs({ ...claims, aud: ['mail', 'chat'] }), by), true);
  const { aud: _aud, ...noAudience } = claims;
  const { iss: _iss, ...noIssuer } = claims;
  for (const bad of [
    noAudience,
    noIssuer,
    { ...claims, aud: 'mail' },
    { ...claims, aud: [] },
    { ...claims, aud: 'chat2' },
    { ...claims, iss: 'https://id.example' },
    { ...claims, iss: 'https://evil.example/' },
  ]) {
    assert.equal(await isIn(await hs(bad), by), false, JSON.stringify(bad));
  }
});

test('A token that is not signed is refused, whatever it calls its algorithm.', async () => {
  const claims = { sub: '123', exp: soon() };
  assert.equal(await isIn(new UnsecuredJWT(claims).encode()), false);
  const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
  for (const alg of ['none', 'None', 'NONE', '', 'HS256', null, 5]) {
    const head = Buffer.from(JSON.stringify({ alg })).toString('base64url');
    for (const signature of ['', 'AA', payload]) {
      assert.equal(await isIn(`${head}.${payload}.${signature}`), false, `${alg}`);
    }
  }
});

test('The key decides the algorithm, not the token: a public key is no secret.', async () => {
  const pem = pemOf(rsa.publicKey);
  const by = new JwtAuthenticator({ keys: parsePublicKeys(pem) });
  const claims = { sub: '123', exp: soon() };
  assert.equal(await isIn(await sign(claims, 'RS256', rsa.privateKey), by), true);
  for (const key of [pem, pem.trim(), rsa.publicKey.export({ type: 'spki', format: 'der' })]) {
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      assert.equal(await isIn(await sign(claims, alg, Buffer.from(key)), by), false, alg);
    }
  }
  for (const alg of ['RS384', 'RS512', 'PS256']) {
    assert.equal(await isIn(await sign(claims, alg, rsa.privateKey), by), false, alg);
  }
  for (const alg of ['HS384', 'HS512']) {
    assert.equal(await isIn(await sign(claims, alg, Buffer.from(secret))), false, alg);
  }
});

test('A token that brings its own key is refused.', async () => {
  const by = new JwtAuthenticator({ keys: parsePublicKeys(pemOf(rsa.publicKey)) });
  const jwk = otherRsa.publicKey.export({ format: 'jwk' });
  const token = await sign({ sub: '123', exp: soon() }, 'RS256', otherRsa.privateKey, {
    jwk,
    jku: 'http://evil.example/',
  });
  assert.equal(await isIn(token, by), false);
});

test('A critical header that is not known is refused.', async () => {
  const head = Buffer.from(JSON.stringify({ alg: 'HS256', crit: ['x'], x: 1 })).toString('base64url');
  const [, payload, signature] = (await hs({ sub: '123', exp: soon() })).split('.');
  assert.equal(await isIn(`${head}.${payload}.${signature}`), false);
});

test('Any of several keys is good: the old and the new one.', async () => {
  const secrets = new JwtAuthenticator({ keys: secretKeys([otherSecret, secret]) });
  const pems = new JwtAuthenticator({
    keys: parsePublicKeys([otherRsa, ec, rsa].map(({ publicKey }) => pemOf(publicKey)).join('\n')),
  });
  const claims = { sub: '123', exp: soon() };
  assert.equal(await isIn(await hs(claims), secrets), true);
  assert.equal(await isIn(await hs(claims, otherSecret), secrets), true);
  assert.equal(await isIn(await hs(claims, `${secret}2`), secrets), false);
  for (const [alg, { privateKey }] of [
    ['RS256', rsa],
    ['RS256', otherRsa],
    ['ES256', ec],
  ] as const) {
    assert.equal(await isIn(await sign(claims, alg, privateKey), pems), true, alg);
  }
  assert.equal(await isIn(await sign(claims, 'EdDSA', ed.privateKey), pems), false);
  // The first key that has signed it decides: another one does not make a late token early.
  assert.equal(await isIn(await hs({ sub: '123', exp: 1 }, otherSecret), secrets), false);
});

const garbage: readonly [string, string][] = [
  ['empty', ''],
  ['one dot', '.'],
  ['two dots', '..'],
  ['three dots', '...'],
  ['text', 'let me in'],
  ['JSON', '{"sub":"123"}'],
  ['base64 of nothing', 'e30.e30.e30'],
  ['a null byte', '\0.\0.\0'],
  ['over 4,096 characters', `${'x'.repeat(4_090)}.${'y'.repeat(10)}.z`],
];
for (const [what, token] of garbage) {
  test(`A token that is ${what} is refused, with every kind of key.`, async () => {
    for (const by of [provider, new JwtAuthenticator({ keys: parsePublicKeys(pemOf(ed.publicKey)) })]) {
      const result = await ask(by, comet(123, token));
      assert.ok(!result.ok && 'reason' in result, JSON.stringify(result));
    }
  });
}

test('A token that is good but over 4,096 characters is refused.', async () => {
  const claims = { sub: '123', exp: soon(), more: 'x'.repeat(4_096) };
  assert.equal(await isIn(await hs(claims)), false);
});

test('A file of keys must hold public keys that are strong enough, and nothing else.', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey;
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
  const privatePem = ec.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const broken = pemOf(ed.publicKey).replace('MCo', 'MCx');
  const wrongKind = /^a key in it is none of RSA with 2048 bits or more, EC P-256, Ed25519$/;
  for (const [pem, message] of [
    ['', /^there is no PEM key in it$/],
    ['not a key', /^there is no PEM key in it$/],
    [pemOf(weak), wrongKind],
    [pemOf(curve), wrongKind],
    [privatePem, /^it holds a private key: give the public one$/],
    [broken, /^a PEM block in it is no public key$/],
    [pemOf(ed.publicKey).repeat(17), /^it has over 16 keys$/],
  ] as const) {
    assert.throws(() => parsePublicKeys(pem), { message });
  }
});

/** The first character is another one. */
function flip(text: string): string {
  return (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
}
