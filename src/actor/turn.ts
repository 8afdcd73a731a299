import type { Activation } from './activation.ts';
import type { AskToken } from './asks.ts';
import { handlerFailed } from './failure.ts';
import { endTurn, isThenable, load } from './lifecycle.ts';
import { actorLimits } from './limits.ts';
import { type Mailbox, messageOf, nodeOf } from './mailbox.ts';
import { Status, Wish } from './status.ts';

/**
 * Runs one turn of an activation from the ready queue: `load` if it is fresh, then at most
 * `turnMessagesMax` messages. Returns how many messages it took.
 *
 * The rule against interleaving is here: a handler that returns a promise ends the turn, and the
 * activation does not become ready before that promise settled.
 */
export function runTurn(activation: Activation): number {
  if (activation.status === Status.fresh) {
    if (!load(activation)) return 0;
  } else if (activation.status !== Status.ready) {
    return 0; // It was stopped while it stood in the queue.
  }
  activation.status = Status.running;
  const { mailbox } = activation;
  let taken = 0;
  if (mailbox !== undefined) {
    while (taken < actorLimits.turnMessagesMax && mailbox.count > 0 && activation.wish !== Wish.stop) {
      taken++;
      if (!runMessage(activation, mailbox)) return taken;
    }
  }
  endTurn(activation);
  return taken;
}

/** Handles the first message. Returns false when the turn is over: suspended, or failed for good. */
function runMessage(activation: Activation, mailbox: Mailbox): boolean {
  const { host } = activation;
  const { head, payload, ask } = mailbox;
  mailbox.shift();
  if (ask !== undefined && (ask.settled || ask.deadline <= host.runtime.clock.now())) {
    host.deadLetter('expired', activation.id, messageOf(head), payload, nodeOf(head));
    return true;
  }
  let result: unknown;
  try {
    result = host.handlers[messageOf(head)]?.(activation.state, payload, activation.context);
  } catch (error) {
    handlerFailed(activation, head, payload, ask, error);
    return activation.status === Status.running;
  }
  if (isThenable(result)) {
    suspend(activation, result, head, payload, ask);
    return false;
  }
  ask?.answer(result);
  return true;
}

function suspend(
  activation: Activation,
  result: PromiseLike<unknown>,
  head: number,
  payload: unknown,
  ask: AskToken | undefined,
): void {
  activation.status = Status.suspended;
  const resume = (): void => {
    if (activation.status !== Status.running) return;
    activation.host.runtime.scheduler.look();
    endTurn(activation);
  };
  void Promise.resolve(result).then(
    (value) => {
      if (activation.status !== Status.suspended) return; // stop() did not wait for it
      activation.status = Status.running;
      ask?.answer(value);
      resume();
    },
    (error: unknown) => {
      if (activation.status !== Status.suspended) return;
      activation.status = Status.running;
      handlerFailed(activation, head, payload, ask, error);
      resume();
    },
  );
}
