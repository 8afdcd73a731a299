import { MessageChannel, receiveMessageOnPort, type MessagePort, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Logger } from 'pino';
import type { ActorSystem } from '../actor/index.ts';
import { limits } from '../limits.ts';
import type { ShardFigures } from '../metrics/shard-figures.ts';
import type { Gateway } from '../net/gateway.ts';
import type { WebhookOptions } from '../webhook/options.ts';
import type { FromShardControl, ShardTask, ToShardControl } from './control.ts';
import type { RateOptions } from './rates.ts';
import type { PreparedStore, ShardStores } from './stores.ts';

type Threads = Piscina<ShardTask, void>;

export interface PoolOptions {
  readonly shards: number;
  readonly packageBytesMax: number;
  readonly idleTimeoutMs: number;
  readonly rates: RateOptions;
  readonly stores: ShardStores;
  readonly webhooks: WebhookOptions | undefined;
  readonly logLevel: string;
  readonly logger: Logger;
  readonly gateway: Gateway;
  /** The main thread's node of the actor system; its number is `shards`. */
  readonly system: ActorSystem;
  /** The module that a shard's thread runs. Default: workers/shard.js. */
  readonly shardEntry?: URL;
}

const defaultEntry = new URL('../../workers/shard.js', import.meta.url);

interface Running {
  readonly control: MessagePort;
  threadId: number;
  readyAt: number;
  ended: Promise<void>;
  /** The thread is gone: nothing that it had begun is under way any more. */
  exited: Promise<void>;
  /** Asked for by a scrape, and not told yet. */
  onFigures: ((figures: ShardFigures | undefined) => void) | undefined;
}

/**
 * The shard threads: one endless piscina task each. A thread that dies is replaced with fresh
 * ports and what the store has of its shard; the other shards are linked to it anew.
 */
export class ShardPool {
  readonly #options: PoolOptions;
  /** From `start` on: a thread that is ended while it loads takes the process with it. */
  #pool: Threads | undefined;
  readonly #running: (Running | undefined)[];
  /** Deaths in a row, each within limits.shardSettledMs of the start. */
  readonly #earlyDeaths: number[] = [];
  readonly #deaths: number[];
  readonly #startedAt = Date.now();
  #stopping = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#running = Array.from({ length: options.shards }, () => undefined);
    this.#deaths = Array.from({ length: options.shards }, () => 0);
  }

  #openPool(): Threads {
    const { shards, logger, shardEntry = defaultEntry } = this.#options;
    const pool = new Piscina<ShardTask, void>({
      filename: shardEntry.href,
      minThreads: shards,
      maxThreads: shards,
      concurrentTasksPerWorker: 1,
      // A thread that waits in Atomics would not see its ports.
      atomics: 'disabled',
    });
    pool.on('error', (error: unknown) => {
      logger.error({ err: error }, 'a shard thread failed');
    });
    return pool;
  }

  /** Shards that serve now. */
  get runningCount(): number {
    return this.#running.filter((running) => running !== undefined).length;
  }

  /** How often the thread of each shard died. */
  get deaths(): readonly number[] {
    return this.#deaths;
  }

  /**
   * The figures of each shard as of now. Undefined for one that is down, or does not answer in time.
   * One call at a time.
   */
  figures(timeoutMs: number): Promise<(ShardFigures | undefined)[]> {
    return Promise.all(
      this.#running.map(async (running) => {
        if (running === undefined) return undefined;
        return new Promise<ShardFigures | undefined>((resolve) => {
          const timer = setTimeout(() => resolve(undefined), timeoutMs);
          running.onFigures = (figures) => {
            clearTimeout(timer);
            resolve(figures);
          };
          running.control.postMessage({ type: 'figures' } satisfies ToShardControl);
        });
      }),
    );
  }

  async start(): Promise<void> {
    const { stores } = this.#options;
    const pool = (this.#pool = this.#openPool());
    await Promise.all(
      this.#running.map(async (_none, shard) => this.#run(pool, shard, await stores.prepare(shard))),
    );
  }

  /** The thread that a shard runs in. */
  threadOf(shard: number): Worker | undefined {
    return this.#threadOf(this.#running[shard]?.threadId);
  }

  #threadOf(threadId: number | undefined): Worker | undefined {
    return this.#pool?.threads.find((thread) => thread.threadId === threadId);
  }

  /** Shards save what is behind and end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const running = this.#running.filter((shard) => shard !== undefined);
    for (const { control } of running) control.postMessage({ type: 'stop' } satisfies ToShardControl);
    await Promise.all(running.map(({ ended }) => ended));
    await this.#pool?.destroy();
  }

  /** Ends the threads at once. */
  async destroy(): Promise<void> {
    this.#stopping = true;
    await this.#pool?.destroy();
  }

  /** Runs a shard and resolves when it serves. */
  #run(pool: Threads, shard: number, store: PreparedStore): Promise<void> {
    const { shards, packageBytesMax, idleTimeoutMs, rates, logLevel, gateway, stores, webhooks } =
      this.#options;
    const control = new MessageChannel();
    const lane = new MessageChannel();
    const task: ShardTask = {
      shard,
      shards,
      packageBytesMax,
      idleTimeoutMs,
      rates,
      logLevel,
      store: store.task,
      ...(webhooks !== undefined && { webhooks }),
      startedAt: this.#startedAt,
      control: control.port1,
      lane: lane.port1,
    };
    return new Promise((resolve, reject) => {
      const running: Running = {
        control: control.port2,
        threadId: -1,
        readyAt: 0,
        ended: Promise.resolve(),
        exited: Promise.resolve(),
        onFigures: undefined,
      };
      control.port2.on('message', (message: FromShardControl) => {
        if (message.type === 'ready') {
          running.threadId = message.threadId;
          running.readyAt = Date.now();
          running.exited = exitOf(this.#threadOf(message.threadId));
          this.#link(shard, running);
          gateway.attachShard(shard, lane.port2);
          resolve();
        } else if (message.type === 'figures') running.onFigures?.(message.figures);
        else stores.onMessage(shard, message);
      });
      running.ended = pool.run(task, { transferList: [control.port1, lane.port1, ...store.transfer] }).then(
        () => {
          control.port2.close();
        },
        (error: unknown) => {
          // What it said last is still in the port, and may be about segments.
          for (
            let last = receiveMessageOnPort(control.port2);
            last;
            last = receiveMessageOnPort(control.port2)
          ) {
            const message = last.message as FromShardControl;
            if (message.type === 'keep' || message.type === 'drop') stores.onMessage(shard, message);
          }
          control.port2.close();
          if (this.#stopping) return;
          reject(error instanceof Error ? error : new Error(String(error)));
          this.#onDeath(pool, shard, error);
        },
      );
    });
  }

  /** Links a shard that has just become ready with all the others and with the main thread. */
  #link(shard: number, running: Running): void {
    const { shards, system } = this.#options;
    const toMain = new MessageChannel();
    system.connect(shard, toMain.port2);
    connect(running, shards, toMain.port1);
    this.#running.forEach((other, number) => {
      if (other === undefined || number === shard) return;
      const link = new MessageChannel();
      connect(running, number, link.port1);
      connect(other, shard, link.port2);
      other.control.postMessage({ type: 'back', node: shard } satisfies ToShardControl);
    });
    this.#running[shard] = running;
  }

  #onDeath(pool: Threads, shard: number, error: unknown): void {
    const { logger, gateway, system } = this.#options;
    const died = this.#running[shard];
    const servedMs = Date.now() - (died?.readyAt ?? Date.now());
    const early = servedMs < limits.shardSettledMs ? (this.#earlyDeaths[shard] ?? 0) + 1 : 1;
    this.#earlyDeaths[shard] = early;
    this.#running[shard] = undefined;
    this.#deaths[shard]! += 1;
    died?.onFigures?.(undefined);
    logger.error({ err: error, shard }, 'a shard thread died: it is started again');
    gateway.detachShard(shard);
    system.disconnect(shard);
    for (const other of this.#running) {
      other?.control.postMessage({ type: 'lost', node: shard } satisfies ToShardControl);
    }
    // One that keeps dying early is not started in a loop.
    const pause = early > 1 ? limits.shardRestartMs : 0;
    void (died?.exited ?? Promise.resolve()).then(() => this.#restart(pool, shard, pause));
  }

  #restart(pool: Threads, shard: number, afterMs: number): void {
    setTimeout(() => {
      if (this.#stopping) return;
      this.#options.stores.prepare(shard).then(
        (store) => {
          if (this.#stopping) return;
          this.#run(pool, shard, store).catch(() => {}); // it has come to #onDeath by itself
        },
        (error: unknown) => {
          this.#options.logger.error(
            { err: error, shard },
            'what a shard has stored cannot be had: tried again',
          );
          this.#restart(pool, shard, limits.shardRestartMs);
        },
      );
    }, afterMs);
  }
}

/** Resolves when the thread has ended: its writes that were under way are done by then. */
const exitOf = (thread: Worker | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (thread === undefined) resolve();
    else thread.once('exit', () => resolve());
  });

function connect(running: Running, node: number, port: MessagePort): void {
  running.control.postMessage({ type: 'connect', node, port } satisfies ToShardControl, [port]);
}
