import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { HttpAuthenticator } from '../../src/auth/http.ts';
import { limits } from '../../src/limits.ts';
import {
  ask,
  comet,
  inSeconds,
  json,
  messaging,
  secret,
  startService,
  type Service,
} from '../support/auth.ts';

let service: Service;
let provider: HttpAuthenticator;

before(async () => (service = await startService(() => {})));
after(() => service.close());
beforeEach(() => (provider = providerOf(service.url)));

const providerOf = (url: string, timeoutMs = 5_000): HttpAuthenticator =>
  new HttpAuthenticator({ url: new URL(url), timeoutMs, secret });

test('The service is sent the credentials, and the secret as a bearer token.', async () => {
  const seen: unknown[] = [];
  service.answer = (request, response, body) => {
    const { method, headers } = request;
    seen.push([method, headers['content-type'], headers.authorization, JSON.parse(body)]);
    json(response, { user: (JSON.parse(body) as { user: unknown }).user });
  };
  assert.deepEqual(await ask(provider, { ...comet(123, 'k'), device: 'phone' }), { ok: true, user: 123 });
  assert.deepEqual(await ask(provider, messaging('ann', 't')), { ok: true, user: 'ann' });
  assert.deepEqual(await ask(provider, messaging('124')), { ok: true, user: 124 });
  const address = '203.0.113.9';
  assert.deepEqual(
    seen,
    [
      { protocol: 'comet', user: 123, token: 'k', device: 'phone', address },
      { protocol: 'messaging', user: 'ann', token: 't', address },
      { protocol: 'messaging', user: 124, token: '', address },
    ].map((body) => ['POST', 'application/json', `Bearer ${secret}`, body]),
  );
});

test('The answer says what the user may do, and until when.', async () => {
  const exp = inSeconds(60);
  service.answer = (_request, response) =>
    json(response, { user: 1, exp, permissions: { publish: false, groups: [7] } });
  assert.deepEqual(await ask(provider, comet(1, 'k')), {
    ok: true,
    user: 1,
    expiresAt: exp * 1_000 + 5_000,
    permissions: { publish: false, broadcast: false, groups: [7] },
  });
});

test('401 and 403 are refusals, whatever else the answer says.', async () => {
  for (const status of [401, 403]) {
    service.answer = (_request, response) => json(response, { user: 1 }, status);
    const result = await ask(provider, comet(1, 'k'));
    assert.ok(!result.ok && 'reason' in result, String(status));
  }
});

const lies: readonly [string, unknown][] = [
  ['another user', { user: 2 }],
  ['the user as a text', { user: '1' }],
  ['no user', {}],
  ['a user that is null', { user: null }],
  ['a list', [{ user: 1 }]],
  ['null', null],
  ['true', true],
  ['a member that is not known', { user: 1, admin: true }],
  ['a permission that is not known', { user: 1, permissions: { root: true } }],
  ['a permission of the wrong type', { user: 1, permissions: { publish: 'yes' } }],
  ['a group that is none', { user: 1, permissions: { groups: [0] } }],
  ['too many groups', { user: 1, permissions: { groups: Array.from({ length: 1_025 }, (_, i) => i + 1) } }],
  ['an exp that is a text', { user: 1, exp: 'tomorrow' }],
  ['an exp that has passed', { user: 1, exp: 1 }],
];
for (const [what, answer] of lies) {
  test(`An answer with ${what} lets nobody in.`, async () => {
    service.answer = (_request, response) => json(response, answer);
    assert.equal((await ask(provider, comet(1, 'k'))).ok, false);
  });
}

for (const text of ['', '{"user":1', 'yes', '<html>', '{"user":1}{"user":1}', '\u{feff}x']) {
  test(`An answer that is ${JSON.stringify(text)} lets nobody in.`, async () => {
    service.answer = (_request, response) => void response.end(text);
    assert.equal((await ask(provider, comet(1, 'k'))).ok, false);
  });
}

for (const status of [201, 204, 206, 301, 302, 307, 308, 400, 404, 429, 500, 503]) {
  test(`Status ${status} lets nobody in, and no redirect is followed.`, async () => {
    const asked = service.count;
    service.answer = (_request, response) => {
      response.writeHead(status, { location: service.url });
      response.end(status === 204 ? undefined : '{"user":1}');
      service.answer = (_again, second) => json(second, { user: 1 });
    };
    const result = await ask(provider, comet(1, 'k'));
    assert.ok(!result.ok && 'failure' in result);
    assert.equal(service.count, asked + 1);
  });
}

test('Neither the secret, nor the credentials, nor the URL are in the failure that is logged.', async () => {
  const failures: string[] = [];
  for (const answer of [
    (_request, response) => json(response, { user: 2, why: 'mkey-of-the-user' }),
    (_request, response) => void response.writeHead(500).end('mkey-of-the-user'),
    (_request, response) => void response.destroy(),
  ] satisfies Service['answer'][]) {
    service.answer = answer;
    const result = await ask(providerOf(`${service.url}?key=of-the-url`), comet(1, 'mkey-of-the-user'));
    assert.ok('failure' in result);
    failures.push(result.failure);
  }
  assert.doesNotMatch(failures.join('\n'), /mkey-of-the-user|only-tests-know|of-the-url/);
});

test('A service that is down lets nobody in, and is asked again when it is back.', async () => {
  const gone = await startService((_request, response) => json(response, { user: 1 }));
  const by = providerOf(gone.url);
  await gone.close();
  assert.equal((await ask(by, comet(1, 'k'))).ok, false);
  service.answer = (_request, response) => void response.destroy();
  assert.equal((await ask(provider, comet(1, 'k'))).ok, false);
  service.answer = (_request, response) => json(response, { user: 1 });
  assert.equal((await ask(provider, comet(1, 'k'))).ok, true);
});

test('A service that is slow lets nobody in: before its head, before its body, and in drops.', async () => {
  const by = providerOf(service.url, 50);
  for (const answer of [
    () => {},
    (_request, response) => response.writeHead(200).flushHeaders(),
    (_request, response) => void response.writeHead(200).write('{"user":1'),
  ] satisfies Service['answer'][]) {
    service.answer = answer;
    assert.equal((await ask(by, comet(1, 'k'))).ok, false);
  }
});

test('The time for authentication ends the question as well.', async () => {
  const controller = new AbortController();
  service.answer = () => controller.abort();
  assert.equal((await ask(provider, comet(1, 'k'), controller.signal)).ok, false);
});

test('An answer without end is cut off, and lets nobody in.', async () => {
  let ended!: () => void;
  const cut = new Promise<void>((resolve) => (ended = resolve));
  service.answer = (_request, response) => {
    response.on('close', ended);
    const more = (): void => {
      while (!response.destroyed && response.write(' '.repeat(16_384)));
    };
    response.writeHead(200).on('drain', more);
    more();
  };
  assert.equal((await ask(provider, comet(1, 'k'))).ok, false);
  await cut;
});

test('Who was let in is not asked for again with the same credentials, and others are.', async () => {
  service.answer = (_request, response, body) =>
    json(response, { user: (JSON.parse(body) as { user: unknown }).user });
  const asked = service.count;
  for (let i = 0; i < 3; i++) assert.equal((await ask(provider, comet(1, 'k'))).ok, true);
  assert.equal(service.count, asked + 1);
  service.answer = (_request, response) => json(response, {}, 401);
  for (const other of [
    comet(1, 'K'),
    comet(2, 'k'),
    messaging('1', 'k'),
    { ...comet(1, 'k'), device: 'd' },
  ]) {
    assert.equal((await ask(provider, other)).ok, false, JSON.stringify(other));
  }
  assert.equal(service.count, asked + 5);
});

test('Refusals and failures are not remembered.', async () => {
  for (const status of [401, 500]) {
    service.answer = (_request, response) => json(response, {}, status);
    assert.equal((await ask(provider, comet(1, 'k'))).ok, false);
  }
  service.answer = (_request, response) => json(response, { user: 1 });
  assert.equal((await ask(provider, comet(1, 'k'))).ok, true);
});

test('So many questions are on their way at once; the others wait, and each gets its own answer.', async () => {
  const already = service.count;
  const total = limits.authHttpRequestsMax * 3;
  const open: (() => void)[] = [];
  let most = 0;
  service.answer = (_request, response, body) => {
    open.push(() => json(response, { user: (JSON.parse(body) as { user: unknown }).user }));
    most = Math.max(most, open.length);
    if (open.length >= limits.authHttpRequestsMax || service.count - already === total) {
      for (const go of open.splice(0)) go();
    }
  };
  const results = await Promise.all(
    Array.from({ length: total }, (_, i) => ask(provider, comet(i + 1, 'k'))),
  );
  assert.deepEqual(
    results,
    results.map((_, i) => ({ ok: true, user: i + 1 })),
  );
  assert.equal(most, limits.authHttpRequestsMax);
});

test('A credential that is too long is not even sent.', async () => {
  const asked = service.count;
  assert.equal((await ask(provider, messaging('1', 'x'.repeat(4_097)))).ok, false);
  assert.equal(service.count, asked);
});
