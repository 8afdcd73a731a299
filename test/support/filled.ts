import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../../src/limits.ts';
import { pairOf } from '../../src/store/conversation.ts';
import type { CometTcpClient } from '../../src/client/index.ts';
import { DiskRig, appendOf } from './disk.ts';
import type { SpawnedServer } from './server.ts';

/** Messages in one run at most: what a window of a busy sender makes. */
const RUN_MESSAGES_MAX = 50;
const BATCH_RUNS = 200;

/** Fills a data directory: `messages` between user 1 and each of the users 2..pairs+1. */
export async function fillDir(dir: string, pairs: number, messages: number, textBytes = 64): Promise<void> {
  const rig = await DiskRig.open(dir);
  const engine = rig.engine();
  const runMessages = Math.min(RUN_MESSAGES_MAX, Math.floor(limits.runBytesMax / (textBytes + 40)));
  const texts = Array.from({ length: runMessages }, () => 'x'.repeat(textBytes));
  const open: Promise<unknown>[] = [];
  let batch = [];
  for (let last = 0; last < messages; last += runMessages) {
    for (let other = 2; other < pairs + 2; other++) {
      batch.push(appendOf(pairOf(1, other), last, ...texts.slice(0, messages - last)));
      if (batch.length < BATCH_RUNS) continue;
      open.push(engine.append(batch));
      engine.flush();
      batch = [];
      if (open.length >= 8) await open.shift();
    }
  }
  if (batch.length > 0) open.push(engine.append(batch));
  engine.flush();
  await Promise.all(open);
  await rig.close();
}

/** Bytes of all files of a directory. */
export function dirBytes(dir: string): number {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(dir, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
}

/**
 * Memory of a process that is its own: no pages of files. Where that is not told (it is Linux that
 * tells it) 0.
 */
export function ownBytes({ pid }: SpawnedServer): number {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return 0;
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(file, 'utf8'))?.[1]) * 1_024;
}

export interface Fed {
  readonly messages: number;
  /** The most that the server had while it fed. */
  readonly ownBytesMax: number;
}

/** Takes a backlog of one conversation, in pieces of `pieceMessages` with a pause after each. */
export async function takeBacklog(
  server: SpawnedServer,
  client: CometTcpClient,
  messages: number,
  pieceMessages: number,
  pause: () => Promise<void>,
): Promise<Fed> {
  let ownBytesMax = ownBytes(server);
  for (let next = 1; next <= messages;) {
    const piece = Math.min(pieceMessages, messages - next + 1);
    for (const { chatId } of await client.nextMessages(piece)) {
      if (chatId !== next) throw new Error(`message ${chatId} came instead of ${next}`);
      next += 1;
    }
    client.socket.pause();
    await pause();
    ownBytesMax = Math.max(ownBytesMax, ownBytes(server));
    client.socket.resume();
  }
  return { messages, ownBytesMax };
}

export const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;
