import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { prepareDataDir } from './data-dir.ts';
import { DirLock } from './dir-lock.ts';
import type { RetentionRules } from './retention.ts';
import type { StoreControl, StoreNews } from './store-messages.ts';
import type { StoreTask } from './store-thread.ts';
import type { SweepEnd } from './sweeps.ts';

export interface Recovered {
  /** Bytes of commits that were cut off by a crash; nobody was told that they were stored. */
  readonly tornBytes: number;
  /** The first free sequence for a segment of the shard. */
  readonly sequence: number;
}

interface Waiting {
  readonly resolve: (news: StoreNews) => void;
  readonly reject: (error: Error) => void;
}

/** The data directory as the main thread has it: its lock, and the store's own thread. */
export class StoreWorker {
  readonly dir: string;
  /** The thread ended by itself: nothing can be moved into the tables any more. */
  onDeath: ((error: Error) => void) | undefined;
  /** Retention has looked at everything once more. */
  onSwept: ((end: SweepEnd) => void) | undefined;
  readonly #lock: DirLock;
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #stopping = false;

  private constructor(dir: string, lock: DirLock, retention: RetentionRules | undefined) {
    this.dir = dir;
    this.#lock = lock;
    const workerData: StoreTask = { dir, retention };
    this.#worker = new Worker(new URL('../../../workers/store.js', import.meta.url), { workerData });
    this.#worker.on('message', (news: StoreNews) => {
      if (news.type === 'swept') this.onSwept?.(news.end);
      else this.#waiting.shift()?.resolve(news);
    });
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error("the store's thread ended")));
  }

  /** Takes the directory, and moves into its tables what a crash has left in journals. */
  static async open(path: string, retention?: RetentionRules): Promise<StoreWorker> {
    const dir = await prepareDataDir(path);
    const lock = await DirLock.take(dir);
    const worker = new StoreWorker(dir, lock, retention);
    try {
      await worker.#news(); // ready
      return worker;
    } catch (error) {
      await worker.close();
      throw error;
    }
  }

  /** For every shard, or for one that died. */
  async recover(shard?: number): Promise<Recovered> {
    this.#tell({ type: 'recover', shard });
    const news = await this.#news();
    if (news.type !== 'recovered') throw new Error(`unexpected answer of the store: ${news.type}`);
    if (news.error !== undefined) throw new Error(news.error);
    return news;
  }

  /** A shard's way to the store's thread. */
  connect(shard: number): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage({ type: 'connect', shard, port: port1 } satisfies StoreControl, [port1]);
    return port2;
  }

  async close(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#tell({ type: 'stop' });
      await this.#news().catch(() => {});
    }
    await this.#worker.terminate();
    await this.#lock.release();
  }

  #tell(message: StoreControl): void {
    this.#worker.postMessage(message);
  }

  #news(): Promise<StoreNews> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    if (this.#stopping) return;
    this.#stopping = true;
    this.onDeath?.(error);
  }
}
