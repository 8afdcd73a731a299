import type { Clock } from './clock.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Hooks } from './hooks.ts';
import type { Host } from './host.ts';
import type { MailboxPool } from './mailbox.ts';
import type { Scheduler } from './scheduler.ts';
import type { ActorFailure } from './supervise.ts';
import type { ActorSystem } from './system.ts';
import type { Turn } from './turn-state.ts';
import type { ActorId, Ref } from './types.ts';
import type { WatchRoute } from './watch.ts';

/** `stopping`: what was taken is handled, nothing more is taken. `stopped`: nothing runs. */
type Phase = 'running' | 'stopping' | 'stopped';

/** What the parts of one system share. */
export interface Runtime {
  readonly node: number;
  readonly env: unknown;
  readonly clock: Clock;
  readonly random: () => number;
  readonly hooks: Hooks;
  readonly system: ActorSystem;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly refTo: (host: Host, id: ActorId) => Ref<any>;
  /** As refTo, for a kind that may be unknown here. */
  readonly refOf: (kind: string, id: ActorId) => Ref<any>;
  /** How a watch of an actor goes. */
  readonly watchRoute: (host: Host, id: ActorId) => WatchRoute;
  /** The id of the next actor that is spawned here. */
  readonly nextSpawnId: () => string;
  readonly scheduler: Scheduler;
  /** What runs at this moment, if anything does. */
  readonly turn: Turn;
  readonly mailboxes: MailboxPool;
  readonly deadLetters: DeadLetters;
  readonly onFailure: (failure: ActorFailure) => void;
  /** Called whenever an activation left memory while the system stops. */
  readonly onGone: () => void;
  phase: Phase;
}
