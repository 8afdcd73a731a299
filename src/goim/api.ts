import { AskRefused, AskTimeout, type ActorSystem } from '../actor/index.ts';
import { EnckeError } from '../errors.ts';
import { shardOf } from '../wire/shard-of.ts';
import type { UserId } from '../wire/user-id.ts';
import { Goim, type Recipients, type TopRoom } from './messages.ts';

/**
 * What goim's push API does, asked of the shards' actors. Failures are EnckeErrors: `overloaded`, and
 * `unavailable` when a shard is away; then the push may have reached the clients of the others.
 */
export class GoimApi {
  readonly #system: ActorSystem;
  readonly #shards: number;

  constructor(system: ActorSystem, shards: number) {
    this.#system = system;
    this.#shards = shards;
  }

  async pushToKeys(operation: number, keys: readonly string[], message: Uint8Array): Promise<void> {
    await this.#pushToAll(operation, message, { keys: [...new Set(keys)] });
  }

  async pushToUsers(operation: number, users: readonly UserId[], message: Uint8Array): Promise<void> {
    const byShard = new Map<number, UserId[]>();
    for (const user of new Set(users)) {
      const shard = shardOf(user, this.#shards);
      const some = byShard.get(shard);
      if (some === undefined) byShard.set(shard, [user]);
      else some.push(user);
    }
    await Promise.all(
      [...byShard].map(([shard, some]) => this.#push(shard, operation, message, { users: some })),
    );
  }

  async pushToRoom(operation: number, room: string, message: Uint8Array): Promise<void> {
    await this.#pushToAll(operation, message, { room });
  }

  /** `speed`: at most about so many connections a second; 0 or less: all at once. */
  async pushToEveryone(operation: number, speed: number, message: Uint8Array): Promise<void> {
    await this.#pushToAll(operation, message, { speed: speed / this.#shards });
  }

  /** How many goim clients are in each of these rooms. */
  async countsOf(rooms: readonly string[]): Promise<number[]> {
    const sums = rooms.map(() => 0);
    const all = await Promise.all(
      this.#everyShard().map((shard) => answer(this.#system.ask(Goim, shard, 'countsOf', rooms))),
    );
    for (const counts of all) for (const [i, count] of counts.entries()) sums[i] = (sums[i] ?? 0) + count;
    return sums;
  }

  /** The fullest rooms of a type, as the first shard that answers knows them. */
  async top(type: string, limit: number): Promise<readonly TopRoom[]> {
    let failure: unknown;
    for (const shard of this.#everyShard()) {
      try {
        return await answer(this.#system.ask(Goim, shard, 'top', { type, limit }));
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  #everyShard(): number[] {
    return Array.from({ length: this.#shards }, (_, shard) => shard);
  }

  async #pushToAll(operation: number, message: Uint8Array, to: Recipients): Promise<void> {
    await Promise.all(this.#everyShard().map((shard) => this.#push(shard, operation, message, to)));
  }

  async #push(shard: number, operation: number, message: Uint8Array, to: Recipients): Promise<void> {
    const taken = await answer(this.#system.ask(Goim, shard, 'push', { operation, message, to }));
    if (!taken) throw new EnckeError('overloaded', 'too many pushes are waiting');
  }
}

async function answer<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof AskTimeout || error instanceof AskRefused)) throw error;
    const full = error instanceof AskRefused && error.reason === 'mailbox_full';
    throw full ? new EnckeError('overloaded', 'too many pushes are waiting') : new EnckeError('unavailable');
  }
}
