import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Conversation } from '../../src/store/conversation.ts';
import { prepareDataDir } from '../../src/store/disk/data-dir.ts';
import { DiskEngine } from '../../src/store/disk/disk-engine.ts';
import { flushSegment } from '../../src/store/disk/flush.ts';
import { conversationBytes } from '../../src/store/disk/layout.ts';
import { listSegments } from '../../src/store/disk/segments.ts';
import type { FromStoreThread, ToStoreThread } from '../../src/store/disk/store-messages.ts';
import { openDatabase, Tables } from '../../src/store/disk/tables.ts';
import type { ConversationRecord } from '../../src/store/disk/values.ts';
import { textsFrom } from './engine.ts';

/** A temporary path that is gone after the test. */
export function temporaryPath(t: TestContext, name = 'data'): string {
  const parent = mkdtempSync(join(tmpdir(), 'encke-test-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, name);
}

/** A data directory that a test fills; the store's thread is played by the test. */
export class DataDir {
  readonly path: string;
  readonly tables: Tables;
  #sequence = 1;

  static async make(t: TestContext): Promise<DataDir> {
    return new DataDir(t, await prepareDataDir(temporaryPath(t)));
  }

  private constructor(t: TestContext, path: string) {
    this.path = path;
    this.tables = new Tables(openDatabase(this.path));
    t.after(() => this.tables.close());
  }

  /** An engine of one shard; what fills its memtable is moved at once. */
  engine(shard = 0, shards = 1): DiskEngine {
    return new DiskEngine(shards, {
      dir: this.path,
      fsync: 'no',
      shard,
      tables: new Tables(openDatabase(this.path)),
      sequence: this.#sequence++,
      storeThread: this.#storeThread(),
      onHealth: (error) => {
        if (error !== undefined) throw error;
      },
    });
  }

  /** The journal gets these messages; they stay there until `move`. */
  async say(conversation: Conversation, texts: readonly string[], time?: number): Promise<void> {
    const engine = this.engine();
    await sayOn(engine, conversation, texts, time);
    await engine.close();
  }

  /** What is in journals goes into the tables: a chunk for each call of `say`, if they are not small. */
  move(): void {
    for (const segment of listSegments(this.path)) flushSegment(this.tables, segment);
    this.tables.refresh();
  }

  async store(conversation: Conversation, texts: readonly string[], time?: number): Promise<void> {
    await this.say(conversation, texts, time);
    this.move();
  }

  record(conversation: Conversation): ConversationRecord | undefined {
    this.tables.refresh();
    return this.tables.conversation(conversationBytes(conversation));
  }

  #storeThread(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', ({ segment }: ToStoreThread) => {
      flushSegment(this.tables, segment);
      port1.postMessage({ type: 'flushed' } satisfies FromStoreThread);
    });
    port1.unref();
    return port2;
  }
}

/** Appends messages of these texts behind the conversation's last one, a run each. */
export async function sayOn(
  engine: DiskEngine,
  conversation: Conversation,
  texts: readonly string[],
  time?: number,
): Promise<void> {
  let last = engine.last(conversation);
  const appends = texts.map((text) => {
    const run = textsFrom(conversation, last + 1, [text]);
    if (time !== undefined) run.time = time;
    return { conversation, expectedLast: last++, run };
  });
  const results = await engine.append(appends);
  if (!results.every(({ ok }) => ok)) throw new Error(`not stored: ${JSON.stringify(results)}`);
}

/** A text that stands in a chunk alone, or nearly so. */
export const longText = (name: string): string => `${name} ${'x'.repeat(3_000)}`;
