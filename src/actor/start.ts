import type { Worker } from 'node:worker_threads';
import { internalsOf } from './internals.ts';
import { actorLimits } from './limits.ts';
import { importKinds, importSetup, placeOnThreads } from './modules.ts';
import type { SystemOptions } from './options.ts';
import { ActorSystem } from './system.ts';
import { type ThreadEvent, Threads } from './threads.ts';

/** What {@link System.start} takes. Limits given here hold on every thread, other options on the main one. */
export interface StartOptions<E = any> extends Omit<
  SystemOptions<E>,
  'node' | 'kinds' | 'place' | 'clock' | 'random'
> {
  /** Actor threads, up to `threadsMax`. 0: all actors run on the calling thread, by the same code. */
  readonly threads: number;
  /** Modules that export the kinds, one URL or several. Each thread imports them. */
  readonly kinds: readonly URL[];
  /**
   * A module that exports `setup(info: SetupInfo): Setup | Promise<Setup>`: called on each thread, the
   * main one included, it gives `env`, hooks, listeners and the placement there. What this object has
   * goes before it on the main thread.
   */
  readonly setup?: URL;
  /** Given to `setup`. It has to be cloneable when there are threads. */
  readonly data?: unknown;
  /** Told when an actor thread serves, and when one died and will be replaced. */
  readonly onThread?: (event: ThreadEvent) => void;
}

/**
 * A system over threads: the calling thread's part of it, which tells and asks all actors as any
 * {@link ActorSystem} does. Actors are on the actor threads, but for what it spawns itself.
 */
export class System<E = any> extends ActorSystem<E> {
  /** Actor threads. */
  readonly threads: number;
  readonly #threads: Threads | undefined;
  #ending: Promise<boolean> | undefined = undefined;

  /** Use {@link System.start}. */
  private constructor(
    options: SystemOptions<E>,
    threads: number,
    made: (system: System<E>) => Threads | undefined,
  ) {
    super(options);
    this.threads = threads;
    this.#threads = made(this);
  }

  /**
   * Starts a system; resolves when all threads serve. A thread that dies later is replaced: asks to it
   * are refused as `unreachable`, who watched its actors is told, and the actors come back by `load`.
   *
   * @throws RangeError when a number is out of range; what a module or a thread threw at its start,
   *   with no thread left.
   */
  static async start<E = any>(options: StartOptions<E>): Promise<System<E>> {
    const { threads, kinds, setup, data, onThread, ...own } = options;
    if (!Number.isInteger(threads) || threads < 0 || threads > actorLimits.threadsMax) {
      throw new RangeError(`threads must be an integer within 0..${actorLimits.threadsMax}`);
    }
    const urls = kinds.map((url) => url.href);
    const { place, ...found } = await importSetup(setup?.href, { node: 0, threads, data });
    const { linkFramesMax, linkWindowFrames, linkBytesMax, sliceMs, asksMax } = own;
    const limits = Object.fromEntries(
      Object.entries({ linkFramesMax, linkWindowFrames, linkBytesMax, sliceMs, asksMax }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    const system = new System<E>(
      {
        ...found,
        ...own,
        node: 0,
        kinds: await importKinds(urls),
        place: placeOnThreads(threads, place),
      },
      threads,
      (host) =>
        threads === 0
          ? undefined
          : new Threads(
              {
                connect: (node, port) => host.connect(node, port),
                lost: (node) => internalsOf(host).links.lost(node),
                onThread: (event) => onThread?.(event),
              },
              { threads, kinds: urls, setup: setup?.href, data, limits },
            ),
    );
    await system.#threads?.start();
    return system;
  }

  /** The worker of a node, 1 to `threads`, for tools that watch or kill it. */
  workerOf(node: number): Worker | undefined {
    return this.#threads?.workerOf(node);
  }

  /**
   * As {@link ActorSystem.stop}, on all threads: what was told before is handled, everything is saved,
   * and the threads end. False when a thread did not get that done within `timeoutMs`.
   */
  override stop(options: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    this.#ending ??= this.#end(options.timeoutMs ?? actorLimits.stopTimeoutMs);
    return this.#ending;
  }

  async #end(timeoutMs: number): Promise<boolean> {
    if (this.#threads === undefined) return super.stop({ timeoutMs });
    const { runtime, links } = internalsOf(this);
    this.flush();
    runtime.phase = 'stopping'; // Nothing more is taken here, but answers still come.
    const drained = await this.#threads.stop(links.sent(), timeoutMs);
    const own = await super.stop({ timeoutMs });
    await this.#threads.destroy();
    return drained && own;
  }
}
