/** A user's part in a conversation. In a group it can end and begin again. */
export class Membership {
  /** What is sent from this serial on is for the user. */
  #since: number;
  /** What is sent from this serial on may not reach the user any more. */
  #until = Infinity;
  /** What is sent from here up to there must not reach the user. */
  #outFrom: number;
  #outTo = Infinity;
  /** Grows with each change: there is no order between what comes before it and after. */
  epoch = 0;

  /** `isMember`: from the start. */
  constructor(isMember: boolean) {
    this.#since = isMember ? 0 : Infinity;
    this.#outFrom = isMember ? Infinity : 0;
  }

  /** A change was asked for, before message `serial`; it can take effect from now on. */
  leaving(serial: number): void {
    this.epoch += 1;
    this.#until = serial;
  }

  left(serial: number): void {
    this.epoch += 1;
    this.#since = Infinity;
    this.#outFrom = serial;
    this.#outTo = Infinity;
  }

  joining(serial: number): void {
    this.epoch += 1;
    this.#outTo = serial;
  }

  /** Who joins starts at the head: what was sent before is gone for the user. */
  joined(serial: number): void {
    this.epoch += 1;
    this.#since = serial;
    this.#until = Infinity;
  }

  /** Whether the message has to reach the user, as things stand now. */
  isDue(serial: number): boolean {
    return serial >= this.#since && serial < this.#until;
  }

  /** Whether the message must not reach the user. */
  isOut(serial: number): boolean {
    return serial >= this.#outFrom && serial < this.#outTo;
  }
}
