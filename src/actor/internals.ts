import type { Links } from './links.ts';
import type { Runtime } from './runtime.ts';
import type { ActorSystem } from './system.ts';

/** What the runtime's own modules see of a system besides its public face. */
export interface Internals {
  readonly runtime: Runtime;
  readonly links: Links;
}

const known = new WeakMap<ActorSystem, Internals>();

export function register(system: ActorSystem, internals: Internals): void {
  known.set(system, internals);
}

export function internalsOf(system: ActorSystem): Internals {
  return known.get(system) as Internals;
}
