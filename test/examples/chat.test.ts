import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Server } from '../../src/server.ts';
import { connectTcp } from '../support/clients.ts';
import { startTestServer } from '../support/server.ts';

const chatFile = fileURLToPath(new URL('../../examples/chat.js', import.meta.url));

let server: Server;
before(async () => void (server = await startTestServer()));
after(() => server.close());

/** Runs the example to its end; rejects on any exit code but 0. */
async function chat(transport: string[], ...args: string[]): Promise<string> {
  const { port } = transport.length === 0 ? server.tcpAddress : server.httpAddress;
  const all = [chatFile, ...transport, '--port', String(port), ...args];
  return (await promisify(execFile)(process.execPath, all, { timeout: 20_000 })).stdout;
}

const transports = [[], ['--ws'], ['--messaging']];

test('two users talk, each over any transport', async () => {
  for (const [i, transport] of transports.entries()) {
    const [one, two] = [String(10 + i), String(20 + i)];
    const listening = transports[(i + 1) % transports.length]!;
    const listener = chat(listening, '--mid', two, '--to', one, '--listen', '1', '--device', 'desk');
    assert.match(await chat(transport, '--mid', one, '--to', two, '--once', 'hello'), /^sent \S+\n$/);
    assert.equal(await listener, `${one}: hello\n`);
  }
});

test('what was said while nobody listened comes later', async () => {
  const ann = await connectTcp(server, 30);
  await ann.send(31, 'first');
  await ann.send(31, 'second');
  await ann.close();
  assert.equal(await chat([], '--mid', '31', '--to', '30', '--listen', '2'), '30: first\n30: second\n');
});

test('wrong arguments, and a server that is not there, are told', async () => {
  await assert.rejects(chat([], '--mid', '1'), { code: 2, stderr: /^usage: chat/ });
  const gone = chat([], '--mid', '1', '--to', '2', '--port', '1', '--once', 'x');
  await assert.rejects(gone, { code: 1, stderr: /ECONNREFUSED/ });
});
