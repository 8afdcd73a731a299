import type { Activation } from './activation.ts';
import { extrasOf, type Held } from './extras.ts';
import { handlerFailed } from './failure.ts';
import { began, ended } from './hooks.ts';
import { endTurn, isThenable, load } from './lifecycle.ts';
import { actorLimits } from './limits.ts';
import { messageOf, nodeOf } from './mailbox.ts';
import { changed, writeBehind, writeThrough } from './saves.ts';
import { putAside } from './stash.ts';
import { Status, Wish } from './status.ts';
import type { Turn } from './turn-state.ts';

const { turnLookFirstMessages, turnLookMessages } = actorLimits;

/**
 * Runs one turn of an activation from the ready queue: `load` if it is fresh, then at most
 * `messagesMax` messages, or about `turnMs`. Returns how many messages it took.
 *
 * The rule against interleaving is here: a handler that returns a promise ends the turn, and the
 * activation does not become ready before that promise settled.
 */
export function runTurn(activation: Activation, messagesMax: number): number {
  const { turn } = activation.host.runtime;
  turn.activation = activation;
  const taken = takeTurn(activation, turn, messagesMax);
  turn.clear();
  return taken;
}

function takeTurn(activation: Activation, turn: Turn, messagesMax: number): number {
  if (activation.status === Status.fresh) {
    if (!load(activation)) return 0;
  } else if (activation.status !== Status.ready) {
    return 0; // It was stopped while it stood in the queue.
  }
  activation.status = Status.running;
  let taken = 0;
  if (activation.extras?.saveDue === true) {
    writeBehind(activation);
    return 0;
  }
  while (taken < messagesMax && activation.waiting > 0 && activation.wish !== Wish.stop) {
    taken++;
    if (!runMessage(activation, turn)) return taken;
    if (taken !== turnLookFirstMessages && taken % turnLookMessages !== 0) continue;
    const ahead = taken === turnLookFirstMessages ? turnLookMessages / turnLookFirstMessages : 1;
    if (activation.host.runtime.scheduler.turnIsLong(ahead)) {
      endTurn(activation);
      return actorLimits.clockCheckMessages; // so that the drain looks at the clock as well
    }
  }
  endTurn(activation);
  return taken;
}

/** Handles the first message. Returns false when the turn is over: suspended, or failed for good. */
function runMessage(activation: Activation, turn: Turn): boolean {
  const { host } = activation;
  const { head, payload, ask } = activation;
  activation.shift();
  if (ask !== undefined && (ask.settled || ask.deadline <= host.runtime.clock.now())) {
    host.deadLetter('expired', activation.id, messageOf(head), payload, nodeOf(head));
    return true;
  }
  turn.head = head;
  turn.payload = payload;
  turn.ask = ask;
  if (host.hooked) began(activation, turn, activation.waiting);
  let result: unknown;
  try {
    result = host.handlers[messageOf(head)]?.(activation.state, payload, activation.context);
  } catch (error) {
    turn.stashed = false;
    if (host.hooked) ended(activation, turn, error);
    handlerFailed(activation, turn, error);
    return activation.status === Status.running;
  }
  if (isThenable(result)) {
    suspend(activation, result, turn.copy());
    return false;
  }
  if (turn.stashed || !host.plain) return settle(activation, turn.copy(), result);
  if (activation.extras !== undefined) activation.extras.openAsks = undefined;
  ask?.answer(result);
  return true;
}

/** A handler is done, and there is more to do than to answer. False when the turn is over. */
function settle(activation: Activation, held: Held, result: unknown): boolean {
  const { host, extras } = activation;
  if (extras !== undefined) extras.openAsks = undefined;
  if (host.hooked) ended(activation, held, undefined);
  if (held.stashed) {
    putAside(activation, held);
    return true;
  }
  if (host.kind.saves !== 'leaving' && host.writes[messageOf(held.head)] === true) {
    if (host.kind.saves === 'through') return writeThrough(activation, held, result);
    changed(activation);
  }
  held.ask?.answer(result);
  return true;
}

function suspend(activation: Activation, result: PromiseLike<unknown>, held: Held): void {
  const { life } = activation;
  activation.status = Status.suspended;
  extrasOf(activation).held = held;
  // False if it was stopped or began anew in the meantime: then nobody waits for the handler.
  const goesOn = (): boolean => {
    if (activation.life !== life) return false;
    activation.status = Status.running;
    if (activation.extras !== undefined) activation.extras.held = undefined;
    return true;
  };
  const resume = (): void => {
    if (activation.status !== Status.running) return;
    activation.host.runtime.scheduler.look();
    endTurn(activation);
  };
  void Promise.resolve(result).then(
    (value) => {
      if (!goesOn()) return;
      if (settle(activation, held, value)) resume();
    },
    (error: unknown) => {
      if (!goesOn()) return;
      if (activation.host.hooked) ended(activation, held, error);
      handlerFailed(activation, held, error);
      resume();
    },
  );
}
