import type { Activation } from './activation.ts';
import type { PendingAsk } from './asks.ts';
import { actorLimits } from './limits.ts';
import type { ActorId } from './types.ts';

/**
 * The actors that wait for an ask: the one that made it while it handled a message, the one whose ask
 * that message was, and so on. Travels with the ask, so that a cycle is seen on any node.
 */
export interface Via {
  readonly kind: string;
  readonly id: ActorId;
  /** Which of the actor's asks, by its number within the actor's node. */
  readonly number: number;
  /** Links in this chain, this one included. */
  readonly depth: number;
  readonly next: Via | undefined;
}

/**
 * Whether an ask that reaches `target` would never be answered, because `target` handles a message
 * that waits, itself or through others, for an actor of `via`. An actor waits for all asks that its
 * present handler made and that are not answered, awaited or not.
 */
export function waitsForItself(target: Activation, via: Via): boolean {
  const open = target.extras?.openAsks;
  if (open === undefined || open.length === 0) return false;
  const { name } = target.host.kind;
  for (let link: Via | undefined = via; link !== undefined; link = link.next) {
    const { number } = link;
    if (link.kind === name && link.id === target.id && open.some((ask) => ask.number === number)) return true;
  }
  return leadsTo(open, via);
}

/** Follows who waits for whom on this node, from `open` to an actor of the chain. */
function leadsTo(open: readonly PendingAsk[], via: Via): boolean {
  const found = [...open];
  const seen = new Set<Activation>();
  for (let at = 0; at < found.length && at < actorLimits.cycleStepsMax; at++) {
    const { host, id } = found[at] as PendingAsk;
    if (has(via, host.kind.name, id)) return true;
    const next = host.residents.get(id);
    if (next?.extras?.openAsks === undefined || seen.has(next)) continue;
    seen.add(next);
    found.push(...next.extras.openAsks);
  }
  return false;
}

function has(via: Via, kind: string, id: ActorId): boolean {
  for (let link: Via | undefined = via; link !== undefined; link = link.next) {
    if (link.kind === kind && link.id === id) return true;
  }
  return false;
}

/** A chain as one flat array, as it crosses a link. */
export function flatten(via: Via): unknown[] {
  const flat: unknown[] = [];
  for (let link: Via | undefined = via; link !== undefined; link = link.next) {
    flat.push(link.kind, link.id, link.number);
  }
  return flat;
}

export function unflatten(flat: readonly unknown[], from: number): Via | undefined {
  let via: Via | undefined;
  for (let at = flat.length - 3; at >= from; at -= 3) {
    const [kind, id, number] = flat.slice(at, at + 3) as [string, ActorId, number];
    via = { kind, id, number, depth: (via?.depth ?? 0) + 1, next: via };
  }
  return via;
}
