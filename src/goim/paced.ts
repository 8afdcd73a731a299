/** Time between two steps of a paced push. */
const STEP_MS = 100;

/**
 * A push to everybody that goes to so many connections a second: to those that were there when it
 * was asked for, as far as they still are when their turn comes.
 */
export class PacedPush {
  readonly #connections: Int32Array;
  readonly #speed: number;
  readonly #step: (connections: Int32Array) => boolean;
  #timer: NodeJS.Timeout | undefined;
  #at = 0;
  #due = 0;
  onDone: (() => void) | undefined;

  /** `step`: false if these could not be given it now, so that they are tried again. */
  constructor(connections: Int32Array, speed: number, step: (connections: Int32Array) => boolean) {
    this.#connections = connections;
    this.#speed = speed;
    this.#step = step;
  }

  start(): void {
    this.#due = 1; // the first one goes at once
    this.#timer = setInterval(this.#run, STEP_MS);
    this.#run();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  readonly #run = (): void => {
    const count = Math.min(Math.floor(this.#due), this.#connections.length - this.#at);
    if (count > 0 && this.#step(this.#connections.subarray(this.#at, this.#at + count))) {
      this.#at += count;
      this.#due -= count;
    }
    // What could not go is not made up for later: the speed is a limit.
    this.#due = Math.min(this.#due + this.#perStep, 1 + 2 * this.#perStep);
    if (this.#at < this.#connections.length) return;
    this.stop();
    this.onDone?.();
  };

  get #perStep(): number {
    return (this.#speed * STEP_MS) / 1_000;
  }
}
