import { limits } from '../limits.ts';

/**
 * Which messages of one conversation are read: all up to `readTo`, and ranges above it, as a sorted
 * list [from, to, from, to, …] without neighbours that touch.
 */
export class ReadMarks {
  #readTo: number;
  #ranges: number[];

  constructor(readTo = 0, ranges: readonly number[] = []) {
    this.#readTo = readTo;
    this.#ranges = [...ranges];
  }

  get readTo(): number {
    return this.#readTo;
  }

  get ranges(): readonly number[] {
    return this.#ranges;
  }

  has(number: number): boolean {
    if (number <= this.#readTo) return true;
    const i = this.#find(number);
    return i >= 0 && number <= (this.#ranges[i + 1] ?? 0);
  }

  /** False when it would make one gap too many (limits.mailboxGapsMax): nothing is changed. */
  add(number: number): boolean {
    if (this.has(number)) return true;
    const ranges = this.#ranges;
    const i = this.#find(number);
    const joinsLeft = i >= 0 ? ranges[i + 1] === number - 1 : this.#readTo === number - 1;
    const joinsRight = ranges[i + 2] === number + 1;
    if (joinsLeft && i < 0) {
      this.#readTo = joinsRight ? (ranges[1] ?? number) : number;
      if (joinsRight) ranges.splice(0, 2);
    } else if (joinsLeft && joinsRight) ranges.splice(i + 1, 2);
    else if (joinsLeft) ranges[i + 1] = number;
    else if (joinsRight) ranges[i + 2] = number;
    else {
      if (ranges.length >= limits.mailboxGapsMax * 2) return false;
      ranges.splice(i + 2, 0, number, number);
    }
    return true;
  }

  /** What `restore` goes back to. */
  snapshot(): ReadMarks {
    return new ReadMarks(this.#readTo, this.#ranges);
  }

  restore(snapshot: ReadMarks): void {
    this.#readTo = snapshot.#readTo;
    this.#ranges = [...snapshot.#ranges];
  }

  /** Nothing above `last` is read; true when something was. */
  endAt(last: number): boolean {
    const newest = this.#ranges.at(-1) ?? this.#readTo;
    if (newest <= last) return false;
    this.#readTo = Math.min(this.#readTo, last);
    const kept: number[] = [];
    for (let i = 0; i < this.#ranges.length; i += 2) {
      const from = this.#ranges[i] ?? 0;
      if (from <= last) kept.push(from, Math.min(this.#ranges[i + 1] ?? 0, last));
    }
    this.#ranges = kept;
    return true;
  }

  /** Everything up to `number` counts as read. */
  readUpTo(number: number): void {
    if (number <= this.#readTo) return;
    this.#readTo = number;
    const ranges = this.#ranges;
    while (ranges.length > 0 && (ranges[0] ?? 0) <= this.#readTo + 1) {
      this.#readTo = Math.max(this.#readTo, ranges[1] ?? 0);
      ranges.splice(0, 2);
    }
  }

  /** The index of the last range that starts at or below `number`; -2 if there is none. */
  #find(number: number): number {
    const ranges = this.#ranges;
    let low = 0;
    let high = ranges.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranges[middle * 2] ?? 0) <= number) low = middle + 1;
      else high = middle;
    }
    return (low - 1) * 2;
  }
}
