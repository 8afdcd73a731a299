import type { Activation } from './activation.ts';
import { setBackgroundTimeout } from './clock.ts';
import { extrasOf, type Held } from './extras.ts';
import { handlerFailed, keptAfterFailure } from './failure.ts';
import type { Host } from './host.ts';
import { endTurn, isThenable } from './lifecycle.ts';
import { actorLimits } from './limits.ts';
import { Status } from './status.ts';

/** Whether there is something that `save` has to see before the activation leaves memory. */
export function needsSave({ host, extras }: Activation): boolean {
  return host.kind.save !== undefined && (host.kind.saves === 'leaving' || extras?.dirty === true);
}

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

/** Saves an activation whose time has come, at the end of its turn. */
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
function write(
  activation: Activation,
  saved: () => void,
  failed: (error: unknown) => void,
): 'now' | 'later' {
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

/** The changed activations of one kind that saves behind, the longest changed first; one timer a kind. */
export class Unsaved {
  readonly #host: Host;
  #waiting: { readonly activation: Activation; readonly dueMs: number }[] = [];
  #first = 0;
  #timer: unknown = undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  append(activation: Activation): void {
    const { clock } = this.#host.runtime;
    this.#waiting.push({ activation, dueMs: clock.now() + this.#host.kind.saveBehindMs });
    if (this.#timer === undefined) this.#arm();
  }

  /** No timer any more. */
  stop(): void {
    this.#host.runtime.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
    this.#first = 0;
  }

  #arm(): void {
    const first = this.#waiting[this.#first];
    const { clock, phase } = this.#host.runtime;
    if (first === undefined || phase !== 'running') return;
    this.#timer = setBackgroundTimeout(clock, this.#sweep, Math.max(1, first.dueMs - clock.now()));
  }

  readonly #sweep = (): void => {
    const now = this.#host.runtime.clock.now();
    let steps: number = actorLimits.sweepStepMax;
    for (
      let next = this.#waiting[this.#first];
      next !== undefined && next.dueMs <= now && steps-- > 0;
      next = this.#waiting[this.#first]
    ) {
      this.#first++;
      const { extras } = next.activation;
      if (extras?.dirty !== true) continue;
      extras.saveDue = true;
      this.#host.ready(next.activation);
    }
    if (this.#first * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    this.#timer = undefined;
    this.#arm();
  };
}
