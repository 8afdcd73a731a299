import type { Activation } from './activation.ts';
import { actorLimits } from './limits.ts';
import type { ActorId } from './types.ts';

/**
 * The actors of one kind in memory. Numbers are looked for in a plain array first, at their lowest
 * bits: with 100,000 actors that is one cache miss instead of the three of a Map.
 */
export class Residents {
  readonly #byId = new Map<ActorId, Activation>();
  #front: (Activation | undefined)[] = Array.from({ length: actorLimits.frontActorsMin });
  #mask: number = actorLimits.frontActorsMin - 1;

  get size(): number {
    return this.#byId.size;
  }

  get(id: ActorId): Activation | undefined {
    if (typeof id !== 'number') return this.#byId.get(id);
    const at = id & this.#mask;
    const front = this.#front[at];
    if (front !== undefined && front.id === id) return front;
    const found = this.#byId.get(id);
    if (found !== undefined) this.#front[at] = found;
    return found;
  }

  has(id: ActorId): boolean {
    return this.#byId.has(id);
  }

  add(activation: Activation): void {
    const { id } = activation;
    this.#byId.set(id, activation);
    if (typeof id !== 'number') return;
    const { length } = this.#front;
    if (this.#byId.size > length && length < actorLimits.frontActorsMax) this.#resize(length * 2);
    this.#front[id & this.#mask] = activation;
  }

  delete(activation: Activation): void {
    const { id } = activation;
    this.#byId.delete(id);
    if (typeof id !== 'number') return;
    const at = id & this.#mask;
    if (this.#front[at] === activation) this.#front[at] = undefined;
    const { length } = this.#front;
    if (this.#byId.size * 8 < length && length > actorLimits.frontActorsMin) this.#resize(length / 2);
  }

  values(): IterableIterator<Activation> {
    return this.#byId.values();
  }

  /** Begins anew in another size: it fills with what is looked for. */
  #resize(length: number): void {
    this.#front = Array.from({ length });
    this.#mask = length - 1;
  }
}
