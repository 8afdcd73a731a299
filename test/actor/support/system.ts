import {
  ActorSystem,
  type ActorFailure,
  type DeadLetter,
  type Kind,
  type SystemOptions,
} from '../../../src/actor/index.ts';
import { FakeClock } from './clock.ts';

/** A system on a clock of its own, and what it told its host. */
export function startSystem(kinds: readonly Kind[], options: Partial<SystemOptions<any>> = {}) {
  const clock = new FakeClock();
  const letters: DeadLetter[] = [];
  const failures: ActorFailure[] = [];
  const system = new ActorSystem({
    kinds,
    clock,
    random: () => 0.5,
    onDeadLetter: (letter) => letters.push(letter),
    onFailure: (failure) => failures.push(failure),
    ...options,
  });
  const reasons = (): string[] =>
    letters.map((letter) => `${letter.message} ${String(letter.payload)}: ${letter.reason}`);
  return { system, clock, letters, failures, reasons };
}

/** A promise that a test settles when it likes. */
export function gate<T = void>() {
  let open!: (value: T) => void;
  let fail!: (error: unknown) => void;
  const wait = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { wait, open, fail };
}

/** Lets the event loop turn until the condition holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}
