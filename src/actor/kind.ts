import { actorLimits } from './limits.ts';
import type {
  AnswerOf,
  ArgsType,
  AskType,
  Context,
  EnvType,
  Messages,
  PayloadOf,
  TellType,
  Unspawned,
} from './types.ts';

/** Declares a message without an answer. */
export const tell = <In = void>(): TellType<In> => ({ type: 'tell' });

/** Declares a message with an answer. */
export const ask = <In = void, Out = void>(): AskType<In, Out> => ({ type: 'ask' });

/** Declares the type of `ctx.env`. */
export const env = <E>(): EnvType<E> => ({});

/** Declares that a kind is spawned, and what with (`ctx.args`). Its actors have no ids of their own. */
export const args = <A = void>(): ArgsType<A> => ({ type: 'args' });

/**
 * What happens to a message that finds the mailbox full:
 * - `reject`: the sender is told false, or AskRefused; a dead letter `mailbox_full`;
 * - `drop-newest`: the sender is told true, and the message becomes a dead letter `dropped`;
 * - `drop-oldest`: it is taken, and the oldest waiting message becomes a dead letter `dropped`.
 *
 * A dropped ask is refused with `mailbox_full` in either case.
 */
export type Overflow = 'reject' | 'drop-newest' | 'drop-oldest';

/**
 * What happens after a handler threw or rejected. In all cases its message is a dead letter `failed`.
 * - `restart`: the state is dropped and loaded again after a back-off; the mailbox is kept, the stash
 *   goes back to its front; children, timers and watches end;
 * - `resume`: the state is kept, the next message is handled;
 * - `stop`: the actor leaves memory without `save`, its mailbox becomes dead letters;
 * - `escalate`: as stop, and its parent fails in its stead. Without a parent the failure is fatal: by
 *   default it is thrown in the thread.
 *
 * A `load` that fails leaves no state to resume, so `resume` then means `restart`.
 */
export type Strategy = 'restart' | 'resume' | 'stop' | 'escalate';

/** How failures of a kind's actors are handled. Defaults in {@link superviseDefaults}. */
export interface Supervise {
  /** Default: `restart`. */
  readonly strategy: Strategy;
  /** Restarts of one actor within `withinMs`. One more, and it stops. */
  readonly restartsMax: number;
  /** The window in which restarts count against the budget. */
  readonly withinMs: number;
  /** The first back-off; each further one within `withinMs` is twice as long, up to the last. */
  readonly backoffMsMin: number;
  /** The longest back-off. */
  readonly backoffMsMax: number;
  /** 0.2 spreads a back-off over 80 % to 120 % of its length. */
  readonly jitter: number;
}

/** How failures are handled where a kind does not say: restart, up to 5 times within 10 s. */
export const superviseDefaults: Supervise = {
  strategy: 'restart',
  restartsMax: 5,
  withinMs: 10_000,
  backoffMsMin: 100,
  backoffMsMax: 5_000,
  jitter: 0.2,
};

/**
 * When `save` is called, besides before an actor leaves memory:
 * - `leaving`: then only;
 * - `through`: after each message, before its ask is answered and the next message is handled. A save
 *   that fails is a failure of the message: its ask fails, supervision follows;
 * - `behind`: within `saveBehindMs` after a message. A save that fails is tried again.
 *
 * No message is handled while a save is under way.
 */
export type Saves = 'leaving' | 'through' | 'behind';

/** A handler: a tell's result is ignored, an ask's is the answer. A promise suspends the actor. */
export type Handler<S, T, M extends Messages, E, A = any> = (
  state: S,
  message: PayloadOf<T>,
  ctx: Context<M, E, A>,
) => T extends AskType<any, any> ? AnswerOf<T> | Promise<AnswerOf<T>> : void | Promise<void>;

/** What {@link kind} takes. Write `load` before the members that use the state: it infers it. */
export interface KindOptions<M extends Messages, E, S, A = Unspawned> {
  /** Names the kind in refs, frames and dead letters: one of a system's kinds has it. */
  readonly name: string;
  /** The type of `ctx.env`: `env<…>()`. */
  readonly env?: EnvType<E>;
  /** Makes it a kind that is spawned: `args<…>()`. Without it, its actors are told by id. */
  readonly args?: ArgsType<A>;
  /** By name: `tell<In>()` or `ask<In, Out>()`, at most `messageNamesMax`. */
  readonly messages: M;
  /** Messages that wait for one actor, default 1,024, and what happens to one more, default `reject`. */
  readonly mailbox?: { readonly capacity?: number; readonly overflow?: Overflow };
  /** Messages that `ctx.stash()` keeps for one actor. Default 256. */
  readonly stashMax?: number;
  /** Time without a message after which an actor leaves memory. Default: never. */
  readonly passivateAfterMs?: number;
  /** Actors in memory; over it, the longest idle ones leave. Default: no bound. */
  readonly residentsMax?: number;
  /** Default: {@link superviseDefaults}. */
  readonly supervise?: Partial<Supervise>;
  /** Makes the state when an actor is activated, before its first message. */
  readonly load: (ctx: Context<M, E, A>) => S | Promise<S>;
  /** Default: `leaving`. */
  readonly saves?: Saves;
  /** Longest time that a change waits for its `save` when `saves` is `behind`. Default 1,000. */
  readonly saveBehindMs?: number;
  /** Messages that leave the state as it is: with `through` and `behind`, nothing is saved for them. */
  readonly reads?: readonly (keyof M & string)[];
  /** Called before an actor leaves memory idle, at `system.stop()`, and when `saves` says so. */
  readonly save?: (state: S, ctx: Context<M, E, A>) => void | Promise<void>;
  /** True keeps an idle actor in memory. `system.stop()` does not ask. */
  readonly busy?: (state: S) => boolean;
  /** A handler for each message. */
  readonly on: { readonly [K in keyof M]: Handler<S, M[K], M, E, A> };
}

/**
 * A kind of actor: what {@link kind} makes. `M`, `E`, `S`, `A`: messages, env, state, args. Its members
 * are those of {@link KindOptions}, the defaults filled in.
 */
export interface Kind<M extends Messages = any, E = any, S = any, A = any> {
  readonly name: string;
  /** Its actors are spawned: they have no ids that one could tell before. */
  readonly spawned: boolean;
  readonly messages: M;
  readonly mailbox: { readonly capacity: number; readonly overflow: Overflow };
  readonly stashMax: number;
  readonly passivateAfterMs: number | undefined;
  readonly residentsMax: number | undefined;
  readonly supervise: Supervise;
  readonly saves: Saves;
  readonly saveBehindMs: number;
  readonly reads: readonly string[];
  readonly load: (ctx: Context<M, E, A>) => S | Promise<S>;
  readonly save: ((state: S, ctx: Context<M, E, A>) => void | Promise<void>) | undefined;
  readonly busy: ((state: S) => boolean) | undefined;
  readonly on: { readonly [K in keyof M]: Handler<S, M[K], M, E, A> };
}

/**
 * Describes a kind of actor. The result is a plain value that any number of systems can share.
 *
 * @throws RangeError when a limit or a name is out of range.
 */
export function kind<const M extends Messages, S, E = unknown, A = Unspawned>(
  options: KindOptions<M, E, S, A>,
): Kind<M, E, S, A> {
  const capacity = options.mailbox?.capacity ?? actorLimits.mailboxCapacity;
  const stashMax = options.stashMax ?? actorLimits.stashMax;
  const saveBehindMs = options.saveBehindMs ?? actorLimits.saveBehindMs;
  const saves = options.saves ?? 'leaving';
  const supervise = { ...superviseDefaults, ...options.supervise };
  const names = Object.keys(options.messages);
  const check = (ok: boolean, what: string): void => {
    if (!ok) throw new RangeError(`kind '${options.name}': ${what}`);
  };
  check(options.name.length > 0, 'a kind needs a name');
  check(names.length <= actorLimits.messageNamesMax, `at most ${actorLimits.messageNamesMax} messages`);
  check(Number.isInteger(capacity) && capacity > 0, 'mailbox.capacity must be a positive integer');
  check(Number.isInteger(stashMax) && stashMax > 0, 'stashMax must be a positive integer');
  check(saveBehindMs > 0, 'saveBehindMs must be positive');
  check(saves === 'leaving' || options.save !== undefined, `saves '${saves}' without a save`);
  check((options.passivateAfterMs ?? 1) > 0, 'passivateAfterMs must be positive');
  check((options.residentsMax ?? 1) > 0, 'residentsMax must be positive');
  check(supervise.restartsMax >= 0 && supervise.withinMs > 0, 'supervise: budget out of range');
  check(
    supervise.backoffMsMin >= 0 && supervise.backoffMsMax >= supervise.backoffMsMin,
    'supervise: back-off',
  );
  check(supervise.jitter >= 0 && supervise.jitter <= 1, 'supervise.jitter must be within 0..1');
  for (const name of options.reads ?? []) check(names.includes(name), `reads: no message '${name}'`);
  for (const name of names) check(typeof options.on[name] === 'function', `no handler for '${name}'`);
  return {
    name: options.name,
    spawned: options.args !== undefined,
    messages: options.messages,
    mailbox: { capacity, overflow: options.mailbox?.overflow ?? 'reject' },
    stashMax,
    passivateAfterMs: options.passivateAfterMs,
    residentsMax: options.residentsMax,
    supervise,
    saves,
    saveBehindMs,
    reads: options.reads ?? [],
    load: options.load,
    save: options.save,
    busy: options.busy,
    on: options.on,
  };
}
