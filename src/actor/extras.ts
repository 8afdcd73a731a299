import type { Activation } from './activation.ts';
import type { AskToken, PendingAsk } from './asks.ts';
import type { Mailbox } from './mailbox.ts';
import type { Watch } from './watch.ts';

/** A message whose handler's promise is not settled. */
export interface Held {
  readonly head: number;
  readonly payload: unknown;
  readonly ask: AskToken | undefined;
  /** For hooks. */
  startedMs: number;
  span: unknown;
  /** Its handler called `ctx.stash()`. */
  stashed: boolean;
}

/** What only some activations have: relatives, watches, a stash, asks and saves under way. */
export class Extras {
  parent: Activation | undefined = undefined;
  children: Set<Activation> | undefined = undefined;
  args: unknown = undefined;
  /** By the watched actor's address, as one text. */
  watches: Map<string, Watch> | undefined = undefined;
  stash: Mailbox | undefined = undefined;
  /** Asks that the present handler made, and that are not answered. */
  openAsks: PendingAsk[] | undefined = undefined;
  held: Held | undefined = undefined;
  /** The state has changes that `save` has not seen, and stands in the host's list of those. */
  dirty = false;
  /** Its time has come: `save` before the next turn. */
  saveDue = false;

  /** Nothing would be lost without it. */
  get blank(): boolean {
    return (
      this.parent === undefined &&
      this.args === undefined &&
      !this.dirty &&
      !this.saveDue &&
      (this.children?.size ?? 0) + (this.watches?.size ?? 0) + (this.stash?.count ?? 0) === 0
    );
  }
}

export function extrasOf(activation: Activation): Extras {
  return (activation.extras ??= new Extras());
}

/** Whether the activation waits for something, so that it must not leave memory by itself. */
export function isHeld({ timers, extras }: Activation): boolean {
  if (timers?.armed === true) return true;
  if (extras === undefined) return false;
  const { children, watches, stash } = extras;
  return (children?.size ?? 0) + (watches?.size ?? 0) + (stash?.count ?? 0) > 0;
}
