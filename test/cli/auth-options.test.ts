import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { parseOptions, type Options } from '../../src/cli/options.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { otherSecret, secret } from '../support/auth.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const files: Record<string, string> = {
  secrets: `# the new one\n${otherSecret}\n\n  ${secret}\r\n`,
  empty: '# nothing\n',
  short: 'too-short-a-secret\n',
  'public.pem': publicKey.export({ type: 'spki', format: 'pem' }) as string,
  'private.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
};

const parse = (args: string, environment: Record<string, string> = {}): Options =>
  parseOptions(args.split(' ').filter(Boolean), environment, (path) => {
    const text = files[path];
    if (text === undefined) throw new Error('no such file');
    return text;
  });

function refused(args: string, message: string | RegExp, environment: Record<string, string> = {}): void {
  assert.throws(
    () => parse(args, environment),
    (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.doesNotMatch(error.message, /only-tests-know|too-short|nobody-knows|PRIVATE/);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    },
  );
}

test('--auth token takes one secret or more, of a flag, the environment or a file', () => {
  const one = { kind: 'token', secrets: [secret] };
  assert.deepEqual(parse(`--auth token --auth-secret ${secret}`).auth, one);
  assert.deepEqual(parse('--auth token', { ENCKE_AUTH_SECRET: secret }).auth, one);
  const two = { kind: 'token', secrets: [otherSecret, secret] };
  assert.deepEqual(parse(`--auth token --auth-secret ${otherSecret},${secret}`).auth, two);
  assert.deepEqual(parse('--auth token --auth-secret-file secrets').auth, two);
  assert.deepEqual(parse('', { ENCKE_AUTH: 'token', ENCKE_AUTH_SECRET_FILE: 'secrets' }).auth, two);
  assert.equal(parse('--host 0.0.0.0 --auth token --auth-secret-file secrets').host, '0.0.0.0');
});

test('a secret that is missing, given twice, too short or not readable is refused, and never shown', () => {
  refused('--auth token', '--auth token needs a secret: --auth-secret or --auth-secret-file');
  const both = `--auth token --auth-secret ${secret} --auth-secret-file secrets`;
  refused(both, '--auth-secret and --auth-secret-file: give one of them');
  const rule = 'a secret is not 32 to 512 printable ASCII characters, no spaces or commas';
  refused('--auth token --auth-secret too-short', `--auth-secret: ${rule}`);
  refused(`--auth token --auth-secret ${secret},`, `--auth-secret: ${rule}`);
  refused('--auth token', `--auth-secret: ${rule}`, { ENCKE_AUTH_SECRET: `${secret} ${secret}` });
  refused('--auth token', `--auth-secret: ${rule}`, { ENCKE_AUTH_SECRET: `${secret}ü` });
  refused('--auth token --auth-secret-file short', `--auth-secret-file short: ${rule}`);
  refused('--auth token --auth-secret-file empty', '--auth-secret-file empty: 1 to 16 secrets are needed');
  const many = Array.from({ length: 17 }, () => secret).join(',');
  refused(`--auth token --auth-secret ${many}`, '--auth-secret: 1 to 16 secrets are needed');
  refused('--auth token --auth-secret-file none', '--auth-secret-file: cannot read none: no such file');
  refused('', 'environment ENCKE_AUTH_SECRET: the value is not a text', { ENCKE_AUTH_SECRET: '' });
});

test('--auth jwt takes its keys from one place', () => {
  const { auth } = parse('--auth jwt --auth-jwt-key-file public.pem --auth-audience chat --auth-issuer x');
  assert.ok(auth.kind === 'jwt' && Array.isArray(auth.keys));
  assert.deepEqual([auth.keys[0]?.algorithm, auth.audience, auth.issuer], ['EdDSA', 'chat', 'x']);
  const hs = parse('--auth jwt --auth-secret-file secrets').auth;
  assert.ok(hs.kind === 'jwt' && Array.isArray(hs.keys));
  assert.deepEqual(
    hs.keys.map(({ algorithm }) => algorithm),
    ['HS256', 'HS256'],
  );
  const jwks = parse('--auth jwt --auth-jwks-url https://id.example/jwks').auth;
  assert.ok(jwks.kind === 'jwt' && jwks.keys instanceof URL);
  const ways = /: --auth-secret \(or --auth-secret-file\), --auth-jwt-key-file or --auth-jwks-url$/;
  refused('--auth jwt', ways);
  refused('--auth jwt --auth-audience chat', ways);
  refused('--auth jwt --auth-jwt-key-file public.pem --auth-jwks-url https://id.example/', ways);
  refused(`--auth jwt --auth-jwt-key-file public.pem --auth-secret ${secret}`, ways);
  refused(
    '--auth jwt --auth-jwt-key-file private.pem',
    '--auth-jwt-key-file private.pem: it holds a private key: give the public one',
  );
  refused('--auth jwt --auth-jwt-key-file secrets', '--auth-jwt-key-file secrets: there is no PEM key in it');
  refused('--auth jwt --auth-jwt-key-file none', '--auth-jwt-key-file: cannot read none: no such file');
});

test('--auth http needs a URL', () => {
  const { auth } = parse(`--auth http --auth-url http://127.0.0.1:1/a?b --auth-secret ${secret}`);
  const url = new URL('http://127.0.0.1:1/a?b');
  assert.deepEqual(auth, { kind: 'http', url, timeoutMs: 3_000, secret });
  const timed = parse('--auth http --auth-url http://a/ --auth-http-timeout 0.5').auth;
  assert.ok(timed.kind === 'http' && timed.timeoutMs === 500);
  refused('--auth http', '--auth http needs the URL of the service: --auth-url');
  refused('--auth http --auth-url http://a/ --auth-secret-file secrets', /sends one secret: give one$/);
  for (const bad of ['a', 'ftp://a/', 'http://', 'http://only-tests-know:x@a/', 'file:///etc/passwd']) {
    refused(
      `--auth http --auth-url ${bad}`,
      'flag --auth-url: the value is not an http:// or https:// URL without a user and a password in it',
    );
  }
  refused('--auth http --auth-url http://a/ --auth-http-timeout 0', /is not seconds from 0.01 to 60$/);
});

test('what does not go with the kind of authentication is refused', () => {
  for (const [args, flag, kind] of [
    [`--auth-secret ${secret}`, 'auth-secret', 'open'],
    ['--auth open --auth-secret-file secrets', 'auth-secret-file', 'open'],
    ['--auth-url http://a/', 'auth-url', 'open'],
    [`--auth token --auth-secret ${secret} --auth-audience x`, 'auth-audience', 'token'],
    [`--auth token --auth-secret ${secret} --auth-jwks-url http://a/`, 'auth-jwks-url', 'token'],
    [`--auth jwt --auth-secret ${secret} --auth-url http://a/`, 'auth-url', 'jwt'],
    ['--auth http --auth-url http://a/ --auth-jwt-key-file public.pem', 'auth-jwt-key-file', 'http'],
  ] as const) {
    refused(args, `--${flag} does not go with --auth ${kind}`);
  }
});

test('--guests lets guests receive, or publish as well; a secret goes with it', () => {
  assert.equal(parse('').guests, undefined);
  assert.equal(parse('--guests off').guests, undefined);
  assert.deepEqual(parse('--guests').guests, { publish: false, secrets: [] });
  assert.deepEqual(parse('--guests --workers 2').guests, { publish: false, secrets: [] });
  assert.deepEqual(parse('--guests receive').guests, { publish: false, secrets: [] });
  assert.deepEqual(parse('', { ENCKE_GUESTS: 'publish' }).guests, { publish: true, secrets: [] });
  const kept = parse(`--guests publish --auth-secret ${secret}`);
  assert.deepEqual([kept.auth, kept.guests], [{ kind: 'open' }, { publish: true, secrets: [secret] }]);
  refused('--guests all', 'flag --guests: "all" is not one of off, receive, publish');
});
