import type { Activation } from './activation.ts';
import { callHost } from './errors.ts';
import type { Held } from './extras.ts';
import { beginAnew, stop } from './leave.ts';
import { messageOf, nodeOf } from './mailbox.ts';
import { Status } from './status.ts';
import { type FailureAction, type FailurePhase, Restarts } from './supervise.ts';

/**
 * A handler threw or rejected, or the `save` that follows it: its message is a dead letter, its ask
 * fails, then the kind's strategy.
 */
export function handlerFailed(
  activation: Activation,
  { head, payload, ask }: Held,
  error: unknown,
  phase: 'handler' | 'save' = 'handler',
): void {
  const { host, id, extras } = activation;
  if (extras !== undefined) extras.openAsks = undefined;
  host.deadLetter('failed', id, messageOf(head), payload, nodeOf(head));
  ask?.fail(error);
  supervise(activation, phase, host.names[messageOf(head)], error);
}

/** `load` threw or rejected. There is no state to resume: `resume` means `restart` here. */
export function loadFailed(activation: Activation, error: unknown): void {
  supervise(activation, 'load', undefined, error);
}

/** `save` or `busy` failed, the state is still good: told, not supervised. */
export function keptAfterFailure(activation: Activation, phase: 'save' | 'busy', error: unknown): void {
  report(activation, phase, undefined, error, 'keep');
}

/** A child escalated: the parent fails, whatever it is doing. What it handles fails with it. */
function childFailed(parent: Activation, error: unknown): void {
  if (parent.status === Status.gone) return;
  const strategy = parent.host.kind.supervise.strategy;
  const held = parent.extras?.held;
  if (held !== undefined && strategy !== 'resume') {
    parent.host.deadLetter('failed', parent.id, messageOf(held.head), held.payload, nodeOf(held.head));
    held.ask?.fail(error);
  }
  supervise(parent, 'child', undefined, error);
}

function supervise(
  activation: Activation,
  phase: FailurePhase,
  message: string | undefined,
  error: unknown,
): void {
  const { host } = activation;
  let action: FailureAction = host.kind.supervise.strategy;
  if (action === 'resume' && phase === 'load') action = 'restart';
  let backoffMs: number | undefined;
  if (action === 'restart') {
    backoffMs = spendRestart(activation);
    if (backoffMs === undefined) action = 'stop';
  }
  report(activation, phase, message, error, action);
  if (action === 'resume' || activation.status === Status.gone) return;
  if (backoffMs !== undefined) {
    restartAfter(activation, backoffMs);
    return;
  }
  const parent = activation.extras?.parent;
  stop(activation, 'failed');
  if (action === 'escalate' && parent !== undefined) childFailed(parent, error);
}

/** The back-off before the next restart; undefined when the budget is spent or the system stops. */
function spendRestart(activation: Activation): number | undefined {
  const { runtime, kind } = activation.host;
  if (runtime.phase !== 'running') return undefined;
  activation.restarts ??= new Restarts();
  return activation.restarts.spend(kind.supervise, runtime.clock.now(), runtime.random);
}

function restartAfter(activation: Activation, backoffMs: number): void {
  const { runtime, kind } = activation.host;
  beginAnew(activation, Status.backoff);
  const { restarts } = activation;
  if (restarts === undefined) return;
  callHost(runtime.hooks.restarted, kind.name, activation.id, restarts.count, backoffMs);
  restarts.timer = runtime.clock.setTimeout(() => {
    restarts.timer = undefined;
    activation.status = Status.fresh;
    runtime.scheduler.push(activation);
  }, backoffMs);
}

function report(
  activation: Activation,
  phase: FailurePhase,
  message: string | undefined,
  error: unknown,
  action: FailureAction,
): void {
  const { host, id } = activation;
  const kind = host.kind.name;
  const fatal = action === 'escalate' && activation.extras?.parent === undefined;
  callHost(host.runtime.hooks.failed, kind, id, error);
  callHost(host.runtime.onFailure, { kind, id, phase, message, error, action, fatal });
}
