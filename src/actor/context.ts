import type { Activation } from './activation.ts';
import { Status, Wish } from './status.ts';
import type { ActorSystem } from './system.ts';
import { ActorTimers } from './timers.ts';
import type { ActorId, Context, Ref, Timers } from './types.ts';

/** `ctx` of one activation. It may be kept: once the actor left memory, its verbs do nothing. */
export class ActorContext implements Context<any, any> {
  readonly #activation: Activation;

  constructor(activation: Activation) {
    this.#activation = activation;
  }

  get id(): ActorId {
    return this.#activation.id;
  }

  get self(): Ref<any> {
    const { host, id } = this.#activation;
    return host.runtime.refTo(host, id);
  }

  get env(): unknown {
    return this.#activation.host.runtime.env;
  }

  get system(): ActorSystem {
    return this.#activation.host.runtime.system;
  }

  get timers(): Timers<any> {
    this.#activation.timers ??= new ActorTimers(this.#activation);
    return this.#activation.timers;
  }

  passivate(): void {
    this.#wish(Wish.passivate);
  }

  stop(): void {
    this.#wish(Wish.stop);
  }

  #wish(wish: Wish): void {
    const activation = this.#activation;
    if (activation.status === Status.gone) return;
    if (wish > activation.wish) activation.wish = wish;
    // Between its turns it needs one more to have its wish.
    if (activation.status === Status.idle) activation.host.makeReady(activation);
  }
}
