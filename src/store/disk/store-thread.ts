import { existsSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { limits } from '../../limits.ts';
import { flushSegment } from './flush.ts';
import { keepAll, Retention, type RetentionRules } from './retention.ts';
import { listSegments, type SegmentFile } from './segments.ts';
import type { FromStoreThread, StoreControl, StoreNews, ToStoreThread } from './store-messages.ts';
import { Sweeps } from './sweeps.ts';
import { openDatabase, Tables } from './tables.ts';

export interface StoreTask {
  readonly dir: string;
  /** Undefined: everything is kept. */
  readonly retention?: RetentionRules | undefined;
}

/**
 * The store's own thread: the only one that writes the tables. It moves journal segments there, one
 * after another: those that shards hand over, and what is left of them after a crash. In between it
 * removes what retention does not keep.
 */
class StoreThread {
  readonly #dir: string;
  readonly #control: MessagePort;
  readonly #tables: Tables;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #sweeps: Sweeps;

  constructor({ dir, retention }: StoreTask, control: MessagePort) {
    this.#dir = dir;
    this.#control = control;
    this.#tables = new Tables(openDatabase(dir));
    this.#sweeps = new Sweeps(new Retention(this.#tables, retention ?? keepAll), (end) => {
      if (retention !== undefined || end.error !== undefined) this.#tell({ type: 'swept', end });
    });
    this.#tell({ type: 'ready' });
  }

  onControl(message: StoreControl): void {
    switch (message.type) {
      case 'connect':
        this.#serve(message.port);
        break;
      case 'recover':
        this.#recover(message.shard);
        break;
      case 'stop':
        void this.#stop();
        break;
    }
  }

  #serve(port: MessagePort): void {
    port.on('message', ({ segment }: ToStoreThread) => {
      this.#flush(segment, port);
    });
  }

  #flush(segment: SegmentFile, port: MessagePort): void {
    try {
      // A shard that died while its segment waited: `recover` has moved it.
      if (existsSync(segment.path)) flushSegment(this.#tables, segment);
      port.postMessage({ type: 'flushed' } satisfies FromStoreThread);
    } catch (error) {
      port.postMessage({ type: 'stuck', error: (error as Error).message } satisfies FromStoreThread);
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#flush(segment, port);
      }, limits.storeRetryMs);
      this.#timers.add(timer);
    }
  }

  /** A shard that is gone has nothing under way: what is left of its journal is all that there is. */
  #recover(shard: number | undefined): void {
    let tornBytes = 0;
    let sequence = 1;
    let failure: string | undefined;
    try {
      for (const segment of listSegments(this.#dir, shard)) {
        tornBytes += flushSegment(this.#tables, segment).tornBytes;
        sequence = Math.max(sequence, segment.sequence + 1);
      }
    } catch (error) {
      failure = (error as Error).message;
    }
    this.#tell({ type: 'recovered', tornBytes, sequence, error: failure });
  }

  async #stop(): Promise<void> {
    this.#sweeps.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#tables.close();
    this.#tell({ type: 'stopped' });
    this.#control.close();
  }

  #tell(news: StoreNews): void {
    this.#control.postMessage(news);
  }
}

export function serveStore(task: StoreTask, control: MessagePort): void {
  const thread = new StoreThread(task, control);
  control.on('message', (message: StoreControl) => thread.onControl(message));
}
