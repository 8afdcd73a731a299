import type { Activation } from './activation.ts';
import { messageOf, nodeOf } from './mailbox.ts';
import { Status, Wish } from './status.ts';

/** Gives an empty mailbox back. */
export function releaseMailbox(activation: Activation): void {
  if (activation.mailbox === undefined) return;
  activation.host.runtime.mailboxes.give(activation.mailbox);
  activation.mailbox = undefined;
}

/** Cancels what would call the activation later. */
export function cancelTimers(activation: Activation): void {
  activation.timers?.cancelAll();
  if (activation.restarts?.timer === undefined) return;
  activation.host.runtime.clock.clearTimeout(activation.restarts.timer);
  activation.restarts.timer = undefined;
}

/** Takes an activation out of memory. The next message to its id makes another one. */
export function remove(activation: Activation): void {
  const { host } = activation;
  cancelTimers(activation);
  if (activation.status === Status.idle) host.idle.remove(activation);
  activation.status = Status.gone;
  activation.wish = Wish.none;
  activation.state = undefined;
  host.residents.delete(activation.id);
}

/** Stops an activation at once, without `save`: what waits in its mailbox becomes dead letters. */
export function stop(activation: Activation): void {
  const { host, id, mailbox } = activation;
  // Removed first: a listener of dead letters may tell the same id, which then is a new activation.
  remove(activation);
  while (mailbox !== undefined && mailbox.count > 0) {
    const { head, payload, ask } = mailbox;
    mailbox.shift();
    host.deadLetter('stopped', id, messageOf(head), payload, nodeOf(head));
    ask?.refuse('stopped');
  }
  releaseMailbox(activation);
  host.runtime.onGone();
}
