/** The receiver of docs/webhooks.md, as it stands there. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { Poster } from '../../src/webhook/poster.ts';
import { Signer } from '../../src/webhook/signature.ts';
import { temporaryPath } from '../support/data-dirs.ts';

const page = readFileSync(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs it with this secret; what it prints, a line at a time. */
async function startReceiver(t: TestContext, secret: string): Promise<{ url: string; lines: string[] }> {
  const code = /```js\n(.*?)```/s.exec(page)?.[1] ?? '';
  assert.ok(code.trim().split('\n').length <= 24, 'it is short');
  const path = temporaryPath(t, 'receiver.mjs');
  writeFileSync(path, code);
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), WEBHOOK_SECRET: secret };
  const child = spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const url = `http://127.0.0.1:${port}/`;
  for (;;) {
    const reached = await fetch(url, { method: 'POST' }).catch(() => undefined);
    if (reached !== undefined) return { url, lines };
  }
}

async function statusOf(url: string, secrets: readonly string[], body: string): Promise<number> {
  const poster = new Poster({
    url,
    signer: new Signer(secrets),
    timeoutMs: 10_000,
    replyBytesMax: 1_000,
    connectionsMax: 1,
  });
  const { status } = await poster.post('g:1:1-1', Buffer.from(body), true);
  poster.close();
  return status;
}

test('The receiver of docs/webhooks.md takes what is signed with its secret, once, and nothing else.', async (t) => {
  const { url, lines } = await startReceiver(t, 'new secret');
  const body = JSON.stringify({ events: [{ id: 'a', type: 'message', msg: 'é' }] });
  assert.equal(await statusOf(url, ['new secret'], body), 204);
  assert.equal(await statusOf(url, ['old secret', 'new secret'], body), 204, 'while secrets are changed');
  assert.equal(await statusOf(url, ['old secret'], body), 401);
  assert.equal(await statusOf(url, [], body), 401);
  assert.deepEqual(lines, [JSON.stringify({ id: 'a', type: 'message', msg: 'é' })]);

  const headers = new Signer(['new secret']).headers('x', Buffer.from(body), Date.now() - 400_000);
  assert.equal((await fetch(url, { method: 'POST', headers, body })).status, 401, 'an old one');
  const fresh = new Signer(['new secret']).headers('x', Buffer.from(body), Date.now());
  assert.equal((await fetch(url, { method: 'POST', headers: fresh, body: `${body} ` })).status, 401);
  const odd = { ...fresh, 'webhook-signature': 'v1,ÿ' };
  assert.equal((await fetch(url, { method: 'POST', headers: odd, body })).status, 401);
  assert.equal((await fetch(url, { method: 'POST', headers: fresh, body })).status, 204);
});

test('A signature is that of the published example of Standard Webhooks.', () => {
  const signer = new Signer(['whsec_plJ3nmyCDGBKInavdOK15jsl']);
  const body = Buffer.from('{"event_type":"ping","data":{"success":true}}');
  const headers = signer.headers('msg_loFOjxBNrRLzqYUf', body, 1_731_705_121_000);
  assert.equal(headers['webhook-signature'], 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=');
});
