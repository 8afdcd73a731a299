import type { Activation } from './activation.ts';
import { type Mailbox, messageOf, nodeOf } from './mailbox.ts';
import { unstash } from './stash.ts';
import { Status, Wish } from './status.ts';
import type { EndReason } from './types.ts';

/** Gives the ring of an empty mailbox back. */
export function releaseMailbox(activation: Activation): void {
  if (activation.more === undefined) return;
  activation.host.runtime.mailboxes.give(activation.more);
  activation.more = undefined;
}

/** Cancels what would call the activation later. */
function cancelTimers(activation: Activation): void {
  activation.timers?.cancelAll();
  if (activation.restarts?.timer === undefined) return;
  activation.host.runtime.clock.clearTimeout(activation.restarts.timer);
  activation.restarts.timer = undefined;
}

/** Drops a state and all that came with it: timers, watches, children, promises. Keeps the mailbox. */
function letGo(activation: Activation): void {
  const { extras } = activation;
  activation.life++;
  activation.state = undefined;
  cancelTimers(activation);
  if (extras === undefined) return;
  extras.openAsks = undefined;
  extras.held = undefined;
  extras.dirty = false;
  extras.saveDue = false;
  if (extras.watches !== undefined) for (const watch of extras.watches.values()) watch.cancel();
  extras.watches = undefined;
  const { children } = extras;
  extras.children = undefined;
  if (children !== undefined) for (const child of children) stop(child);
}

/** Begins anew with what waits in the mailbox: `load` comes next, at once or after a back-off. */
export function beginAnew(activation: Activation, status: typeof Status.fresh | typeof Status.backoff): void {
  const { host } = activation;
  if (activation.status === Status.idle) host.idle.remove(activation);
  activation.status = status;
  letGo(activation);
  unstash(activation);
  if (status === Status.fresh) host.runtime.scheduler.push(activation);
}

/** Takes an activation out of memory. The next message to its id makes another one. */
export function remove(activation: Activation): void {
  const { host, extras } = activation;
  if (activation.status === Status.idle) host.idle.remove(activation);
  activation.status = Status.gone;
  activation.wish = Wish.none;
  host.residents.delete(activation);
  letGo(activation);
  host.rooms.gone(activation);
  const parent = extras?.parent;
  parent?.extras?.children?.delete(activation);
  if (parent !== undefined && host.runtime.phase === 'stopping') parent.host.ready(parent);
}

/**
 * Stops an activation at once, without `save`: what waits in its mailbox becomes dead letters, its
 * children stop, who watches it is told.
 */
export function stop(activation: Activation, reason: EndReason = 'stopped'): void {
  if (activation.status === Status.gone) return;
  const { host, extras } = activation;
  const held = extras?.held;
  // Removed first: a listener of dead letters may tell the same id, which then is a new activation.
  remove(activation);
  held?.ask?.refuse('stopped');
  for (; activation.waiting > 0; activation.shift()) discard(activation, activation);
  const stash = extras?.stash;
  for (; stash !== undefined && stash.count > 0; stash.shift()) discard(activation, stash);
  releaseMailbox(activation);
  host.ended(activation.id, reason);
  host.runtime.onGone();
}

function discard({ host, id }: Activation, { head, payload, ask }: Activation | Mailbox): void {
  host.deadLetter('stopped', id, messageOf(head), payload, nodeOf(head));
  ask?.refuse('stopped');
}
