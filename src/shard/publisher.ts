import { ask, env, kind, type ActorSystem } from '../actor/index.ts';
import { Fanout, type Given } from '../group/fanout.ts';
import { limits } from '../limits.ts';
import { pairOf } from '../store/conversation.ts';
import { shardOf } from '../wire/shard-of.ts';
import type { UserId } from '../wire/user-id.ts';
import { everyShard } from './every-shard.ts';
import { Presence, type GivenQuery } from './presence.ts';
import type { Publications, PublishBatch } from './publications.ts';

export interface PublisherEnv {
  readonly shards: number;
  readonly publications: Publications;
}

/** For each receiver: what was stored, and who has it. */
export interface Published {
  /** A chatId, or an error number below 0. */
  readonly results: readonly number[];
  /** Null: it was not stored, or a shard that would know is away. */
  readonly given: readonly (Given | null)[];
}

interface Stored {
  readonly at: number;
  readonly to: UserId;
  readonly chatId: number;
}

/**
 * A publisher stores a batch and asks who was given it. Each shard has limits.publishersPerShard of
 * them, so that a batch that waits for the disk does not hold up the next: a publisher's id is
 * its shard, plus a multiple of the number of shards.
 */
export const Publisher = kind({
  name: 'publisher',
  env: env<PublisherEnv>(),
  messages: { publish: ask<PublishBatch, Published>() },
  mailbox: { capacity: 16 },
  // It has no state: a batch that fails says nothing about the next one.
  supervise: { strategy: 'resume' },
  load: () => null,
  on: {
    publish: (_state, batch, ctx) => publish(batch, ctx.env, ctx.system),
  },
});

/**
 * It runs on the shard of the owners, who have told the receivers by the time that they say `stored`:
 * what is asked behind that over the same links is answered with the message counted.
 */
async function publish(
  batch: PublishBatch,
  { publications, shards }: PublisherEnv,
  system: ActorSystem,
): Promise<Published> {
  const results = await publications.publish(batch);
  const stored: Stored[] = [];
  for (const [at, to] of batch.to.entries()) {
    const chatId = results[at] ?? 0;
    if (chatId > 0) stored.push({ at, to, chatId });
  }
  const given: (Given | null)[] = batch.to.map(() => null);
  if (batch.isGroup) await askGroups(stored, given, shards, system);
  else await askUsers(batch.from, stored, given, shards, system);
  return { results, given };
}

const patience = { timeoutMs: limits.presenceTimeoutMs } as const;

/** The connections of a user are all on its shard. */
async function askUsers(
  from: UserId,
  stored: readonly Stored[],
  given: (Given | null)[],
  shards: number,
  system: ActorSystem,
): Promise<void> {
  const byShard: Stored[][] = Array.from({ length: shards }, () => []);
  for (const one of stored) byShard[shardOf(one.to, shards)]?.push(one);
  await Promise.all(
    byShard.map(async (part, shard) => {
      if (part.length === 0) return;
      const queries = part.map(({ to, chatId }): GivenQuery => {
        return { user: to, key: pairOf(from, to).key, chatId };
      });
      const asked = system.ask(Presence, shard, 'given', queries, patience);
      const counts = await asked.catch(() => []); // away: it is not known
      for (const [i, { at }] of part.entries()) given[at] = counts[i] ?? null;
    }),
  );
}

/** Members of a group can be connected to any shard. */
async function askGroups(
  stored: readonly Stored[],
  given: (Given | null)[],
  shards: number,
  system: ActorSystem,
): Promise<void> {
  if (stored.length === 0) return;
  const queries = stored.map(({ to, chatId }) => ({ group: Number(to), chatId }));
  const { answers, missingShards } = await everyShard(shards, (shard) =>
    system.ask(Fanout, shard, 'given', queries, patience),
  );
  for (const [i, { at }] of stored.entries()) {
    const total = { now: 0, later: 0 };
    for (const counts of answers) {
      total.now += counts[i]?.now ?? 0;
      total.later += counts[i]?.later ?? 0;
    }
    // Where a shard is away nobody can say that all are offline.
    given[at] = total.now === 0 && missingShards.length > 0 ? null : total;
  }
}
