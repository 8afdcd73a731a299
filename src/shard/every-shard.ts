import { AskFailed, AskRefused, AskTimeout } from '../actor/index.ts';
import { EnckeError } from '../errors.ts';
import type { Missing } from '../admin/presence-api.ts';

/** Failures of an ask as the errors that the admin port reports. */
export async function answer<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof AskTimeout || error instanceof AskRefused) throw new EnckeError('unavailable');
    throw error;
  }
}

export interface Answers<T> extends Missing {
  readonly answers: readonly T[];
}

/** Asks all shards the same. One that is down, or late, is missing; the others' answers count. */
export async function everyShard<T>(
  shards: number,
  question: (shard: number) => Promise<T>,
): Promise<Answers<T>> {
  const asked = await Promise.allSettled(Array.from({ length: shards }, (_, shard) => question(shard)));
  const answers: T[] = [];
  const missingShards: number[] = [];
  for (const [shard, outcome] of asked.entries()) {
    if (outcome.status === 'fulfilled') answers.push(outcome.value);
    else if (isAway(outcome.reason)) missingShards.push(shard);
    else throw outcome.reason;
  }
  return { answers, missingShards };
}

/** A shard whose handler failed has no answer either; it has logged why. */
const isAway = (error: unknown): boolean =>
  error instanceof AskTimeout || error instanceof AskRefused || error instanceof AskFailed;
