import type { Activation } from './activation.ts';
import { setBackgroundTimeout } from './clock.ts';
import { isHeld } from './extras.ts';
import type { Host } from './host.ts';
import { endTurn, isBusy, passivate } from './lifecycle.ts';
import { actorLimits } from './limits.ts';
import { Status } from './status.ts';

/**
 * The idle activations of one kind, the longest idle first, in an intrusive doubly linked list; and
 * what takes them out of memory: one timer a kind, and the arrival of new ones over `residentsMax`.
 * The list is not kept for kinds that have neither bound.
 */
export class IdleActors {
  readonly #host: Host;
  readonly #kept: boolean;
  #oldest: Activation | undefined = undefined;
  #newest: Activation | undefined = undefined;
  #timer: unknown = undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#kept = host.kind.passivateAfterMs !== undefined || host.kind.residentsMax !== undefined;
  }

  append(activation: Activation): void {
    if (!this.#kept) return;
    activation.idleSinceMs = this.#host.runtime.scheduler.nowMs;
    activation.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = activation;
    else this.#newest.newer = activation;
    this.#newest = activation;
    if (this.#timer === undefined) this.#arm();
  }

  remove(activation: Activation): void {
    if (!this.#kept) return;
    const { older, newer } = activation;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    activation.older = undefined;
    activation.newer = undefined;
  }

  /**
   * Lets the longest idle actors leave while there are more than `residentsMax`. Looks at a few only:
   * where those are all busy, the bound gives way, since an actor in use cannot leave.
   */
  makeRoom(): void {
    const { residentsMax } = this.#host.kind;
    if (residentsMax === undefined) return;
    let looks: number = actorLimits.evictStepMax;
    while (this.#host.residents.size > residentsMax && this.#oldest !== undefined && looks-- > 0) {
      this.#release(this.#oldest);
    }
  }

  /** No timer any more. */
  stop(): void {
    this.#host.runtime.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    const { passivateAfterMs } = this.#host.kind;
    const { clock, phase } = this.#host.runtime;
    if (passivateAfterMs === undefined || this.#oldest === undefined || phase !== 'running') return;
    const dueMs = this.#oldest.idleSinceMs + passivateAfterMs - clock.now();
    this.#timer = setBackgroundTimeout(clock, this.#sweep, Math.max(1, dueMs));
  }

  readonly #sweep = (): void => {
    const { scheduler, clock } = this.#host.runtime;
    const since = clock.now() - (this.#host.kind.passivateAfterMs ?? 0);
    let steps: number = actorLimits.sweepStepMax;
    scheduler.look();
    while (this.#oldest !== undefined && this.#oldest.idleSinceMs <= since && steps-- > 0) {
      this.#release(this.#oldest);
    }
    this.#timer = undefined;
    this.#arm();
    // `save` may have told others, or batched something for afterDrain.
    scheduler.wake();
  };

  /** Passivates an idle activation, or puts one that may not leave to the newest end. */
  #release(activation: Activation): void {
    this.remove(activation);
    // Not idle while `busy` runs, so that nothing it tells makes this one ready in between.
    activation.status = Status.running;
    const stays = isHeld(activation) || isBusy(activation);
    if (stays || activation.waiting > 0) endTurn(activation);
    else passivate(activation);
  }
}
