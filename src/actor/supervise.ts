import type { Supervise } from './kind.ts';
import type { ActorId } from './types.ts';

/** What was running when an actor failed; `child`: one of its children escalated. */
export type FailurePhase = 'handler' | 'load' | 'save' | 'busy' | 'child';

/**
 * What the supervisor does about a failure. `keep`: nothing, the actor goes on with its state (after
 * a failed `save` or `busy`, which are tried again when it was idle for another period).
 */
export type FailureAction = 'restart' | 'resume' | 'stop' | 'escalate' | 'keep';

/** A failure of an actor, as `onFailure` gets it. */
export interface ActorFailure {
  readonly kind: string;
  readonly id: ActorId;
  readonly phase: FailurePhase;
  /** The message that was handled, when the phase is `handler`, or `save` because of a message. */
  readonly message: string | undefined;
  readonly error: unknown;
  readonly action: FailureAction;
  /** The kind escalates, and there is no parent: the failure is meant to end the thread. */
  readonly fatal: boolean;
}

/** The default `onFailure`: a fatal one is thrown in the thread, others are process warnings. */
export function reportFailure(failure: ActorFailure): void {
  if (failure.fatal) throw failure.error;
  const what = failure.message === undefined ? failure.phase : `'${failure.message}'`;
  const reason =
    failure.error instanceof Error ? (failure.error.stack ?? failure.error.message) : String(failure.error);
  process.emitWarning(
    `${failure.kind}/${failure.id} failed in ${what} (${failure.action}): ${reason}`,
    'ActorFailure',
  );
}

/** The restarts of one activation that its budget remembers, and its back-off under way. */
export class Restarts {
  /** The timer that ends the back-off. */
  timer: unknown = undefined;
  #times: number[] = [];

  /** Restarts within the window, the last one included. */
  get count(): number {
    return this.#times.length;
  }

  /**
   * Spends one restart. Returns the back-off before it, in ms, or undefined when there were
   * `restartsMax` within the window already.
   */
  spend(policy: Supervise, nowMs: number, random: () => number): number | undefined {
    this.#times = this.#times.filter((time) => nowMs - time < policy.withinMs);
    const earlier = this.#times.length;
    if (earlier >= policy.restartsMax) return undefined;
    this.#times.push(nowMs);
    const backoff = Math.min(policy.backoffMsMax, policy.backoffMsMin * 2 ** earlier);
    return backoff * (1 + policy.jitter * (2 * random() - 1));
  }
}
