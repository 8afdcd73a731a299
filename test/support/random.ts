/**
 * Seeded randomness for fuzzers: the same seed gives the same run. A fuzzer takes its seed from
 * ENCKE_FUZZ_SEED, or makes one, and prints it, so that a failure can be run again.
 */
export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed | 0;
  }

  /** 0 up to, not including, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer of min..max, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** Any int32. */
  int32(): number {
    return Math.floor(this.next() * 4_294_967_296) | 0;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.int(0, values.length - 1)];
    if (value === undefined && values.length === 0) throw new Error('nothing to pick from');
    return value as T;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.next() * 256;
    return bytes;
  }
}

/** A generator for one fuzzer, its seed printed. */
export function seededRandom(name: string): Random {
  const given = process.env['ENCKE_FUZZ_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 4_294_967_296) : Number(given);
  console.log(`${name}: ENCKE_FUZZ_SEED=${seed}`);
  return new Random(seed);
}
