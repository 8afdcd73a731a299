import type { Activation } from './activation.ts';
import { extrasOf, type Held } from './extras.ts';
import { handlerFailed, keptAfterFailure } from './failure.ts';
import { endTurn, isThenable } from './lifecycle.ts';
import { Status } from './status.ts';

/**
 * Saves after a message, then answers it. Returns true when that is done; false when it takes time,
 * or failed: then the turn is over.
 */
export function writeThrough(activation: Activation, held: Held, result: unknown): boolean {
  const failed = (error: unknown): void => handlerFailed(activation, held, error, 'save');
  const done = write(activation, () => held.ask?.answer(result), failed);
  if (done === 'later') extrasOf(activation).held = held;
  return done !== 'later' && activation.status === Status.running;
}

/** Saves an activation whose time has come, in a turn of its own. */
export function writeBehind(activation: Activation): void {
  const extras = extrasOf(activation);
  extras.saveDue = false;
  extras.dirty = false;
  const failed = (error: unknown): void => {
    keptAfterFailure(activation, 'save', error);
    changed(activation);
  };
  if (write(activation, () => {}, failed) !== 'later') endTurn(activation);
}

/** Calls `save` while the activation stays. Goes on with its next turn by itself if that takes time. */
function write(activation: Activation, saved: () => void, failed: (error: unknown) => void): 'now' | 'later' {
  const { host, life } = activation;
  activation.status = Status.writing;
  let result: unknown;
  try {
    result = host.kind.save?.(activation.state, activation.context);
  } catch (error) {
    activation.status = Status.running;
    failed(error);
    return 'now';
  }
  if (!isThenable(result)) {
    activation.status = Status.running;
    saved();
    return 'now';
  }
  const goOn = (act: () => void): void => {
    if (activation.life !== life) return; // stopped, or began anew
    activation.status = Status.running;
    if (activation.extras !== undefined) activation.extras.held = undefined;
    act();
    if (activation.life !== life) return;
    host.runtime.scheduler.look();
    endTurn(activation);
  };
  void Promise.resolve(result).then(
    () => goOn(saved),
    (error: unknown) => goOn(() => failed(error)),
  );
  return 'later';
}

/** A message may have changed the state of an activation whose kind saves behind. */
export function changed(activation: Activation): void {
  const extras = extrasOf(activation);
  if (extras.dirty) return;
  extras.dirty = true;
  activation.host.unsaved.append(activation);
}
