/** The actor runtime, `encke/actor`. Public names are listed here by hand. */
export { type Clock, systemClock } from './clock.ts';
export type { DeadLetter, DeadLetterReason } from './dead-letters.ts';
export type { Duration } from './duration.ts';
export { explore, type ExploreOptions } from './explore.ts';
export type { Handled, Hooks } from './hooks.ts';
export { AskFailed, AskRefused, AskTimeout, type RefusedReason } from './errors.ts';
export {
  args,
  ask,
  env,
  type Handler,
  type Kind,
  kind,
  type KindOptions,
  type Overflow,
  type Saves,
  type Strategy,
  type Supervise,
  superviseDefaults,
  tell,
} from './kind.ts';
export { actorLimits } from './limits.ts';
export type { LinkPort, PeerListener } from './link.ts';
export type { SystemOptions } from './options.ts';
export type { LinkLimits } from './outbox.ts';
export type { Setup, SetupInfo } from './modules.ts';
export { placeById, type ThreadPlace } from './place.ts';
export { SeededRandom } from './random.ts';
export type { Place } from './router.ts';
export type { Schedule } from './schedule.ts';
export type { Faults } from './sim-network.ts';
export { simulate, type SimOptions, Simulation } from './simulate.ts';
export { type StartOptions, System } from './start.ts';
export { type ActorFailure, type FailureAction, type FailurePhase, reportFailure } from './supervise.ts';
export { ActorSystem, type SystemStats } from './system.ts';
export type { ThreadEvent } from './threads.ts';
export type {
  ActorId,
  Address,
  AnswerOf,
  ArgsType,
  AskArgs,
  AskNames,
  AskOptions,
  AskType,
  Context,
  Ended,
  EndedNames,
  EndReason,
  EnvType,
  Messages,
  PayloadArgs,
  PayloadOf,
  Ref,
  RoomOptions,
  SpawnArgs,
  TellNames,
  TellType,
  Timers,
  Unspawned,
} from './types.ts';
