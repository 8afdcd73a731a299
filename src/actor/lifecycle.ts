import type { Activation } from './activation.ts';
import { callHost } from './errors.ts';
import { keptAfterFailure, loadFailed } from './failure.ts';
import { beginAnew, releaseMailbox, remove, stop } from './leave.ts';
import { Status, Wish } from './status.ts';

/** The value of a hook that may be asynchronous, without making a promise where it is not. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * Makes the state of a fresh activation. Returns true when it has it now; false when that takes
 * time, or failed: then the activation becomes ready again by itself, or is gone.
 */
export function load(activation: Activation): boolean {
  const { host, life } = activation;
  host.idle.makeRoom();
  activation.status = Status.loading;
  let result: unknown;
  try {
    result = host.kind.load(activation.context);
  } catch (error) {
    loadFailed(activation, error);
    return false;
  }
  if (!isThenable(result)) {
    loaded(activation, result);
    return true;
  }
  void Promise.resolve(result).then(
    (state) => {
      if (activation.life !== life) return; // It was stopped, or began anew.
      loaded(activation, state);
      host.runtime.scheduler.look();
      endTurn(activation);
    },
    (error: unknown) => {
      if (activation.life === life) loadFailed(activation, error);
    },
  );
  return false;
}

function loaded(activation: Activation, state: unknown): void {
  activation.state = state;
  activation.status = Status.running;
  if (activation.extras !== undefined) activation.extras.openAsks = undefined;
  callHost(activation.host.runtime.hooks.activated, activation.host.kind.name, activation.id);
}

/** Decides what an activation that has just run, or loaded, does next. */
export function endTurn(activation: Activation): void {
  const { host, waiting, extras } = activation;
  // An afterDrain has to follow also when this turn ended outside a drain, after an await.
  host.runtime.scheduler.wake();
  if (host.rooms.waiting > 0) host.rooms.check(activation);
  if (activation.wish === Wish.stop) {
    stop(activation);
  } else if (waiting > 0 || extras?.saveDue === true) {
    host.makeReady(activation);
  } else if (mayLeave(activation)) {
    passivate(activation);
  } else {
    becomeIdle(activation);
  }
}

/** Whether an activation without messages goes now: it wants to, or its system stops. */
function mayLeave(activation: Activation): boolean {
  const { host, extras, wish } = activation;
  if (host.runtime.phase === 'stopping') return (extras?.children?.size ?? 0) === 0;
  return wish === Wish.passivate && (extras?.stash?.count ?? 0) === 0 && !isBusy(activation);
}

/** Whether the kind's `busy` keeps the activation in memory. One that throws does, too. */
export function isBusy(activation: Activation): boolean {
  const { busy } = activation.host.kind;
  if (busy === undefined) return false;
  try {
    return busy(activation.state);
  } catch (error) {
    keptAfterFailure(activation, 'busy', error);
    return true;
  }
}

function becomeIdle(activation: Activation): void {
  releaseMailbox(activation);
  activation.wish = Wish.none;
  activation.status = Status.idle;
  if (activation.extras?.blank === true) activation.extras = undefined;
  activation.host.idle.append(activation);
}

/** Whether there is something that `save` has to see before the activation leaves memory. */
export function needsSave({ host, extras }: Activation): boolean {
  return host.kind.save !== undefined && (host.kind.saves === 'leaving' || extras?.dirty === true);
}

/** Saves an activation that has no messages, and takes it out of memory after that. */
export function passivate(activation: Activation): void {
  const { host, life } = activation;
  releaseMailbox(activation);
  activation.wish = Wish.none;
  activation.status = Status.saving;
  let result: unknown;
  try {
    if (needsSave(activation)) result = host.kind.save?.(activation.state, activation.context);
  } catch (error) {
    saveFailed(activation, error);
    return;
  }
  if (!isThenable(result)) {
    saved(activation);
    return;
  }
  void Promise.resolve(result).then(
    () => {
      if (activation.life === life) saved(activation);
    },
    (error: unknown) => {
      if (activation.life === life) saveFailed(activation, error);
    },
  );
}

function saved(activation: Activation): void {
  const { host } = activation;
  const { runtime } = host;
  runtime.scheduler.wake();
  if (activation.waiting > 0) {
    // A message came during the save: it is handled by a state that is loaded after it.
    beginAnew(activation, Status.fresh);
    return;
  }
  if (host.kind.spawned || activation.extras?.stash !== undefined) {
    stop(activation); // Nobody can bring a spawned one back: for it, leaving memory is the end.
  } else {
    remove(activation);
    runtime.onGone();
  }
  callHost(runtime.hooks.passivated, host.kind.name, activation.id);
}

/** The state is the only copy of what was not saved: it stays, to be saved after another idle period. */
function saveFailed(activation: Activation, error: unknown): void {
  keptAfterFailure(activation, 'save', error);
  if (activation.host.runtime.phase !== 'running') {
    stop(activation, 'failed');
    return;
  }
  activation.status = Status.running;
  activation.host.runtime.scheduler.look();
  endTurn(activation);
}
