import type { Activation } from './activation.ts';
import type { AskToken } from './asks.ts';
import type { Held } from './extras.ts';

/**
 * What a thread runs at this moment: one for a system, written over with each message, so that a
 * message costs no object. A handler that is suspended takes its own copy along.
 */
export class Turn implements Held {
  activation: Activation | undefined = undefined;
  head = 0;
  payload: unknown = undefined;
  ask: AskToken | undefined = undefined;
  startedMs = 0;
  span: unknown = undefined;
  stashed = false;

  /** Nothing runs: lets go of what did. */
  clear(): void {
    this.activation = undefined;
    this.payload = undefined;
    this.ask = undefined;
    this.span = undefined;
  }

  copy(): Held {
    const { head, payload, ask, startedMs, span, stashed } = this;
    this.span = undefined;
    this.stashed = false;
    return { head, payload, ask, startedMs, span, stashed };
  }
}

/** What an activation handles: in its turn, or suspended. Undefined between its messages. */
export function handledBy(activation: Activation): Held | undefined {
  const { turn } = activation.host.runtime;
  return turn.activation === activation ? turn : activation.extras?.held;
}
