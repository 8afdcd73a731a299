import { MessageChannel, Worker } from 'node:worker_threads';
import { callHost } from './errors.ts';
import type { FrameCounts } from './links.ts';
import { actorLimits } from './limits.ts';
import type { FromThread, ThreadData, ToThread } from './thread-messages.ts';

/** What happened to an actor thread. */
export interface ThreadEvent {
  /** The thread's node: 1 to `threads`. */
  readonly node: number;
  /** `ready`: it serves, at the start or again. `died`: it ended by itself and will be replaced. */
  readonly what: 'ready' | 'died';
  /** What the thread died of; undefined for one that just exited. */
  readonly error?: unknown;
}

/** What the threads need of the main thread's system. */
export interface ThreadsHost {
  connect(node: number, port: MessageChannel['port1']): void;
  lost(node: number): void;
  onThread(event: ThreadEvent): void;
}

interface Thread {
  readonly node: number;
  readonly worker: Worker;
  readonly startedMs: number;
  ready: boolean;
  /** Settle with the thread's next word of that kind, or when it is gone. */
  onSent: ((counts: FrameCounts) => void) | undefined;
  onStopped: ((complete: boolean) => void) | undefined;
}

/** The actor threads of a system: starts them, links them pair by pair, replaces those that die. */
export class Threads {
  readonly #host: ThreadsHost;
  readonly #data: Omit<ThreadData, 'node'>;
  readonly #threads: (Thread | undefined)[] = [];
  readonly #waits = new Set<NodeJS.Timeout>();
  #started = false;
  #stopping = false;

  constructor(host: ThreadsHost, data: Omit<ThreadData, 'node'>) {
    this.#host = host;
    this.#data = data;
  }

  /** Resolves when all serve; rejects, with none left, when one does not start. */
  async start(): Promise<void> {
    const nodes = Array.from({ length: this.#data.threads }, (_none, at) => at + 1);
    try {
      await Promise.all(nodes.map((node) => this.#start(node)));
      this.#started = true;
    } catch (error) {
      await this.destroy();
      throw error;
    }
  }

  /** The worker of a node, for tools that watch or kill it. */
  workerOf(node: number): Worker | undefined {
    return this.#threads[node]?.worker;
  }

  /** Lets all threads take in what was sent, drain and save. False if that took longer. */
  async stop(sentByMain: FrameCounts, timeoutMs: number): Promise<boolean> {
    this.#stopping = true;
    for (const wait of this.#waits) clearTimeout(wait);
    const serving = this.#threads.filter((thread) => thread?.ready === true) as Thread[];
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs + actorLimits.threadStopGraceMs);
    });
    const complete = await Promise.race([this.#drain(serving, sentByMain, timeoutMs), late]);
    clearTimeout(timer);
    return complete;
  }

  /** Ends the threads at once. */
  async destroy(): Promise<void> {
    this.#stopping = true;
    for (const wait of this.#waits) clearTimeout(wait);
    const left = this.#threads.filter((thread) => thread !== undefined);
    await Promise.all(left.map(({ worker }) => worker.terminate()));
  }

  async #drain(serving: readonly Thread[], sentByMain: FrameCounts, timeoutMs: number): Promise<boolean> {
    const sent = new Map<number, FrameCounts>([[0, sentByMain]]);
    await Promise.all(
      serving.map(async (thread) => {
        const counts = new Promise<FrameCounts>((resolve) => (thread.onSent = resolve));
        say(thread, { type: 'count' });
        sent.set(thread.node, await counts);
      }),
    );
    const results = await Promise.all(
      serving.map((thread) => {
        const expect = [...sent].flatMap(([from, counts]) =>
          counts.filter(([to]) => to === thread.node).map(([, frames]) => [from, frames] as const),
        );
        const stopped = new Promise<boolean>((resolve) => (thread.onStopped = resolve));
        say(thread, { type: 'stop', expect, timeoutMs });
        return stopped;
      }),
    );
    return results.every((complete) => complete);
  }

  #start(node: number): Promise<void> {
    const worker = new Worker(new URL('./thread.js', import.meta.url), {
      workerData: { ...this.#data, node } satisfies ThreadData,
    });
    const thread: Thread = {
      node,
      worker,
      startedMs: performance.now(),
      ready: false,
      onSent: undefined,
      onStopped: undefined,
    };
    this.#threads[node] = thread;
    return new Promise((resolve, reject) => {
      let failure: unknown;
      worker.on('message', (message: FromThread) => {
        if (message.type === 'ready') {
          this.#link(thread);
          resolve();
        } else if (message.type === 'sent') thread.onSent?.(message.counts);
        else thread.onStopped?.(message.complete);
      });
      worker.on('error', (error) => {
        failure = error;
      });
      worker.on('exit', (code) => {
        const error = failure ?? new Error(`thread ${node} exited with code ${code}`);
        reject(error instanceof Error ? error : new Error(String(error)));
        this.#died(thread, failure);
      });
    });
  }

  /** Links a thread that has just become ready with the main thread and all other ones. */
  #link(thread: Thread): void {
    const main = new MessageChannel();
    this.#host.connect(thread.node, main.port1);
    connect(thread, 0, main.port2);
    for (const other of this.#threads) {
      if (other?.ready !== true) continue;
      const { port1, port2 } = new MessageChannel();
      connect(other, thread.node, port1);
      connect(thread, other.node, port2);
    }
    thread.ready = true;
    this.#host.onThread({ node: thread.node, what: 'ready' });
  }

  #died(thread: Thread, error: unknown): void {
    const { node } = thread;
    thread.onSent?.([]);
    thread.onStopped?.(false);
    this.#threads[node] = undefined;
    if (!this.#started) return; // start() rejects.
    this.#host.lost(node);
    for (const other of this.#threads) if (other?.ready === true) say(other, { type: 'lost', node });
    if (this.#stopping) return;
    callHost((event: ThreadEvent) => this.#host.onThread(event), { node, what: 'died', error });
    // One that keeps dying early is not started in a loop.
    const settled = thread.ready && performance.now() - thread.startedMs > actorLimits.threadSettledMs;
    const wait = setTimeout(
      () => {
        this.#waits.delete(wait);
        this.#start(node).catch(() => {}); // It has come here again by itself.
      },
      settled ? 0 : actorLimits.threadRestartMs,
    );
    this.#waits.add(wait);
  }
}

function connect(thread: Thread, node: number, port: MessageChannel['port1']): void {
  thread.worker.postMessage({ type: 'connect', node, port } satisfies ToThread, [port]);
}

function say(thread: Thread, message: ToThread): void {
  thread.worker.postMessage(message);
}
