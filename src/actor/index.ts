/** The actor runtime, `encke/actor`. Public names are listed here by hand. */
export { type Clock, systemClock } from './clock.ts';
export type { DeadLetter, DeadLetterReason } from './dead-letters.ts';
export { AskFailed, AskRefused, AskTimeout, type RefusedReason } from './errors.ts';
export {
  ask,
  env,
  type Handler,
  type Kind,
  kind,
  type KindOptions,
  type Overflow,
  type Strategy,
  type Supervise,
  superviseDefaults,
  tell,
} from './kind.ts';
export { actorLimits } from './limits.ts';
export type { LinkPort, PeerListener } from './link.ts';
export type { SystemOptions } from './options.ts';
export type { LinkLimits } from './outbox.ts';
export type { Place } from './router.ts';
export type { Hooks } from './runtime.ts';
export { type ActorFailure, type FailureAction, type FailurePhase, reportFailure } from './supervise.ts';
export { ActorSystem } from './system.ts';
export type {
  ActorId,
  AnswerOf,
  AskArgs,
  AskNames,
  AskOptions,
  AskType,
  Context,
  EnvType,
  Messages,
  PayloadArgs,
  PayloadOf,
  Ref,
  TellNames,
  TellType,
  Timers,
} from './types.ts';
