import { shardOf } from '../../src/wire/shard-of.ts';

/** Names for the tests of one server: each is given once, and lives on the shard that was asked for. */
export class Ids {
  readonly workers: number;
  #lastNumber: number;
  #lastName = 0;

  constructor(workers: number, above = 100) {
    this.workers = workers;
    this.#lastNumber = above;
  }

  /** A mid or gid. Each is higher than the one before, so the earlier of two mids owns their pair. */
  mid(shard?: number): number {
    do this.#lastNumber += 1;
    while (shard !== undefined && shardOf(this.#lastNumber, this.workers) !== shard % this.workers);
    return this.#lastNumber;
  }

  /** A string client; in order as well. */
  name(shard?: number): string {
    let name: string;
    do {
      this.#lastName += 1;
      name = `client-${String(this.#lastName).padStart(6, '0')}`;
    } while (shard !== undefined && shardOf(name, this.workers) !== shard % this.workers);
    return name;
  }
}
