import type { Activation } from './activation.ts';
import { AskRefused } from './errors.ts';
import type { Host } from './host.ts';
import type { Router } from './router.ts';
import type { ActorId, Address, AskOptions, Ref, RoomOptions } from './types.ts';

/**
 * The implementation of {@link Ref}: kind and id are its own, so that it is compared, cloned and
 * printed as the plain value it is. Keeps its kind's host and its node, so that a tell needs no
 * look-up of them. Without a host it came from elsewhere, and this system does not know its kind.
 */
export class ActorRef implements Ref<any> {
  readonly kind: string;
  readonly id: ActorId;
  readonly #router: Router;
  readonly #host: Host | undefined;
  readonly #node: number;

  constructor(router: Router, kind: string, id: ActorId, host: Host | undefined) {
    this.kind = kind;
    this.id = id;
    this.#router = router;
    this.#host = host;
    this.#node = host === undefined ? -1 : router.nodeOf(host, id);
  }

  tell(name: string, payload?: unknown): boolean {
    if (this.#host === undefined) return this.#unknown(name, payload);
    return this.#router.tell(this.#host, this.id, this.#node, name, payload, false);
  }

  tellIfActive(name: string, payload?: unknown): boolean {
    if (this.#host === undefined) return this.#unknown(name, payload);
    return this.#router.tell(this.#host, this.id, this.#node, name, payload, true);
  }

  ask(name: string, payload?: unknown, options?: AskOptions): Promise<any> {
    return this.askFrom(undefined, name, payload, options);
  }

  /** As ask, by an actor that waits for it; undefined: by the one that runs now. */
  askFrom(
    asker: Activation | undefined,
    name: string,
    payload?: unknown,
    options?: AskOptions,
  ): Promise<any> {
    if (this.#host !== undefined)
      return this.#router.ask(this.#host, this.id, this.#node, name, payload, options, asker);
    this.#unknown(name, payload);
    return Promise.reject(new AskRefused(this.kind, this.id, name, 'unknown_kind'));
  }

  room(options?: RoomOptions): Promise<void> {
    if (this.#host !== undefined) return this.#router.room(this.#host, this.id, this.#node, options);
    return Promise.reject(new AskRefused(this.kind, this.id, 'room', 'unknown_kind'));
  }

  equals(other: Address): boolean {
    return this.id === other.id && this.kind === other.kind;
  }

  toString(): string {
    return `${this.kind}/${this.id}`;
  }

  #unknown(name: string, payload: unknown): false {
    this.#router.refuseUnknown('unknown_kind', this.kind, this.id, name, payload);
    return false;
  }
}
