import type { Host } from './host.ts';
import type { Router } from './router.ts';
import type { ActorId, AskOptions, Ref } from './types.ts';

/** The implementation of {@link Ref}. Keeps its kind's host, so that a tell needs no look-up of it. */
export class ActorRef implements Ref<any> {
  readonly id: ActorId;
  readonly #router: Router;
  readonly #host: Host;

  constructor(router: Router, host: Host, id: ActorId) {
    this.#router = router;
    this.#host = host;
    this.id = id;
  }

  get kind(): string {
    return this.#host.kind.name;
  }

  tell(name: string, payload?: unknown): boolean {
    return this.#router.tell(this.#host, this.id, name, payload, false);
  }

  tellIfActive(name: string, payload?: unknown): boolean {
    return this.#router.tell(this.#host, this.id, name, payload, true);
  }

  ask(name: string, payload?: unknown, options?: AskOptions): Promise<any> {
    return this.#router.ask(this.#host, this.id, name, payload, options);
  }

  equals(other: Ref<any>): boolean {
    return this.id === other.id && this.kind === other.kind;
  }

  toString(): string {
    return `${this.kind}/${this.id}`;
  }
}
