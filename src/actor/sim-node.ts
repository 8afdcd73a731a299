import type { DeadLetter } from './dead-letters.ts';
import { internalsOf } from './internals.ts';
import type { Kind } from './kind.ts';
import { actorLimits } from './limits.ts';
import type { SeededRandom } from './random.ts';
import type { Place } from './router.ts';
import type { SimPort } from './sim-port.ts';
import type { SimWorld } from './sim-world.ts';
import type { ActorFailure } from './supervise.ts';
import { ActorSystem } from './system.ts';
import type { ActorId } from './types.ts';

/** What all nodes of a simulation share. */
interface SimNodeParts<E> {
  readonly kinds: readonly Kind<any, E, any>[];
  readonly place: Place;
  readonly world: SimWorld;
  readonly random: SeededRandom;
  readonly env: () => E | undefined;
}

interface SimNodeListener {
  handling(kind: string, id: ActorId, message: string): void;
  deadLetter(letter: DeadLetter): void;
  failed(failure: ActorFailure): void;
}

/** A node of a simulation: one life of it after the other, each with a system of its own. */
export class SimNode<E> {
  readonly number: number;
  system: ActorSystem<E> | undefined = undefined;
  readonly #parts: SimNodeParts<E>;
  readonly #listener: SimNodeListener;
  #life = { alive: false };
  #ports: SimPort[] = [];

  constructor(number: number, parts: SimNodeParts<E>, listener: SimNodeListener) {
    this.number = number;
    this.#parts = parts;
    this.#listener = listener;
  }

  get alive(): boolean {
    return this.#life.alive;
  }

  start(): void {
    const { kinds, place, world, random } = this.#parts;
    const life = { alive: true };
    const env = this.#parts.env();
    this.#life = life;
    this.system = new ActorSystem<E>({
      node: this.number,
      kinds,
      place,
      ...(env === undefined ? {} : { env }),
      clock: world.clockOf(life),
      random: random.next,
      schedule: {
        pick: (ready) => (ready === 1 ? 0 : random.int(0, ready - 1)),
        turnMessages: () => random.int(1, random.chance(0.5) ? 2 : actorLimits.turnMessagesMax),
        yields: () => random.chance(0.3),
      },
      hooks: { handling: (kind, id, message) => this.#listener.handling(kind, id, message) },
      onDeadLetter: (letter) => {
        if (life.alive) this.#listener.deadLetter(letter);
      },
      onFailure: (failure) => this.#listener.failed(failure),
    });
  }

  connect(node: number, port: SimPort): void {
    this.#ports.push(port);
    this.system?.connect(node, port);
  }

  /** As a thread dies: nothing of it runs any more, nothing is saved, nobody is told but by its ports. */
  kill(random: SeededRandom): void {
    this.#life.alive = false;
    if (this.system !== undefined) internalsOf(this.system).runtime.phase = 'stopped';
    this.system = undefined;
    for (const port of this.#ports) port.break(random.chance(0.5));
    this.#ports = [];
  }
}
