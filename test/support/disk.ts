import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { prepareDataDir } from '../../src/store/disk/data-dir.ts';
import { DiskEngine } from '../../src/store/disk/disk-engine.ts';
import type { Fsync } from '../../src/store/disk/journal-file.ts';
import type { JournalBounds } from '../../src/store/disk/journal.ts';
import type { StoreControl, StoreNews } from '../../src/store/disk/store-messages.ts';
import { serveStore } from '../../src/store/disk/store-thread.ts';
import { openDatabase, Tables } from '../../src/store/disk/tables.ts';
import type { Conversation } from '../../src/store/conversation.ts';
import type { Append, AppendResult } from '../../src/store/store.ts';
import { textsFrom } from './engine.ts';

/** A directory that is removed at the end. */
export function temporaryDir(t: { after(fn: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'encke-test-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export type StoreName = 'memory' | 'disk';
export const storeNames: readonly StoreName[] = ['memory', 'disk'];

/** Options of a server in this process. */
export const storeOptions = (
  t: { after(fn: () => void): void },
  name: StoreName,
): { store: StoreName; data?: string } =>
  name === 'memory' ? { store: name } : { store: name, data: join(temporaryDir(t), 'data') };

export interface RigOptions {
  readonly shards?: number;
  readonly fsync?: Fsync;
  readonly bounds?: Partial<JournalBounds>;
}

type Recovered = Extract<StoreNews, { type: 'recovered' }>;

/** A data directory with the store's thread, in this process, and engines on it. */
export class DiskRig {
  readonly dir: string;
  readonly health: (Error | undefined)[] = [];
  readonly #options: RigOptions;
  readonly #control: MessagePort;
  readonly #engines = new Map<number, { engine: DiskEngine; port: MessagePort }>();

  static async open(dir: string, options: RigOptions = {}): Promise<DiskRig> {
    await prepareDataDir(dir);
    const { port1, port2 } = new MessageChannel();
    const ready = once(port2, 'message');
    serveStore({ dir }, port1);
    await ready;
    const rig = new DiskRig(dir, port2, options);
    await rig.recover();
    return rig;
  }

  private constructor(dir: string, control: MessagePort, options: RigOptions) {
    this.dir = dir;
    this.#control = control;
    this.#options = options;
  }

  async recover(shard?: number): Promise<Recovered> {
    const [news] = (await this.#ask({ type: 'recover', shard })) as [Recovered];
    if (news.error !== undefined) throw new Error(news.error);
    return news;
  }

  #ask(message: StoreControl): Promise<unknown[]> {
    const answer = once(this.#control, 'message');
    this.#control.postMessage(message);
    return answer;
  }

  /** An engine as a shard's thread opens it. */
  engine(shard = 0, sequence = 1): DiskEngine {
    const { shards = 1, fsync = 'no', bounds = {} } = this.#options;
    const { port1, port2 } = new MessageChannel();
    this.#control.postMessage({ type: 'connect', shard, port: port1 } satisfies StoreControl, [port1]);
    const engine = new DiskEngine(shards, {
      dir: this.dir,
      fsync,
      shard,
      sequence,
      bounds,
      tables: new Tables(openDatabase(this.dir)),
      storeThread: port2,
      onHealth: (error) => this.health.push(error),
    });
    this.#engines.set(shard, { engine, port: port2 });
    return engine;
  }

  /** Closes an engine as a shard that stops does. */
  async closeEngine(shard = 0): Promise<void> {
    await this.#engines.get(shard)?.engine.close();
    this.#engines.delete(shard);
  }

  /** The shard's thread is gone; what it had handed over is written. Not with a small memtableAgeMsMax. */
  crash(shard = 0): void {
    this.#engines.get(shard)?.port.close();
    this.#engines.delete(shard);
  }

  async close(): Promise<void> {
    for (const shard of this.#engines.keys()) await this.closeEngine(shard);
    await this.recover();
    await this.#ask({ type: 'stop' });
    this.#control.close();
  }
}

/** A run of texts behind `expectedLast`. */
export const appendOf = (conversation: Conversation, expectedLast: number, ...texts: string[]): Append => ({
  conversation,
  expectedLast,
  run: textsFrom(conversation, expectedLast + 1, texts),
});

/** Appends at once, as the end of a tick does. */
export async function store(engine: DiskEngine, ...batch: Append[]): Promise<readonly AppendResult[]> {
  const results = engine.append(batch);
  engine.flush();
  return results;
}
