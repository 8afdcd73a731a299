import type { ActorId } from './types.ts';

const address = (kind: string, id: ActorId, message: string): string => `${kind}/${id} '${message}'`;

/** No answer came in time. The message is not run if it still waits when its turn comes. */
export class AskTimeout extends Error {
  override readonly name = 'AskTimeout';
  readonly timeoutMs: number;
  constructor(kind: string, id: ActorId, message: string, timeoutMs: number) {
    super(`no answer from ${address(kind, id, message)} within ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/**
 * Why an ask was not run:
 * - `mailbox_full`: the mailbox, the link to its node, or this system's table of asks is full;
 * - `stopped`: the actor or its system stopped first;
 * - `unreachable`: its node was lost, or has not been connected for so long that the queue is full;
 * - `unknown_kind`, `unknown_message`: the node that should run it does not know the name;
 * - `cycle`: the actor asked waits, perhaps through others, for the one that asks; or `askDepthMax`
 *   asks wait in a row already.
 */
export type RefusedReason =
  | 'mailbox_full'
  | 'stopped'
  | 'unreachable'
  | 'unknown_kind'
  | 'unknown_message'
  | 'cycle';

/** The ask was not run, except after `unreachable`, when the lost node may have run it. */
export class AskRefused extends Error {
  override readonly name = 'AskRefused';
  readonly reason: RefusedReason;
  constructor(kind: string, id: ActorId, message: string, reason: RefusedReason) {
    super(`${address(kind, id, message)} refused: ${reason}`);
    this.reason = reason;
  }
}

/** The handler threw or rejected. Has that error's message and, where it had one, its `code`. */
export class AskFailed extends Error {
  override readonly name = 'AskFailed';
  readonly code: string | number | undefined;
  constructor(message: string, code: string | number | undefined, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** The part of a thrown value that crosses a link. */
export function describeError(error: unknown): { message: string; code: string | number | undefined } {
  if (!(error instanceof Error)) return { message: String(error), code: undefined };
  const { code } = error as { code?: unknown };
  const known = typeof code === 'string' || typeof code === 'number';
  return { message: error.message, code: known ? code : undefined };
}

/**
 * Calls a callback of the host. If it throws, that surfaces as an uncaught exception of its own
 * instead of unwinding the runtime in the middle of a turn.
 */
export function callHost<A extends unknown[]>(
  callback: ((...args: A) => void) | undefined,
  ...args: A
): void {
  if (callback === undefined) return;
  try {
    callback(...args);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
