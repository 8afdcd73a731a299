import type { Activation } from './activation.ts';
import { actorLimits } from './limits.ts';
import { Status } from './status.ts';
import type { Timers } from './types.ts';

/** The armed timers of one activation, by name. */
export class ActorTimers implements Timers<any> {
  readonly #activation: Activation;
  readonly #armed = new Map<string, unknown>();

  constructor(activation: Activation) {
    this.#activation = activation;
  }

  get armed(): boolean {
    return this.#armed.size > 0;
  }

  once(timer: string, ms: number, name: string, payload?: unknown): void {
    const message = this.#check(name, ms);
    this.cancel(timer);
    this.#arm(timer, ms, () => {
      this.#armed.delete(timer);
      this.#fire(message, payload);
    });
  }

  every(timer: string, ms: number, name: string, payload?: unknown): void {
    const message = this.#check(name, ms);
    if (ms < 1) throw new RangeError(`timer '${timer}': a period is at least 1 ms`);
    const { clock } = this.#activation.host.runtime;
    this.cancel(timer);
    let due = clock.now() + ms;
    const tick = (): void => {
      const now = clock.now();
      // The next point of the same grid that is still to come: a late thread sends no burst.
      due += ms * Math.max(1, Math.ceil((now - due) / ms));
      this.#arm(timer, due - now, tick);
      this.#fire(message, payload);
    };
    this.#arm(timer, ms, tick);
  }

  cancel(timer: string): void {
    if (!this.#armed.has(timer)) return;
    this.#activation.host.runtime.clock.clearTimeout(this.#armed.get(timer));
    this.#armed.delete(timer);
  }

  cancelAll(): void {
    for (const timer of this.#armed.keys()) this.cancel(timer);
  }

  #arm(timer: string, ms: number, callback: () => void): void {
    const { host, status } = this.#activation;
    // A context that outlived its actor, or a system that is stopping, must arm nothing.
    if (status === Status.gone || host.runtime.phase !== 'running') return;
    this.#armed.set(timer, host.runtime.clock.setTimeout(callback, ms));
  }

  #fire(message: number, payload: unknown): void {
    const { host } = this.#activation;
    host.post(this.#activation, message, payload, undefined, host.runtime.node);
  }

  #check(name: string, ms: number): number {
    const message = this.#activation.host.messages.get(name);
    if (message === undefined)
      throw new TypeError(`${this.#activation.host.kind.name} has no message '${name}'`);
    if (!(ms >= 0 && ms <= actorLimits.timerMsMax)) throw new RangeError(`timer: ${ms} ms is out of range`);
    return message;
  }
}
