/** Numbers by index, 4 bytes each; what was not set is 0. */
export class GrowingUint32 {
  #array = new Uint32Array(64);
  /** One more than the highest index that was set. */
  length = 0;

  at(index: number): number {
    return this.#array[index] ?? 0;
  }

  set(index: number, value: number): void {
    if (index >= this.#array.length) {
      const larger = new Uint32Array(Math.max(index + 1, this.#array.length * 2));
      larger.set(this.#array);
      this.#array = larger;
    }
    this.#array[index] = value;
    if (index >= this.length) this.length = index + 1;
  }

  push(value: number): void {
    this.set(this.length, value);
  }

  clear(): void {
    this.length = 0;
  }
}

/** A set of small integers, one bit each. */
export class Bits {
  readonly #words = new GrowingUint32();

  has(index: number): boolean {
    return (this.#words.at(index >>> 5) & (1 << (index & 31))) !== 0;
  }

  add(index: number): void {
    const word = index >>> 5;
    this.#words.set(word, (this.#words.at(word) | (1 << (index & 31))) >>> 0);
  }
}
