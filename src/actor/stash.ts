import type { Activation } from './activation.ts';
import { extrasOf, type Held } from './extras.ts';
import { handledBy } from './turn-state.ts';

/** `ctx.stash()`: notes that the present message is to be put aside, if there is room. */
export function stash(activation: Activation): boolean {
  const held = handledBy(activation);
  if (held === undefined) return false;
  const count = activation.extras?.stash?.count ?? 0;
  if (!held.stashed && count >= activation.host.kind.stashMax) return false;
  held.stashed = true;
  return true;
}

/** The handler of a message that it wants to have put aside is done. */
export function putAside(activation: Activation, { head, payload, ask }: Held): void {
  const extras = extrasOf(activation);
  extras.stash ??= activation.host.runtime.mailboxes.take();
  extras.stash.push(head, payload, ask);
}

/** Puts all stashed messages in front of the mailbox, the first one first. */
export function unstash(activation: Activation): void {
  const { host, extras } = activation;
  const stashed = extras?.stash;
  if (extras === undefined || stashed === undefined || stashed.count === 0) return;
  activation.prepend(stashed);
  host.runtime.mailboxes.give(stashed);
  extras.stash = undefined;
  host.ready(activation);
}
