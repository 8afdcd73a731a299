import assert from 'node:assert/strict';
import type { Server } from '../../src/server.ts';
import { adminRequest } from './admin.ts';
import { until } from './messaging.ts';

/** Kills a shard's thread; resolves when the thread has ended. */
export async function killShard(server: Server, shard: number): Promise<void> {
  const thread = server.threadOf(shard);
  assert.ok(thread !== undefined, `shard ${shard} runs`);
  await thread.terminate();
}

export async function readiness(server: Server): Promise<string> {
  const { body } = await adminRequest(server.adminAddress, 'GET', '/readyz');
  return (body as { status: string }).status;
}

/** Resolves when all shards serve; what readyz said until then, without repetitions. */
export async function untilReady(server: Server): Promise<string[]> {
  const said: string[] = [];
  const ask = async (): Promise<boolean> => {
    const now = await readiness(server);
    if (said.at(-1) !== now) said.push(now);
    return now === 'ready';
  };
  await until(ask, 'ready');
  return said;
}

/** Which thread each shard runs in: the same as long as none has crashed. */
export const threadIds = (server: Server): (number | undefined)[] =>
  Array.from({ length: server.workers }, (_, shard) => server.threadOf(shard)?.threadId);
