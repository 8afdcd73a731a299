/** What went wrong with deliveries; all zero when each receiver got everything once and in order. */
export interface Faults {
  /** Never came. */
  readonly missing: number;
  /** Came again, or after a later one. */
  readonly repeated: number;
  /** Came from somebody who does not write to this receiver. */
  readonly foreign: number;
}

/** Follows what one sender's receivers get: to each of them its messages are numbered 1, 2, 3, ... */
export class Checker {
  /** By receiver: the number that comes next. */
  readonly #next: Uint32Array;
  #missing = 0;
  #repeated = 0;
  #foreign = 0;

  constructor(receivers: number) {
    this.#next = new Uint32Array(receivers).fill(1);
  }

  /** False if the message is not the receiver's next one. */
  got(receiver: number, expectedSender: number, sender: number, seq: number): boolean {
    const next = this.#next[receiver]!;
    if (sender !== expectedSender) {
      this.#foreign += 1;
      return false;
    }
    if (seq < next) {
      this.#repeated += 1;
      return false;
    }
    this.#missing += seq - next;
    this.#next[receiver] = seq + 1;
    return seq === next;
  }

  /** `sent(receiver)`: how many messages the receiver should have by now. */
  faults(sent: (receiver: number) => number): Faults {
    let missing = this.#missing;
    this.#next.forEach((next, receiver) => (missing += Math.max(0, sent(receiver) - (next - 1))));
    return { missing, repeated: this.#repeated, foreign: this.#foreign };
  }
}
