import type { Kind } from './kind.ts';
import type { ActorSystem } from './system.ts';

/** An actor's name within its kind. 21 and '21' are different ids. */
export type ActorId = string | number;

declare const input: unique symbol;
declare const output: unique symbol;
declare const environment: unique symbol;
declare const argument: unique symbol;

/** A message without an answer. `In` exists for the compiler only. */
export interface TellType<In> {
  readonly type: 'tell';
  readonly [input]?: (value: In) => In;
}

/** A message with an answer. `In` and `Out` exist for the compiler only. */
export interface AskType<In, Out> {
  readonly type: 'ask';
  readonly [input]?: (value: In) => In;
  readonly [output]?: () => Out;
}

/** The type of `ctx.env`. Exists for the compiler only. */
export interface EnvType<E> {
  readonly [environment]?: (value: E) => E;
}

/** The type of `ctx.args`. Exists for the compiler only. */
export interface ArgsType<A> {
  readonly type: 'args';
  readonly [argument]?: (value: A) => A;
}

declare const unspawned: unique symbol;

/** The args of a kind that is not spawned: there is no value of it. */
export interface Unspawned {
  readonly [unspawned]: never;
}

/** The argument of spawn, which may be left out where the type allows undefined. */
export type SpawnArgs<A> = undefined extends A ? [args?: A] : [args: A];

/** The messages of a kind by name. */
export type Messages = Record<string, TellType<any> | AskType<any, any>>;

/** Names of the messages that can be told. */
export type TellNames<M extends Messages> = string extends keyof M
  ? string
  : { [K in keyof M]: M[K] extends TellType<any> ? K : never }[keyof M] & string;

/** Names of the messages that can be asked. */
export type AskNames<M extends Messages> = string extends keyof M
  ? string
  : { [K in keyof M]: M[K] extends AskType<any, any> ? K : never }[keyof M] & string;

/** What a message carries. */
export type PayloadOf<T> = T extends TellType<infer In> ? In : T extends AskType<infer In, any> ? In : never;

/** What an ask resolves to. */
export type AnswerOf<T> = T extends AskType<any, infer Out> ? Out : void;

/** The payload argument, which may be left out where the type allows undefined. */
export type PayloadArgs<T> =
  undefined extends PayloadOf<T> ? [payload?: PayloadOf<T>] : [payload: PayloadOf<T>];

/** Names of the messages that can carry the notice of an end: `tell<Ended>()`. */
export type EndedNames<M extends Messages> = string extends keyof M
  ? string
  : {
      [K in keyof M]: M[K] extends TellType<infer In> ? (Ended extends In ? K : never) : never;
    }[keyof M] &
      string;

/** How long an ask waits, and what ends it early. */
export interface AskOptions {
  /**
   * Default 5,000. The deadline travels with the ask: past it, the ask is not run. One that is made
   * while an ask is handled ends no later than that one, which nobody waits for any more then.
   */
  readonly timeoutMs?: number;
  /** Aborting rejects the ask with the signal's reason. Unrun, it is not run if its actor is local. */
  readonly signal?: AbortSignal;
}

/** How long to wait for room, and what ends it early. */
export interface RoomOptions {
  /** Default: for ever. */
  readonly timeoutMs?: number;
  /** Aborting rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The arguments of an ask after its name. */
export type AskArgs<T> =
  undefined extends PayloadOf<T>
    ? [payload?: PayloadOf<T>, options?: AskOptions]
    : [payload: PayloadOf<T>, options?: AskOptions];

/** What names an actor: two of them mean the same actor when kind and id are equal. */
export interface Address {
  /** The name of its kind. */
  readonly kind: string;
  readonly id: ActorId;
}

/**
 * Why an actor ended:
 * - `stopped`: by `ctx.stop()`, or with its parent; one that was spawned also by leaving memory;
 * - `failed`: its supervision ended it;
 * - `gone`: it had been spawned, and was not there any more when the watch began;
 * - `unreachable`: its node was lost, or the way to it is full. It may live.
 */
export type EndReason = 'stopped' | 'failed' | 'gone' | 'unreachable';

/** The notice that a watched actor ended. */
export interface Ended extends Address {
  readonly reason: EndReason;
}

/**
 * An actor's address with verbs: a plain value, cheap to make and to keep, valid whether or not the
 * actor is in memory. Making one activates nothing. It can be sent in messages, also to other
 * threads; JSON and structured clones of it are `{ kind, id }`, see {@link ActorSystem.refTo}.
 */
export interface Ref<M extends Messages> extends Address {
  /** See {@link ActorSystem.tell}. */
  tell<K extends TellNames<M>>(name: K, ...payload: PayloadArgs<M[K]>): boolean;
  /** See {@link ActorSystem.tellIfActive}. */
  tellIfActive<K extends TellNames<M>>(name: K, ...payload: PayloadArgs<M[K]>): boolean;
  /** See {@link ActorSystem.ask}. */
  ask<K extends AskNames<M>>(name: K, ...args: AskArgs<M[K]>): Promise<AnswerOf<M[K]>>;
  /** See {@link ActorSystem.room}. */
  room(options?: RoomOptions): Promise<void>;
  /** Same kind, same id. */
  equals(other: Address): boolean;
  /** `kind/id` */
  toString(): string;
}

/**
 * Messages that an actor sends itself later. All are cancelled when it stops, restarts or leaves
 * memory; one that fired before that, and waits in the mailbox, still arrives. An actor with an
 * armed timer is not passivated for being idle, nor to make room.
 */
export interface Timers<M extends Messages> {
  /** Arms a timer that fires once. One of the same name is replaced. */
  once<K extends TellNames<M>>(timer: string, ms: number, name: K, ...payload: PayloadArgs<M[K]>): void;
  /** Arms a timer that fires every `ms`. Periods that were missed are skipped, not caught up. */
  every<K extends TellNames<M>>(timer: string, ms: number, name: K, ...payload: PayloadArgs<M[K]>): void;
  /** Disarms a timer, if there is one of that name. */
  cancel(timer: string): void;
}

/** What an actor's code sees of the runtime. */
export interface Context<M extends Messages, E, A = any> {
  /** Its own id; of a spawned actor, one that the system made. */
  readonly id: ActorId;
  /** Its own address. */
  readonly self: Ref<M>;
  /** `env` of the system, shared by all its actors. */
  readonly env: E;
  /** What it was spawned with. Undefined for an actor that has an id of its own. */
  readonly args: A;
  /** The system that it runs in, for refs to others. */
  readonly system: ActorSystem;
  /** Messages to itself, later. */
  readonly timers: Timers<M>;
  /** The time of the system's clock, in ms: monotonic, virtual in a simulation. */
  now(): number;
  /** Within [0, 1), from the system's source: the same for the same seed in a simulation. */
  random(): number;
  /** Resolves after `ms` of the system's clock. The actor is suspended as long as it waits for that. */
  sleep(ms: number): Promise<void>;
  /**
   * Asks as `ref.ask` does, and says who waits. Before the first `await` of a handler the two are the
   * same; after it only this one is known to wait, so that a cycle through it is refused, and keeps
   * the deadline of the ask that is handled.
   */
  ask<N extends Messages, K extends AskNames<N>>(
    to: Ref<N>,
    name: K,
    ...args: AskArgs<N[K]>
  ): Promise<AnswerOf<N[K]>>;
  /**
   * Makes a child: an actor without a name, which ends when this one stops, restarts or leaves memory.
   * An actor with children is not passivated for being idle, nor to make room.
   *
   * @throws TypeError when the kind takes no `args`, or is not one of this system's.
   * @throws RangeError when this actor has `childrenMax` already.
   */
  spawn<N extends Messages, B>(kind: Kind<N, any, any, B>, ...args: SpawnArgs<B>): Ref<N>;
  /**
   * Tells this actor the message `name` once, when the other one ends. Its node being lost counts,
   * its being passivated does not: an id comes back by `load`. The notice finds room in any mailbox. A
   * second watch of the same actor replaces the first. Watches end when the watcher stops, restarts
   * or leaves memory; while it has one, it is not passivated for being idle, nor to make room.
   *
   * @throws TypeError when the actor's kind is not one of this system's, or has no message `name`.
   * @throws RangeError when this actor has `watchesMax` already.
   */
  watch(actor: Address, name: EndedNames<M>): void;
  /** No notice any more, unless it stands in the mailbox already. */
  unwatch(actor: Address): void;
  /**
   * Puts the message that is being handled aside, its ask unanswered, once the handler returns.
   * False, and nothing happens, when `stashMax` messages are there already. What is stashed when the
   * actor stops becomes dead letters; a restart unstashes. An actor with a stash stays in memory.
   */
  stash(): boolean;
  /** Puts everything stashed back in front of the mailbox, in its order, for the next turn. */
  unstash(): void;
  /** Once the mailbox is empty: `save`, then leave memory. Ignored while `busy` says so. */
  passivate(): void;
  /** After this message: leave memory without `save`; what waits becomes dead letters. */
  stop(): void;
}
