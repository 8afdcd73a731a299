import type { Activation } from './activation.ts';
import type { AskToken } from './asks.ts';
import { callHost } from './errors.ts';
import { cancelTimers, stop } from './leave.ts';
import { messageOf, nodeOf } from './mailbox.ts';
import { Status } from './status.ts';
import { type FailureAction, type FailurePhase, Restarts } from './supervise.ts';

/** A handler threw or rejected: its message is a dead letter, its ask fails, then the kind's strategy. */
export function handlerFailed(
  activation: Activation,
  head: number,
  payload: unknown,
  ask: AskToken | undefined,
  error: unknown,
): void {
  const { host, id } = activation;
  host.deadLetter('failed', id, messageOf(head), payload, nodeOf(head));
  ask?.fail(error);
  supervise(activation, 'handler', host.names[messageOf(head)], error);
}

/** `load` threw or rejected. There is no state to resume: `resume` means `restart` here. */
export function loadFailed(activation: Activation, error: unknown): void {
  supervise(activation, 'load', undefined, error);
}

/** `save` or `busy` failed, the state is still good: told, not supervised. */
export function keptAfterFailure(activation: Activation, phase: 'save' | 'busy', error: unknown): void {
  report(activation, phase, undefined, error, 'keep');
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
  if (action === 'resume') return;
  if (backoffMs === undefined) stop(activation);
  else restartAfter(activation, backoffMs);
}

/** The back-off before the next restart; undefined when the budget is spent or the system stops. */
function spendRestart(activation: Activation): number | undefined {
  const { runtime, kind } = activation.host;
  if (runtime.phase !== 'running') return undefined;
  activation.restarts ??= new Restarts();
  return activation.restarts.spend(kind.supervise, runtime.clock.now(), runtime.random);
}

function restartAfter(activation: Activation, backoffMs: number): void {
  const { runtime } = activation.host;
  cancelTimers(activation);
  activation.state = undefined;
  activation.status = Status.backoff;
  if (activation.restarts === undefined) return;
  activation.restarts.timer = runtime.clock.setTimeout(() => {
    if (activation.restarts !== undefined) activation.restarts.timer = undefined;
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
  callHost(host.runtime.hooks.failed, kind, id, error);
  callHost(host.runtime.onFailure, { kind, id, phase, message, error, action, fatal: action === 'escalate' });
}
