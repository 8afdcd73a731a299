import type { Clock } from './clock.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Host } from './host.ts';
import type { MailboxPool } from './mailbox.ts';
import type { Scheduler } from './scheduler.ts';
import type { ActorFailure } from './supervise.ts';
import type { ActorSystem } from './system.ts';
import type { ActorId, Ref } from './types.ts';

/** Told what happens to actors; for metrics. None costs anything while undefined. */
export interface Hooks {
  /** An actor has its state, and handles its first message next. */
  readonly activated?: (kind: string, id: ActorId) => void;
  /** An actor left memory after its `save`. */
  readonly passivated?: (kind: string, id: ActorId) => void;
  /** An actor failed; supervision follows. */
  readonly failed?: (kind: string, id: ActorId, error: unknown) => void;
}

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
  readonly refTo: (host: Host, id: ActorId) => Ref<any>;
  readonly scheduler: Scheduler;
  readonly mailboxes: MailboxPool;
  readonly deadLetters: DeadLetters;
  readonly onFailure: (failure: ActorFailure) => void;
  /** Called whenever an activation left memory while the system stops. */
  readonly onGone: () => void;
  phase: Phase;
}
