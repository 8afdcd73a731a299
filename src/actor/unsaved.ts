import type { Activation } from './activation.ts';
import { setBackgroundTimeout } from './clock.ts';
import type { Host } from './host.ts';
import { actorLimits } from './limits.ts';

/** The changed activations of one kind that saves behind, the longest changed first; one timer a kind. */
export class Unsaved {
  readonly #host: Host;
  #waiting: { readonly activation: Activation; readonly dueMs: number }[] = [];
  #first = 0;
  #timer: unknown = undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  append(activation: Activation): void {
    const { clock } = this.#host.runtime;
    this.#waiting.push({ activation, dueMs: clock.now() + this.#host.kind.saveBehindMs });
    if (this.#timer === undefined) this.#arm();
  }

  /** No timer any more. */
  stop(): void {
    this.#host.runtime.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
    this.#first = 0;
  }

  #arm(): void {
    const first = this.#waiting[this.#first];
    const { clock, phase } = this.#host.runtime;
    if (first === undefined || phase !== 'running') return;
    this.#timer = setBackgroundTimeout(clock, this.#sweep, Math.max(1, first.dueMs - clock.now()));
  }

  readonly #sweep = (): void => {
    const now = this.#host.runtime.clock.now();
    let steps: number = actorLimits.sweepStepMax;
    for (
      let next = this.#waiting[this.#first];
      next !== undefined && next.dueMs <= now && steps-- > 0;
      next = this.#waiting[this.#first]
    ) {
      this.#first++;
      const { extras } = next.activation;
      if (extras?.dirty !== true) continue;
      extras.saveDue = true;
      this.#host.ready(next.activation);
    }
    if (this.#first * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    this.#timer = undefined;
    this.#arm();
  };
}
