import { ActorContext } from './context.ts';
import type { Extras } from './extras.ts';
import type { Host } from './host.ts';
import type { Mailbox } from './mailbox.ts';
import { Status, Wish } from './status.ts';
import type { Restarts } from './supervise.ts';
import type { ActorTimers } from './timers.ts';
import type { ActorId } from './types.ts';

/**
 * One actor in memory. Small, since there may be 200,000: what only some need (mailbox, timers,
 * restarts, extras) is made when needed. The logic is in turn.ts and lifecycle.ts.
 */
export class Activation {
  readonly host: Host;
  readonly id: ActorId;
  status: Status = Status.fresh;
  wish: Wish = Wish.none;
  state: unknown = undefined;
  mailbox: Mailbox | undefined = undefined;
  timers: ActorTimers | undefined = undefined;
  restarts: Restarts | undefined = undefined;
  extras: Extras | undefined = undefined;
  /** Counts how often it began anew: a promise of an earlier life means nothing any more. */
  life = 0;
  readonly context: ActorContext;
  /** Neighbours in the host's list of idle activations, and since when it stands there. */
  older: Activation | undefined = undefined;
  newer: Activation | undefined = undefined;
  idleSinceMs = 0;

  constructor(host: Host, id: ActorId) {
    this.host = host;
    this.id = id;
    this.context = new ActorContext(this);
  }
}
