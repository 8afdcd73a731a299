import { callHost } from './errors.ts';
import type { ActorId } from './types.ts';

/**
 * Why a message was not handled:
 * - `mailbox_full`: refused by the mailbox, or by the full queue of a connected link;
 * - `stopped`: the actor stopped, or its system is stopping;
 * - `failed`: its handler threw or rejected;
 * - `expired`: an ask whose asker waits no more;
 * - `unreachable`: its node was lost before it left, or is not there and the queue is full;
 * - `unknown_kind`, `unknown_message`: the node that should run it does not know the name;
 * - `cycle`: an ask that would have waited on itself;
 * - `dropped`: the overflow rule gave it up, or it could not be encoded for a link.
 */
export type DeadLetterReason =
  | 'mailbox_full'
  | 'stopped'
  | 'failed'
  | 'expired'
  | 'unreachable'
  | 'unknown_kind'
  | 'unknown_message'
  | 'cycle'
  | 'dropped';

/** A message that was not handled. */
export interface DeadLetter {
  readonly kind: string;
  readonly id: ActorId;
  readonly message: string;
  readonly payload: unknown;
  readonly reason: DeadLetterReason;
  /** The node that sent it: this one, or one that a link leads to. */
  readonly fromNode: number;
}

/** Counts dead letters by reason and hands them to the host. */
export class DeadLetters {
  readonly counts: Record<DeadLetterReason, number> = {
    mailbox_full: 0,
    stopped: 0,
    failed: 0,
    expired: 0,
    unreachable: 0,
    unknown_kind: 0,
    unknown_message: 0,
    cycle: 0,
    dropped: 0,
  };
  readonly #listener: ((letter: DeadLetter) => void) | undefined;

  constructor(listener: ((letter: DeadLetter) => void) | undefined) {
    this.#listener = listener;
  }

  publish(
    reason: DeadLetterReason,
    kind: string,
    id: ActorId,
    message: string,
    payload: unknown,
    fromNode: number,
  ): void {
    this.counts[reason]++;
    if (this.#listener === undefined) return;
    callHost(this.#listener, { kind, id, message, payload, reason, fromNode });
  }
}
