/** A time in which a user was no member for sure, or may have been none. */
interface Absence {
  /** The conversation's last number when the user was asked to leave: it was a member for that one. */
  readonly lastBefore: number;
  /** It has left when this message was not sent yet; Infinity until then. */
  outFrom: number;
  /** The last number when it was asked to join: it was no member for that one. Infinity until then. */
  outTo: number;
  /** It is a member again when this message was not sent yet; Infinity until then. */
  until: number;
}

/** A user's part in a conversation. In a group it can end and begin again. */
export class Membership {
  /** In order; the last one may not have ended. A few for each change of a run. */
  readonly #absences: Absence[] = [];

  /** `isMember`: from the start. */
  constructor(isMember: boolean) {
    if (!isMember) this.#absences.push({ lastBefore: 0, outFrom: 0, outTo: Infinity, until: Infinity });
  }

  /** A change was asked for, when `last` was the last number; it can take effect from now on. */
  leaving(_serial: number, last: number): void {
    this.#absences.push({ lastBefore: last, outFrom: Infinity, outTo: Infinity, until: Infinity });
  }

  /** It was made before message `serial` was sent. */
  left(serial: number): void {
    this.#last.outFrom = serial;
  }

  joining(_serial: number, last: number): void {
    this.#last.outTo = last;
  }

  joined(serial: number): void {
    this.#last.until = serial;
  }

  /** Whether the message has to reach the user, as things stand now: who leaves gets nothing any more. */
  isDue(serial: number): boolean {
    return serial >= (this.#absences.at(-1)?.until ?? 0);
  }

  /** Whether the message must not reach the user: sent after it had left, stored before it joined again. */
  isOut(serial: number, number: number): boolean {
    return this.#absences.some(({ outFrom, outTo }) => serial >= outFrom && number <= outTo);
  }

  /** Whether the user need not get the message though it gets the later one with number `next`. */
  explains(serial: number, next: number): boolean {
    for (let i = this.#absences.length - 1; i >= 0; i--) {
      const { lastBefore, until } = this.#absences[i] as Absence;
      if (serial >= until) return false;
      if (next > lastBefore) return true;
    }
    return false;
  }

  get #last(): Absence {
    const last = this.#absences.at(-1);
    if (last === undefined) throw new Error('a change is made that was not asked for');
    return last;
  }
}
