/** How long a start takes, and what memory it needs, with a million messages in 10,000 conversations. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectTcp } from '../test/support/clients.ts';
import { dirBytes, fillDir, megabytes, ownBytes, takeBacklog } from '../test/support/filled.ts';
import { spawnDiskServer } from '../test/support/server.ts';

const PAIRS = 10_000;
const EACH = 100;

async function measure(title: string, dir: string, end: NodeJS.Signals, reader = 0): Promise<void> {
  const begin = performance.now();
  const server = await spawnDiskServer(dir, ['--log-level', 'fatal']);
  const ms = performance.now() - begin;
  process.once('exit', () => server.child.kill('SIGKILL')); // whatever fails here
  console.log(`${title}: ready in ${ms.toFixed(0)} ms, RssAnon ${megabytes(ownBytes(server))}`);
  if (reader > 0) {
    const client = await connectTcp(server, reader);
    await takeBacklog(server, client, EACH, EACH, async () => {});
    const sender = await connectTcp(server, 999_999);
    // Something for the journal, so that the next start has something to move.
    const text = 'x'.repeat(1_000);
    const sent = Array.from({ length: 10_000 }, (_, i) =>
      sender.send(20_000_000 + reader * 10_000 + i, text),
    );
    await Promise.all(sent);
  }
  await server.stop(end);
}

const parent = mkdtempSync(join(tmpdir(), 'encke-bench-'));
try {
  await measure('empty', join(parent, 'empty'), 'SIGTERM');
  const dir = join(parent, 'full');
  const begin = performance.now();
  await fillDir(dir, PAIRS, EACH);
  const seconds = (performance.now() - begin) / 1_000;
  const size = megabytes(dirBytes(dir));
  console.log(
    `${PAIRS * EACH} messages in ${PAIRS} conversations: ${size}, stored in ${seconds.toFixed(1)} s`,
  );
  await measure('full, after a clean end', dir, 'SIGKILL', 2);
  await measure('full, after a kill', dir, 'SIGTERM', PAIRS + 1);
} finally {
  rmSync(parent, { recursive: true, force: true });
}
