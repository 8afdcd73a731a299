import { toMs, type Duration } from './duration.ts';
import type { SeededRandom } from './random.ts';
import { SimPort } from './sim-port.ts';
import type { SimWorld } from './sim-world.ts';

/** What goes wrong in a simulation, and how often. Default: nothing. */
export interface Faults {
  /** The chance, at each step, that some shard crashes: its memory is lost, and it starts again. */
  readonly crash?: number;
  /** Time until a crashed shard is back. Default 100. */
  readonly restartAfter?: Duration;
  /** Batches between shards take between 0 and this long, each link in order. */
  readonly delay?: Duration;
  /** The chance that a message, an ask or an answer between shards is lost. */
  readonly lose?: number;
}

/** What is between the nodes of a simulation. */
export class SimNetwork {
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #log: (line: string) => void;
  #delayMs: number;
  #lose: number;

  constructor(world: SimWorld, random: SeededRandom, faults: Faults, log: (line: string) => void) {
    this.#world = world;
    this.#random = random;
    this.#log = log;
    this.#delayMs = toMs(faults.delay ?? 0);
    this.#lose = faults.lose ?? 0;
  }

  get lossy(): boolean {
    return this.#lose > 0;
  }

  /** No delay and no loss from now on. */
  heal(): void {
    this.#delayMs = 0;
    this.#lose = 0;
  }

  loses(): boolean {
    const lost = this.#random.chance(this.#lose);
    if (lost) this.#log('a frame is lost');
    return lost;
  }

  /** When a batch that leaves now arrives. */
  arrivalMs(): number {
    return this.#world.nowMs + (this.#delayMs > 0 ? Math.floor(this.#random.next() * this.#delayMs) : 0);
  }

  at(ms: number, act: () => void): void {
    if (ms <= this.#world.nowMs) this.#world.soon(act);
    else this.#world.at(ms, act);
  }

  /** The two ends of a new channel. */
  channel(a: number, b: number): [SimPort, SimPort] {
    const [one, other] = [new SimPort(this, `${a}>${b}`), new SimPort(this, `${b}>${a}`)];
    one.other = other;
    other.other = one;
    return [one, other];
  }
}
