import type { Activation } from './activation.ts';
import { callHost } from './errors.ts';
import { keptAfterFailure, loadFailed } from './failure.ts';
import { releaseMailbox, remove, stop } from './leave.ts';
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
  const { host } = activation;
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
      if (activation.status !== Status.loading) return; // stop() did not wait for it
      loaded(activation, state);
      host.runtime.scheduler.look();
      endTurn(activation);
    },
    (error: unknown) => {
      if (activation.status === Status.loading) loadFailed(activation, error);
    },
  );
  return false;
}

function loaded(activation: Activation, state: unknown): void {
  activation.state = state;
  activation.status = Status.running;
  callHost(activation.host.runtime.hooks.activated, activation.host.kind.name, activation.id);
}

/** Decides what an activation that has just run, or loaded, does next. */
export function endTurn(activation: Activation): void {
  const { host, mailbox } = activation;
  // An afterDrain has to follow also when this turn ended outside a drain, after an await.
  host.runtime.scheduler.wake();
  if (activation.wish === Wish.stop) {
    stop(activation);
  } else if (mailbox !== undefined && mailbox.count > 0) {
    host.makeReady(activation);
  } else if (host.runtime.phase === 'stopping') {
    passivate(activation);
  } else if (activation.wish === Wish.passivate && !isBusy(activation)) {
    passivate(activation);
  } else {
    becomeIdle(activation);
  }
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
  activation.host.idle.append(activation);
}

/** Saves an activation that has no messages, and takes it out of memory after that. */
export function passivate(activation: Activation): void {
  const { save } = activation.host.kind;
  releaseMailbox(activation);
  activation.wish = Wish.none;
  activation.status = Status.saving;
  let result: unknown;
  try {
    result = save?.(activation.state, activation.context);
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
      if (activation.status === Status.saving) saved(activation);
    },
    (error: unknown) => {
      if (activation.status === Status.saving) saveFailed(activation, error);
    },
  );
}

function saved(activation: Activation): void {
  const { host } = activation;
  const { runtime } = host;
  runtime.scheduler.wake();
  if (activation.mailbox !== undefined) {
    // A message came during the save: it is handled by a state that is loaded after it.
    activation.timers?.cancelAll();
    activation.state = undefined;
    activation.status = Status.fresh;
    runtime.scheduler.push(activation);
    return;
  }
  remove(activation);
  callHost(runtime.hooks.passivated, host.kind.name, activation.id);
  runtime.onGone();
}

/** The state is the only copy of what was not saved: it stays, to be saved after another idle period. */
function saveFailed(activation: Activation, error: unknown): void {
  keptAfterFailure(activation, 'save', error);
  if (activation.host.runtime.phase !== 'running') {
    stop(activation);
    return;
  }
  activation.status = Status.running;
  activation.host.runtime.scheduler.look();
  endTurn(activation);
}
