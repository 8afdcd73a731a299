import { type Clock, systemClock } from './clock.ts';
import type { DeadLetter } from './dead-letters.ts';
import type { Kind } from './kind.ts';
import { actorLimits } from './limits.ts';
import type { PeerListener } from './link.ts';
import type { LinkLimits } from './outbox.ts';
import type { Place } from './router.ts';
import type { Hooks } from './hooks.ts';
import type { Schedule } from './schedule.ts';
import { type ActorFailure, reportFailure } from './supervise.ts';

/**
 * What a system is made of. A callback that throws surfaces as an uncaught exception, except
 * `afterDrain`, whose own exception ends the drain and is uncaught there.
 */
export interface SystemOptions<E> extends Partial<LinkLimits> {
  /** This node's number, from 0. Default 0. */
  readonly node?: number;
  /** All kinds that are told from here or hosted here. Nodes may list different ones. */
  readonly kinds: readonly Kind<any, E, any>[];
  /** `ctx.env` of all actors. A node that hosts nothing needs none. */
  readonly env?: E;
  /** Default: every actor is hosted on this node. */
  readonly place?: Place;
  /** Called after the ready actors ran, before links are flushed: flush here what handlers batched. */
  readonly afterDrain?: () => void;
  /** Told of each message that was not handled. */
  readonly onDeadLetter?: (letter: DeadLetter) => void;
  /** Default: {@link reportFailure}. */
  readonly onFailure?: (failure: ActorFailure) => void;
  /** Told when a node is connected, and when it is lost. */
  readonly onPeer?: PeerListener;
  /** For metrics and tracing. Default: none. */
  readonly hooks?: Hooks;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** The source of jitter, within [0, 1). Default: Math.random. */
  readonly random?: () => number;
  /** Who runs next; for simulations. Default: round robin, `turnMessagesMax` messages a turn. */
  readonly schedule?: Schedule;
  /** Length of one drain. Default 4. */
  readonly sliceMs?: number;
  /** Asks that may wait for an answer. Default 65,536. */
  readonly asksMax?: number;
}

/** The options with their defaults. */
export type SystemSettings = Required<
  Omit<SystemOptions<unknown>, 'env' | 'place' | 'onPeer' | 'onDeadLetter' | 'schedule'>
>;

const defaults: Omit<SystemSettings, 'kinds'> = {
  node: 0,
  afterDrain: () => {},
  onFailure: reportFailure,
  hooks: {},
  clock: systemClock,
  random: Math.random,
  sliceMs: actorLimits.sliceMs,
  asksMax: actorLimits.asksMax,
  linkFramesMax: actorLimits.linkFramesMax,
  linkWindowFrames: actorLimits.linkWindowFrames,
  linkBytesMax: actorLimits.linkBytesMax,
};

/** Fills the defaults in. @throws RangeError when a number is out of range or two kinds share a name. */
export function settle(options: SystemOptions<any>): SystemSettings {
  const settings: SystemSettings = { ...defaults, ...options };
  const { node, kinds, sliceMs, asksMax, linkFramesMax, linkWindowFrames, linkBytesMax } = settings;
  if (!Number.isInteger(node) || node < 0) throw new RangeError(`node ${node} must be an integer from 0`);
  for (const [name, value] of Object.entries({
    sliceMs,
    asksMax,
    linkFramesMax,
    linkWindowFrames,
    linkBytesMax,
  })) {
    if (!(value > 0)) throw new RangeError(`${name} must be positive`);
  }
  const names = new Set(kinds.map((kind) => kind.name));
  if (names.size !== kinds.length) throw new RangeError('two kinds have the same name');
  return settings;
}
