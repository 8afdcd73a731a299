import { MessageChannel, receiveMessageOnPort, type MessagePort, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Logger } from 'pino';
import type { ActorSystem } from '../actor/index.ts';
import { limits } from '../limits.ts';
import type { Gateway } from '../net/gateway.ts';
import type { Segment } from '../store/memory-journal.ts';
import type { FromShardControl, ShardTask, ToShardControl } from './control.ts';

export interface PoolOptions {
  readonly shards: number;
  readonly packageBytesMax: number;
  readonly idleTimeoutMs: number;
  readonly memoryStoreBytesMax: number;
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
}

/**
 * The shard threads: one endless piscina task each. A thread that dies is replaced with fresh
 * ports and the segments of its memory store; the other shards are linked to it anew.
 */
export class ShardPool {
  readonly #options: PoolOptions;
  readonly #pool: Piscina<ShardTask, void>;
  readonly #running: (Running | undefined)[];
  readonly #segments: Map<number, Segment>[];
  /** Deaths in a row, each within limits.shardSettledMs of the start. */
  readonly #earlyDeaths: number[] = [];
  #stopping = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    const { shards, shardEntry = defaultEntry } = options;
    this.#running = Array.from({ length: shards }, () => undefined);
    this.#segments = Array.from({ length: shards }, () => new Map());
    this.#pool = new Piscina<ShardTask, void>({
      filename: shardEntry.href,
      minThreads: shards,
      maxThreads: shards,
      concurrentTasksPerWorker: 1,
      // A thread that waits in Atomics would not see its ports.
      atomics: 'disabled',
    });
    this.#pool.on('error', (error: unknown) => {
      options.logger.error({ err: error }, 'a shard thread failed');
    });
  }

  /** Shards that serve now. */
  get runningCount(): number {
    return this.#running.filter((running) => running !== undefined).length;
  }

  async start(): Promise<void> {
    await Promise.all(this.#running.map((_none, shard) => this.#run(shard)));
  }

  /** The thread that a shard runs in. */
  threadOf(shard: number): Worker | undefined {
    const threadId = this.#running[shard]?.threadId;
    return this.#pool.threads.find((thread) => thread.threadId === threadId);
  }

  /** Shards save what is behind and end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const running = this.#running.filter((shard) => shard !== undefined);
    for (const { control } of running) control.postMessage({ type: 'stop' } satisfies ToShardControl);
    await Promise.all(running.map(({ ended }) => ended));
    await this.#pool.destroy();
  }

  /** Ends the threads at once. */
  async destroy(): Promise<void> {
    this.#stopping = true;
    await this.#pool.destroy();
  }

  /** Runs a shard and resolves when it serves. */
  #run(shard: number): Promise<void> {
    const { shards, packageBytesMax, idleTimeoutMs, memoryStoreBytesMax, logLevel, gateway } = this.#options;
    const control = new MessageChannel();
    const lane = new MessageChannel();
    const task: ShardTask = {
      shard,
      shards,
      packageBytesMax,
      idleTimeoutMs,
      memoryStoreBytesMax,
      logLevel,
      segments: [...(this.#segments[shard]?.values() ?? [])],
      control: control.port1,
      lane: lane.port1,
    };
    return new Promise((resolve, reject) => {
      const running: Running = { control: control.port2, threadId: -1, readyAt: 0, ended: Promise.resolve() };
      control.port2.on('message', (message: FromShardControl) => {
        if (message.type === 'ready') {
          running.threadId = message.threadId;
          running.readyAt = Date.now();
          this.#link(shard, running);
          gateway.attachShard(shard, lane.port2);
          resolve();
        } else this.#keep(shard, message);
      });
      running.ended = this.#pool.run(task, { transferList: [control.port1, lane.port1] }).then(
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
            if (message.type !== 'ready') this.#keep(shard, message);
          }
          control.port2.close();
          if (this.#stopping) return;
          reject(error instanceof Error ? error : new Error(String(error)));
          this.#onDeath(shard, error);
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

  #keep(shard: number, message: Exclude<FromShardControl, { type: 'ready' }>): void {
    if (message.type === 'keep') this.#segments[shard]?.set(message.segment.number, message.segment);
    else this.#segments[shard]?.delete(message.number);
  }

  #onDeath(shard: number, error: unknown): void {
    const { logger, gateway, system } = this.#options;
    const servedMs = Date.now() - (this.#running[shard]?.readyAt ?? Date.now());
    const early = servedMs < limits.shardSettledMs ? (this.#earlyDeaths[shard] ?? 0) + 1 : 1;
    this.#earlyDeaths[shard] = early;
    this.#running[shard] = undefined;
    logger.error({ err: error, shard }, 'a shard thread died: it is started again');
    gateway.detachShard(shard);
    system.disconnect(shard);
    for (const other of this.#running) {
      other?.control.postMessage({ type: 'lost', node: shard } satisfies ToShardControl);
    }
    // One that keeps dying early is not started in a loop.
    setTimeout(
      () => {
        if (this.#stopping) return;
        this.#run(shard).catch(() => {}); // it has come here again by itself
      },
      early > 1 ? limits.shardRestartMs : 0,
    );
  }
}

function connect(running: Running, node: number, port: MessagePort): void {
  running.control.postMessage({ type: 'connect', node, port } satisfies ToShardControl, [port]);
}
