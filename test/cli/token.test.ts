import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { runToken } from '../../src/cli/token.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { TokenAuthenticator } from '../../src/auth/token.ts';
import { permissionsSchema } from '../../src/auth/claims.ts';
import type { UserId } from '../../src/wire/user-id.ts';
import { ask, messaging, otherSecret, secret } from '../support/auth.ts';
import { connectTcp } from '../support/clients.ts';
import { temporaryPath } from '../support/data-dirs.ts';
import { spawnMain, spawnServer } from '../support/server.ts';

const provider = new TokenAuthenticator([secret]);
const admits = async (user: UserId, token: string): Promise<unknown> =>
  ask(provider, messaging(String(user), token));

test('encke token mints what the server lets in, with the secret of the same file', async (t) => {
  const file = temporaryPath(t);
  writeFileSync(file, `${secret}\n${otherSecret}\n`, { mode: 0o600 });
  const minted = await spawnMain(['token', '--mid', '123', '--ttl', '1h', '--auth-secret-file', file]).exit;
  assert.deepEqual([minted.code, minted.stderr], [0, '']);
  assert.match(minted.stdout, /^\d{10}\.[0-9a-f]{64}\n$/);
  const server = await spawnServer(['--store', 'memory', '--auth', 'token', '--auth-secret-file', file]);
  const mkey = minted.stdout.trim();
  const client = await connectTcp(server, 123, { mkey });
  await assert.rejects(connectTcp(server, 124, { mkey }));
  await client.close();
  const { stderr } = await server.stop();
  assert.doesNotMatch(stderr, /only-tests-know|nobody-knows/, 'no secret is logged');
  assert.ok(!stderr.includes(mkey), 'and no token');
});

test('permissions, names and times go into the token', async () => {
  const environment = { ENCKE_AUTH_SECRET: secret };
  const mint = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, code } = await spawnMain(['token', ...args], environment).exit;
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  const [limited, forever] = await Promise.all([
    mint(...'--client-id ann --ttl 7d --no-publish --groups 7,8 --broadcast --rate-class bot'.split(' ')),
    mint('--mid', '5', '--ttl', 'never'),
  ]);
  const { expiresAt, ...rest } = (await admits('ann', limited)) as { expiresAt: number };
  const days = (expiresAt - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days < 7.1);
  const permissions = { publish: false, broadcast: true, groups: [7, 8], rateClass: 'bot' };
  assert.deepEqual(rest, { ok: true, user: 'ann', permissions });
  assert.deepEqual(await admits(5, forever), { ok: true, user: 5 });
});

test('what is missing or wrong is one line and exit code 2, and no secret is in it', async () => {
  const runs = [
    ['--mid', '1'],
    ['--mid', '1', '--auth-secret', 'only-tests-know'],
    ['--auth-secret', secret],
    ['--mid', '1', '--client-id', 'ann', '--auth-secret', secret],
    ['--mid', '0', '--auth-secret', secret],
    ['--client-id', '0', '--auth-secret', secret],
    ['--mid', '1', '--ttl', '1y', '--auth-secret', secret],
    ['--mid', '1', '--groups', '7,x', '--auth-secret', secret],
    ['--mid', '1', '--rate-class', 'a b', '--auth-secret', secret],
    ['--mid', '1', '--auth-secret-file', '/nowhere/secret'],
  ];
  for (const args of runs) {
    await assert.rejects(runToken(args), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.doesNotMatch(error.message, /only-tests-know/);
      return true;
    });
  }
  const { code, stdout, stderr } = await spawnMain(['token', ...runs[1]!]).exit;
  assert.match(stderr, /^encke: --auth-secret: a secret is not [^\n]+\n$/);
  assert.deepEqual([code, stdout], [2, '']);
});

// From dist/test/cli/.
const docs = readFileSync(new URL('../../../docs/auth.md', import.meta.url), 'utf8');
const blocks = [...docs.matchAll(/^```(\S+) ?(.*)\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', mark = '', text = '']) => ({ language, mark, text }),
);
const block = (language: string): string => {
  const found = blocks.find((each) => each.language === language && each.mark === 'token');
  assert.ok(found, `docs/auth.md has a ${language} block that mints a token`);
  return found.text;
};

test('The tokens in the docs are what their secret signs.', async () => {
  const documented = blocks.filter(({ language }) => language === 'token');
  assert.equal(documented.length, 2);
  const by = new TokenAuthenticator(['0123456789abcdef0123456789abcdef']);
  for (const { mark, text } of documented) {
    const user = mark.replace('user=', '');
    assert.equal((await ask(by, messaging(user, text.trim()))).ok, true, text);
  }
});

test('The permissions in the docs are good ones.', () => {
  const { text } = blocks.find(({ mark }) => mark === 'permissions')!;
  assert.ok(permissionsSchema.safeParse(JSON.parse(text)).success);
});

test('The lines in the docs that mint a token mint one that is let in.', async () => {
  const script = `import { createHmac } from 'node:crypto';
    const [secret, user] = process.argv.slice(1);
    ${block('js')}
    process.stdout.write(token);`;
  for (const user of ['123', 'ann é']) {
    const args = ['--input-type=module', '-e', script, secret, user];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(((await admits(user, stdout)) as { ok: boolean }).ok, true, stderr);
  }
  // The other languages where this machine has them.
  const python = `import base64, hmac, sys, time\nsecret, user = sys.argv[1:]\n${block('python')}print(token)`;
  const shell = `SECRET=$1 USER_ID=$2\n${block('sh')}printf '%s\\n' "$TOKEN"`;
  for (const [program, args] of [
    ['python3', ['-c', python, secret, '123']],
    ['sh', ['-c', `command -v openssl >/dev/null || exit 127\n${shell}`, 'sh', secret, '123']],
  ] as const) {
    const { stdout, error, status } = spawnSync(program, args, { encoding: 'utf8' });
    if (error !== undefined || status === 127) continue;
    assert.equal(((await admits(123, stdout.trim())) as { ok: boolean }).ok, true, `${program}: ${stdout}`);
  }
});
