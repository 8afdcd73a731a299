import type { Activation } from './activation.ts';
import { extrasOf } from './extras.ts';
import type { Kind } from './kind.ts';
import { actorLimits } from './limits.ts';
import type { Runtime } from './runtime.ts';
import { Status } from './status.ts';
import type { Ref } from './types.ts';

/**
 * Ids of spawned actors: the node, the system's own mark, a number. So a ref finds its way without
 * a table, and one of a thread that died does not mean an actor of its successor.
 */
export function spawnIds(node: number, random: () => number): () => string {
  const mark = Math.floor(random() * 36 ** 6).toString(36);
  let last = 0;
  return () => `${node}.${mark}.${++last}`;
}

/** The node that such an id was made on. */
export const nodeOfSpawned = (id: string | number): number => Number.parseInt(String(id), 10);

/** Makes an actor without a name, with or without a parent. */
export function spawn(runtime: Runtime, parent: Activation | undefined, kind: Kind, args: unknown): Ref<any> {
  const host = runtime.hosts.get(kind.name);
  if (host === undefined) throw new TypeError(`this system has no kind '${kind.name}'`);
  if (!host.kind.spawned) throw new TypeError(`kind '${kind.name}' has no args: its actors are told by id`);
  if (parent?.status === Status.gone || runtime.phase !== 'running') {
    throw new Error(`nothing is spawned by what has stopped`);
  }
  const siblings = parent === undefined ? undefined : (extrasOf(parent).children ??= new Set());
  if (siblings !== undefined && siblings.size >= actorLimits.childrenMax) {
    throw new RangeError(`an actor has at most ${actorLimits.childrenMax} children`);
  }
  const child = host.create(runtime.nextSpawnId());
  siblings?.add(child);
  if (parent !== undefined || args !== undefined) {
    const extras = extrasOf(child);
    extras.parent = parent;
    extras.args = args;
  }
  return runtime.refTo(host, child.id);
}
