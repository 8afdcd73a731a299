import type { ActorSystem } from './system.ts';

/** An actor's name within its kind. 21 and '21' are different ids. */
export type ActorId = string | number;

declare const input: unique symbol;
declare const output: unique symbol;
declare const environment: unique symbol;

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

/** How long an ask waits, and what ends it early. */
export interface AskOptions {
  /** Default 5,000. The deadline travels with the ask: past it, the ask is not run. */
  readonly timeoutMs?: number;
  /** Aborting rejects the ask with the signal's reason. Unrun, it is not run if its actor is local. */
  readonly signal?: AbortSignal;
}

/** The arguments of an ask after its name. */
export type AskArgs<T> =
  undefined extends PayloadOf<T>
    ? [payload?: PayloadOf<T>, options?: AskOptions]
    : [payload: PayloadOf<T>, options?: AskOptions];

/**
 * An actor's address: a plain value, cheap to make and to keep, valid whether or not the actor is
 * in memory. Making one activates nothing. Two refs are equal by kind name and id.
 */
export interface Ref<M extends Messages> {
  readonly kind: string;
  readonly id: ActorId;
  /** See {@link ActorSystem.tell}. */
  tell<K extends TellNames<M>>(name: K, ...payload: PayloadArgs<M[K]>): boolean;
  /** See {@link ActorSystem.tellIfActive}. */
  tellIfActive<K extends TellNames<M>>(name: K, ...payload: PayloadArgs<M[K]>): boolean;
  /** See {@link ActorSystem.ask}. */
  ask<K extends AskNames<M>>(name: K, ...args: AskArgs<M[K]>): Promise<AnswerOf<M[K]>>;
  equals(other: Ref<any>): boolean;
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
  cancel(timer: string): void;
}

/** What an actor's code sees of the runtime. */
export interface Context<M extends Messages, E> {
  readonly id: ActorId;
  readonly self: Ref<M>;
  /** `env` of the system, shared by all its actors. */
  readonly env: E;
  readonly system: ActorSystem;
  readonly timers: Timers<M>;
  /** Once the mailbox is empty: `save`, then leave memory. Ignored while `busy` says so. */
  passivate(): void;
  /** After this message: leave memory without `save`; what waits becomes dead letters. */
  stop(): void;
}
