/** A backlog of a million messages for one user who was away: memory of the server while it is fed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { connectTcp } from '../test/support/clients.ts';
import { fillDir, megabytes, ownBytes, takeBacklog } from '../test/support/filled.ts';
import { spawnDiskServer } from '../test/support/server.ts';

const MESSAGES = 1_000_000;
const TEXT_BYTES = 100;

const dir = mkdtempSync(join(tmpdir(), 'encke-bench-'));
try {
  await fillDir(join(dir, 'data'), 1, MESSAGES, TEXT_BYTES);
  const server = await spawnDiskServer(join(dir, 'data'), ['--log-level', 'fatal']);
  process.once('exit', () => server.child.kill('SIGKILL')); // whatever fails here
  const before = ownBytes(server);
  const client = await connectTcp(server, 2);
  const begin = performance.now();
  const { ownBytesMax } = await takeBacklog(server, client, MESSAGES, 10_000, () => turn());
  const seconds = (performance.now() - begin) / 1_000;
  console.log(`${MESSAGES} messages of ${TEXT_BYTES} bytes fed in ${seconds.toFixed(1)} s`);
  console.log(
    `RssAnon before ${megabytes(before)}, at most ${megabytes(ownBytesMax)}, after ${megabytes(ownBytes(server))}`,
  );
  await server.stop();
} finally {
  rmSync(dir, { recursive: true, force: true });
}
