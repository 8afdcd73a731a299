import type { Activation } from './activation.ts';
import { callHost } from './errors.ts';
import type { Held } from './extras.ts';
import { messageOf } from './mailbox.ts';
import type { ActorId } from './types.ts';

/** A message that was handled, as `hooks.handled` gets it. */
export interface Handled {
  readonly kind: string;
  readonly id: ActorId;
  readonly message: string;
  /** From the call of the handler until it returned, or its promise settled; a `save` after it not. */
  readonly ms: number;
  /** What the handler threw or rejected with; undefined if it did neither. */
  readonly error: unknown;
  /** What `hooks.handling` returned. */
  readonly span: unknown;
}

/**
 * Told what happens to actors; for metrics and tracing. None costs anything while undefined. One
 * that throws surfaces as an uncaught exception and disturbs no actor.
 */
export interface Hooks {
  /** An actor has its state, and handles its first message next. */
  readonly activated?: (kind: string, id: ActorId) => void;
  /** An actor left memory after its `save`. */
  readonly passivated?: (kind: string, id: ActorId) => void;
  /** An actor failed; supervision follows. */
  readonly failed?: (kind: string, id: ActorId, error: unknown) => void;
  /** An actor will be loaded again after `backoffMs`; `attempt` counts from 1 within the window. */
  readonly restarted?: (kind: string, id: ActorId, attempt: number, backoffMs: number) => void;
  /**
   * A handler is called next; `depth` messages wait behind its own. What it returns, say a span, is
   * given to `handled`.
   */
  readonly handling?: (kind: string, id: ActorId, message: string, depth: number) => unknown;
  /** A handler is done. */
  readonly handled?: (handled: Handled) => void;
}

/** Before a handler is called, where there are hooks: notes the time and the span. */
export function began(activation: Activation, held: Held, depth: number): void {
  const { host, id } = activation;
  const { hooks, clock } = host.runtime;
  held.startedMs = clock.now();
  const message = host.names[messageOf(held.head)] ?? '';
  callHost(() => {
    held.span = hooks.handling?.(host.kind.name, id, message, depth);
  });
}

/** After it: tells the hook, and lets go of the span. */
export function ended(activation: Activation, held: Held, error: unknown): void {
  const { host, id } = activation;
  const { hooks, clock } = host.runtime;
  const { span, startedMs } = held;
  held.span = undefined;
  if (hooks.handled === undefined) return;
  callHost(hooks.handled, {
    kind: host.kind.name,
    id,
    message: host.names[messageOf(held.head)] ?? '',
    ms: clock.now() - startedMs,
    error,
    span,
  });
}
