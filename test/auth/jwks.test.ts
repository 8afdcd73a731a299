import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { SignJWT } from 'jose';
import { JwtAuthenticator } from '../../src/auth/jwt.ts';
import { remoteKeys } from '../../src/auth/jwt-keys.ts';
import { limits } from '../../src/limits.ts';
import { ask, comet, inSeconds, json, secret, startService, type Service } from '../support/auth.ts';

const keyPair = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' });
const [first, second] = [keyPair(), keyPair()];
const jwk = (pair: { publicKey: KeyObject }, kid?: string): object => ({
  ...pair.publicKey.export({ format: 'jwk' }),
  ...(kid !== undefined && { kid }),
});

const tokenOf = (pair: { privateKey: KeyObject }, kid?: string): Promise<string> =>
  new SignJWT({ sub: '123', exp: inSeconds(60) })
    .setProtectedHeader({ alg: 'ES256', ...(kid !== undefined && { kid }) })
    .sign(pair.privateKey);

let service: Service;
let provider: JwtAuthenticator;

before(async () => (service = await startService(() => {})));
after(() => service.close());
beforeEach(() => (provider = new JwtAuthenticator({ keys: remoteKeys(new URL(service.url)) })));

const isIn = async (token: string, by = provider): Promise<boolean> => (await ask(by, comet(123, token))).ok;

test('The key set is fetched once, and its keys are good.', async () => {
  service.answer = (_request, response) => json(response, { keys: [jwk(first, 'a'), jwk(second, 'b')] });
  const asked = service.count;
  const tokens = await Promise.all([tokenOf(first, 'a'), tokenOf(second, 'b'), tokenOf(first, 'a')]);
  assert.deepEqual(await Promise.all(tokens.map((token) => isIn(token))), [true, true, true]);
  assert.equal(service.count, asked + 1);
});

test('A token without kid is tried with each key of the set.', async () => {
  service.answer = (_request, response) => json(response, { keys: [jwk(first), jwk(second)] });
  assert.equal(await isIn(await tokenOf(first)), true);
  assert.equal(await isIn(await tokenOf(second)), true);
  assert.equal(await isIn(await tokenOf(keyPair())), false);
});

test('A key that is not in the set is refused, and does not have it fetched again and again.', async () => {
  service.answer = (_request, response) => json(response, { keys: [jwk(first, 'a')] });
  assert.equal(await isIn(await tokenOf(first, 'a')), true);
  const asked = service.count;
  for (let i = 0; i < 5; i++) assert.equal(await isIn(await tokenOf(second, `b${i}`)), false);
  assert.equal(service.count, asked);
});

test('A new key of the set is found when the old set has been kept long enough.', async (t) => {
  service.answer = (_request, response) => json(response, { keys: [jwk(first, 'a')] });
  assert.equal(await isIn(await tokenOf(first, 'a')), true);
  service.answer = (_request, response) => json(response, { keys: [jwk(second, 'b')] });
  const token = await tokenOf(second, 'b');
  assert.equal(await isIn(token), false);
  const later = Date.now() + limits.jwksCooldownMs;
  t.mock.method(Date, 'now', () => later);
  assert.equal(await isIn(token), true);
  assert.equal(await isIn(await tokenOf(first, 'a')), false, 'a key that was taken out is no longer good');
});

test('A key of the set is no secret, and a secret in the set is no key.', async () => {
  const oct = { kty: 'oct', k: Buffer.from(secret).toString('base64url'), kid: 'o', alg: 'HS256' };
  service.answer = (_request, response) => json(response, { keys: [oct, jwk(first, 'a')] });
  for (const kid of ['o', 'a']) {
    const token = await new SignJWT({ sub: '123', exp: inSeconds(60) })
      .setProtectedHeader({ alg: 'HS256', kid })
      .sign(Buffer.from(secret));
    assert.equal(await isIn(token), false, kid);
  }
});

const lies: readonly [string, Service['answer']][] = [
  ['is no JSON', (_request, response) => void response.end('<html>')],
  ['has no keys', (_request, response) => json(response, {})],
  ['has keys that are no list', (_request, response) => json(response, { keys: 'a' })],
  ['has keys that are none', (_request, response) => json(response, { keys: [1, null, {}] })],
  ['is a list', (_request, response) => json(response, [jwk(first, 'a')])],
  ['comes with status 500', (_request, response) => json(response, { keys: [jwk(first, 'a')] }, 500)],
  [
    'is somewhere else',
    (_request, response) => {
      response.writeHead(302, { location: service.url }).end();
      service.answer = (_again, other) => json(other, { keys: [jwk(first, 'a')] });
    },
  ],
  ['is cut off', (_request, response) => void response.destroy()],
  [
    'is too long',
    (_request, response) =>
      json(response, { keys: [jwk(first, 'a')], more: 'x'.repeat(limits.jwksBytesMax) }),
  ],
];
for (const [what, answer] of lies) {
  test(`A key set that ${what} lets nobody in.`, async () => {
    service.answer = answer;
    assert.equal(await isIn(await tokenOf(first, 'a')), false);
  });
}

test('A key set that is down lets nobody in, is not asked for by each who comes, and is found again.', async (t) => {
  service.answer = (_request, response) => json(response, {}, 503);
  const token = await tokenOf(first, 'a');
  const asked = service.count;
  for (let i = 0; i < 5; i++) assert.equal(await isIn(token), false);
  assert.equal(service.count, asked + 1);
  service.answer = (_request, response) => json(response, { keys: [jwk(first, 'a')] });
  const later = performance.now() + limits.jwksRetryMs;
  t.mock.method(performance, 'now', () => later);
  assert.equal(await isIn(token), true);
});

test('A key set that does not come lets nobody in when the time for authentication is over.', async () => {
  const controller = new AbortController();
  service.answer = () => controller.abort();
  const result = await ask(provider, comet(123, await tokenOf(first, 'a')), controller.signal);
  assert.ok('failure' in result);
});
