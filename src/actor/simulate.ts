import type { DeadLetter } from './dead-letters.ts';
import { type Duration, toMs } from './duration.ts';
import { enroll } from './explore.ts';
import type { Kind } from './kind.ts';
import { actorLimits } from './limits.ts';
import { placeOnThreads } from './modules.ts';
import type { ThreadPlace } from './place.ts';
import { SeededRandom } from './random.ts';
import { type Faults, SimNetwork } from './sim-network.ts';
import { SimNode } from './sim-node.ts';
import { SimWorld } from './sim-world.ts';
import type { ActorFailure } from './supervise.ts';
import type { ActorSystem } from './system.ts';
import { Trace } from './trace.ts';
import type * as t from './types.ts';

/** What {@link simulate} takes. */
export interface SimOptions<E = any> {
  /** Decides everything that is left open. Default: one of its own, see `sim.seed`. */
  readonly seed?: number;
  /** Shards that the actors are spread over, as over threads. 0: all are on the caller's node. Default 2. */
  readonly shards?: number;
  /** Default: none. */
  readonly faults?: Faults;
  /** Makes `ctx.env` of a shard, whenever that starts: what it returns is lost in a crash. 0 is the caller's node. */
  readonly env?: (shard: number) => E;
  /** Default: {@link placeById}. */
  readonly place?: ThreadPlace;
}

/**
 * Runs kinds on one thread, under a virtual clock and an order that a seed decides: which actor has
 * the next turn and for how long, what arrives when, `ctx.random()`. The same seed and the same calls
 * give the same run, if handlers wait for nothing but what the simulation owns: asks, `ctx.sleep`,
 * `room`, promises of each other. Messages between shards go through the real encoding.
 */
export function simulate<E = any>(
  kinds: readonly Kind<any, E, any>[],
  options: SimOptions<E> = {},
): Simulation<E> {
  return new Simulation(kinds, options);
}

/** What {@link simulate} returns. */
export class Simulation<E = any> {
  /** The seed: what it was given, or one of its own. */
  readonly seed: number;
  /** Numbers for the test's own choices: they are the seed's as well. */
  readonly random: SeededRandom;
  /** Dead letters of all nodes, in order. */
  readonly deadLetters: DeadLetter[] = [];
  /** Failures of all nodes, in order. One that is fatal crashes its shard. */
  readonly failures: ActorFailure[] = [];
  readonly #world: SimWorld;
  readonly #network: SimNetwork;
  readonly #nodes: SimNode<E>[];
  readonly #trace = new Trace();
  readonly #chance: SeededRandom;
  readonly #restartMs: number;
  #crash: number;
  #driving: Promise<unknown> = Promise.resolve();

  /** Use {@link simulate}. */
  constructor(kinds: readonly Kind<any, E, any>[], options: SimOptions<E>) {
    const { shards = 2, faults = {}, env, place } = options;
    if (!Number.isInteger(shards) || shards < 0) throw new RangeError('shards must be an integer from 0');
    this.seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
    this.random = new SeededRandom(this.seed ^ 0x5eed);
    this.#chance = new SeededRandom(this.seed);
    this.#world = new SimWorld(this.#chance);
    this.#network = new SimNetwork(this.#world, this.#chance, faults, (line) => this.#log(line));
    this.#crash = faults.crash ?? 0;
    this.#restartMs = toMs(faults.restartAfter ?? 100);
    this.#nodes = Array.from({ length: shards + 1 }, (_none, node) => {
      const parts = { kinds, place: placeOnThreads(shards, place), world: this.#world, random: this.#chance };
      return new SimNode<E>(node, { ...parts, env: () => env?.(node) }, this.#listener(node));
    });
    for (const node of this.#nodes) this.#start(node);
    enroll(this);
  }

  /** The caller's node, node 0: it tells and asks all actors, and hosts what it spawns. */
  get system(): ActorSystem<E> {
    return this.#node(0).system as ActorSystem<E>;
  }

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.#world.nowMs;
  }

  /** What happened: turns, crashes, losses, failures; the latest `traceLinesMax` lines. */
  get trace(): readonly string[] {
    return this.#trace.lines;
  }

  /** A hash of the whole trace: equal in two runs that are the same. */
  get fingerprint(): string {
    return this.#trace.fingerprint;
  }

  /** See {@link ActorSystem.ref}. Its `ask` does not run the simulation: {@link settle} does. */
  ref<M extends t.Messages>(kind: Kind<M>, id: t.ActorId): t.Ref<M> {
    return this.system.ref(kind, id);
  }

  /** See {@link ActorSystem.tell}. Nothing runs before `ask`, `settle`, `run` or `advance`. */
  tell<M extends t.Messages, K extends t.TellNames<M>>(
    kind: Kind<M>,
    id: t.ActorId,
    name: K,
    ...payload: t.PayloadArgs<M[K]>
  ): boolean {
    return this.system.tell(kind, id, name, ...payload);
  }

  /** Asks, and runs the simulation until the ask is settled, time included. */
  ask<M extends t.Messages, K extends t.AskNames<M>>(
    kind: Kind<M>,
    id: t.ActorId,
    name: K,
    ...args: t.AskArgs<M[K]>
  ): Promise<t.AnswerOf<M[K]>> {
    return this.settle(this.system.ask(kind, id, name, ...args));
  }

  /**
   * Runs the simulation until a promise is settled, moving time as far as that takes. Rejects when
   * nothing is left to happen before that, or `settleMsMax` of virtual time did not help: then it
   * waits for something outside the simulation.
   */
  settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const note = (): void => void (settled = true);
    promise.then(note, note);
    return this.#exclusively(async () => {
      const endMs = this.#world.nowMs + actorLimits.settleMsMax;
      while (!settled) {
        if (await this.#calm(() => settled)) break;
        if ((this.#world.nextMs ?? Infinity) > endMs) {
          throw new Error('this waits for nothing that the simulation owns');
        }
        this.#world.jump();
      }
      return promise;
    });
  }

  /** Runs everything that is ready now, without moving time. */
  run(): Promise<void> {
    return this.#exclusively(async () => {
      await this.#calm(() => false);
    });
  }

  /** Moves time on, by `'61s'` or by milliseconds, running everything that becomes due on the way. */
  advance(duration: Duration): Promise<void> {
    const ms = toMs(duration);
    return this.#exclusively(async () => {
      const endMs = this.#world.nowMs + ms;
      for (;;) {
        await this.#calm(() => false);
        const { nextMs } = this.#world;
        if (nextMs === undefined || nextMs > endMs) break;
        this.#world.jump();
      }
      this.#world.nowMs = endMs;
    });
  }

  /** Crashes a shard, 1 to `shards`: all that is in its memory is lost. It starts again by itself. */
  crash(shard: number): void {
    const node = this.#node(shard);
    if (shard === 0 || !node.alive) return;
    this.#log(`shard ${shard} crashes`);
    node.kill(this.#chance);
    this.#world.at(this.#world.nowMs + this.#restartMs, () => {
      this.#log(`shard ${shard} is back`);
      this.#start(node);
    });
  }

  /** No faults from now on: for checks of what has to be right in the end. */
  heal(): void {
    this.#crash = 0;
    this.#network.heal();
  }

  /** Actors of a kind in memory, on all nodes. */
  residents(kind: Kind): number {
    return this.#nodes.reduce((sum, { system }) => sum + (system?.residents(kind) ?? 0), 0);
  }

  /** Stops all nodes as {@link ActorSystem.stop} does, the caller's last. False if one did not drain. */
  async stop(): Promise<boolean> {
    this.heal();
    await this.run();
    const shards = this.#nodes.slice(1).map(({ system }) => system?.stop() ?? Promise.resolve(true));
    const drained = await this.settle(Promise.all(shards));
    const own = await this.settle(this.system.stop());
    return own && drained.every((complete) => complete);
  }

  /** Ends it at once, wherever it is. */
  dispose(): void {
    for (const node of this.#nodes) if (node.alive) node.kill(this.#chance);
  }

  #node(number: number): SimNode<E> {
    const node = this.#nodes[number];
    if (node === undefined) throw new RangeError(`there is no shard ${number}`);
    return node;
  }

  #start(node: SimNode<E>): void {
    node.start();
    for (const other of this.#nodes) {
      if (other === node || !other.alive) continue;
      const [port, otherPort] = this.#network.channel(node.number, other.number);
      node.connect(other.number, port);
      other.connect(node.number, otherPort);
    }
  }

  #listener(node: number) {
    const where = `#${node}`;
    return {
      handling: (kind: string, id: t.ActorId, message: string): void =>
        this.#log(`${where} ${kind}/${id} ${message}`),
      deadLetter: (letter: DeadLetter): void => {
        this.#log(
          `${where} ${letter.kind}/${letter.id} ${letter.message} is a dead letter: ${letter.reason}`,
        );
        this.deadLetters.push(letter);
      },
      failed: (failure: ActorFailure): void => {
        this.#log(
          `${where} ${failure.kind}/${failure.id} fails: ${String(failure.error)} (${failure.action})`,
        );
        this.failures.push(failure);
        if (failure.fatal) this.#world.soon(() => this.crash(node));
      },
    };
  }

  #log(line: string): void {
    this.#trace.add(`${this.#world.nowMs} ms ${line}`);
  }

  /** Steps until nothing is ready, or `enough`; returns that. */
  async #calm(enough: () => boolean): Promise<boolean> {
    for (;;) {
      while (this.#world.step()) {
        if (this.#chance.chance(this.#crash)) {
          await new Promise(setImmediate); // What a handler does without waiting, it has done.
          this.#crashSome();
        }
        // Promises go on in between, a few at a time.
        await Promise.resolve();
        await Promise.resolve();
        if (enough()) return true;
      }
      await new Promise(setImmediate); // All promises, until each waits for something that comes later.
      if (enough()) return true;
      if (!this.#world.busy) return false;
    }
  }

  #crashSome(): void {
    const alive = this.#nodes.slice(1).filter((node) => node.alive);
    if (alive.length > 0) this.crash(this.#chance.pick(alive).number);
  }

  /** One call at a time moves the simulation; the others follow in their order. */
  #exclusively<T>(drive: () => Promise<T>): Promise<T> {
    const driven = this.#driving.then(drive);
    this.#driving = driven.then(
      () => {},
      () => {},
    );
    return driven;
  }
}
