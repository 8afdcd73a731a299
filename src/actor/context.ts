import type { Activation } from './activation.ts';
import { spawn } from './children.ts';
import type { Kind } from './kind.ts';
import type { ActorRef } from './ref.ts';
import { stash, unstash } from './stash.ts';
import { Status, Wish } from './status.ts';
import type { ActorSystem } from './system.ts';
import { ActorTimers } from './timers.ts';
import type { ActorId, Address, AskOptions, Context, Ref, Timers } from './types.ts';
import { unwatch, watch } from './watch.ts';

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

  get args(): unknown {
    return this.#activation.extras?.args;
  }

  get system(): ActorSystem {
    return this.#activation.host.runtime.system;
  }

  get timers(): Timers<any> {
    this.#activation.timers ??= new ActorTimers(this.#activation);
    return this.#activation.timers;
  }

  now(): number {
    return this.#activation.host.runtime.clock.now();
  }

  random(): number {
    return this.#activation.host.runtime.random();
  }

  sleep(ms: number): Promise<void> {
    const { clock } = this.#activation.host.runtime;
    return new Promise((resolve) => clock.setTimeout(resolve, ms));
  }

  ask(to: Ref<any>, name: string, payload?: unknown, options?: AskOptions): Promise<any> {
    return (to as ActorRef).askFrom(this.#activation, name, payload, options);
  }

  spawn(kind: Kind, args?: unknown): Ref<any> {
    return spawn(this.#activation.host.runtime, this.#activation, kind, args);
  }

  watch(actor: Address, name: string): void {
    if (this.#activation.status !== Status.gone) watch(this.#activation, actor, name);
  }

  unwatch(actor: Address): void {
    unwatch(this.#activation, actor);
  }

  stash(): boolean {
    return stash(this.#activation);
  }

  unstash(): void {
    if (this.#activation.status !== Status.gone) unstash(this.#activation);
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
    activation.host.ready(activation);
  }
}
