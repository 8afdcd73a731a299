import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions, type Options } from '../../src/cli/options.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { limits } from '../../src/limits.ts';

const parse = (args: string, environment: Record<string, string> = {}, file = ''): Options['webhooks'] =>
  parseOptions(args.split(' ').filter(Boolean), environment, (path) => {
    if (path !== 'secrets.txt') throw new Error('no such file');
    return file;
  }).webhooks;

function refused(run: () => unknown, message: string): void {
  assert.throws(run, (error) => error instanceof UsageError && error.message === message);
}

const local = 'http://127.0.0.1:8080/hook';
const [first, second] = ['secret-one', 'secret-two'];

test('without a URL there are no webhooks', () => {
  assert.equal(parse(''), undefined);
});

test('events and before_send have a URL each, and the same secrets', () => {
  assert.deepEqual(parse(`--webhook ${local}`), { url: local, secrets: [] });
  const args = `--webhook ${local} --before-send http://[::1]:1/ --before-send-timeout 0.5 --before-send-down allow`;
  assert.deepEqual(parse(args, { ENCKE_WEBHOOK_SECRET: `${first},${second}` }), {
    url: local,
    secrets: [first, second],
    beforeSend: { url: 'http://[::1]:1/', timeoutMs: 500, whenDown: 'allow' },
  });
  assert.deepEqual(parse(`--before-send ${local}`)?.beforeSend, {
    url: local,
    timeoutMs: limits.beforeSendTimeoutMs,
    whenDown: 'refuse',
  });
});

test('secrets may be in a file, one a line', () => {
  const args = `--webhook ${local} --webhook-secret-file secrets.txt`;
  assert.deepEqual(parse(args, {}, `${first}\n${second}\n`)?.secrets, [first, second]);
  const rule =
    '--webhook-secret-file secrets.txt: its lines are not 8 to 512 printable ASCII characters, no spaces or commas';
  for (const bad of ['', '\n', 'short', 'with a space in it', `${first},${second}`])
    refused(() => parse(args, {}, bad), rule);
  refused(
    () => parse(`--webhook ${local} --webhook-secret-file none.txt`),
    '--webhook-secret-file: cannot read none.txt: no such file',
  );
});

test('a URL that is not on loopback needs a secret', () => {
  const message = 'a webhook that is not on loopback needs a secret: --webhook-secret-file';
  refused(() => parse('--webhook https://app.example/'), message);
  refused(() => parse(`--webhook ${local} --before-send http://10.0.0.1/`), message);
  assert.ok(parse(`--webhook https://app.example/ --webhook-secret ${first}`));
});

test('neither a URL nor a secret is shown, and what does not fit together is refused', () => {
  const allowed = 'an http:// or https:// URL without a user and a password in it';
  for (const url of ['app.example', 'ftp://x/', 'http://user:secret@x/'])
    refused(() => parse(`--webhook ${url}`), `flag --webhook: the value is not ${allowed}`);
  refused(
    () => parse(`--webhook ${local} --webhook-secret short`),
    'flag --webhook-secret: the value is not 8 to 512 printable ASCII characters, no spaces or commas, more than one separated by commas',
  );
  refused(
    () => parse(`--webhook ${local} --webhook-secret ${first} --webhook-secret-file secrets.txt`),
    '--webhook-secret and --webhook-secret-file: give one of them',
  );
  refused(() => parse(`--webhook-secret ${first}`), '--webhook-secret needs --webhook or --before-send');
});
