import { AskFailed, type ActorSystem } from '../actor/index.ts';
import type { OnlineConnection } from '../admin/presence-api.ts';
import {
  noneSent,
  type Outgoing,
  type SendingApi,
  type Sent,
  type SentStatus,
  type SentToEveryone,
} from '../admin/sending-api.ts';
import { EnckeError, errorName } from '../errors.ts';
import type { Given } from '../group/fanout.ts';
import { limits } from '../limits.ts';
import { shardOf } from '../wire/shard-of.ts';
import type { UserId } from '../wire/user-id.ts';
import { answer, everyShard } from './every-shard.ts';
import { Presence } from './presence.ts';
import { Publisher, type Published } from './publisher.ts';
import { lower } from './requests.ts';
import { Turnstile } from './turnstile.ts';

/** A publisher ends by itself before that. */
const patience = { timeoutMs: limits.publishTimeoutMs + 2 * limits.presenceTimeoutMs } as const;

/** What a message to one receiver takes beside its content. */
const RECEIVER_BYTES = 256;

/**
 * Messages of the admin port, told in batches to the publishers of the shards that own their
 * conversations. A shard gets the batches of one request one after another, each bounded in messages
 * and bytes; the batches of all requests are bounded by its publishers.
 */
export class SendingOnActors implements SendingApi {
  readonly #system: ActorSystem;
  readonly #shards: number;
  readonly #turnstiles: readonly Turnstile[];
  #bytes = 0;
  #broadcasts = 0;

  constructor(system: ActorSystem, shards: number) {
    this.#system = system;
    this.#shards = shards;
    this.#turnstiles = Array.from({ length: shards }, () => new Turnstile(limits.publishersPerShard));
  }

  toUsers(message: Outgoing, to: readonly UserId[]): Promise<readonly Sent[]> {
    return this.#bounded(message, to.length, () => this.#send(message, false, to));
  }

  toGroups(message: Outgoing, to: readonly number[]): Promise<readonly Sent[]> {
    return this.#bounded(message, to.length, () => this.#send(message, true, to));
  }

  async toEveryone(message: Outgoing): Promise<SentToEveryone> {
    if (this.#broadcasts >= limits.broadcastsMax) throw new EnckeError('overloaded');
    this.#broadcasts += 1;
    try {
      return await this.#bounded(message, limits.adminPageMax * this.#shards, () => this.#broadcast(message));
    } finally {
      this.#broadcasts -= 1;
    }
  }

  async #bounded<T>({ content }: Outgoing, receivers: number, act: () => Promise<T>): Promise<T> {
    const bytes = content.length + receivers * RECEIVER_BYTES;
    if (this.#bytes + bytes > limits.publishingBytesMax) throw new EnckeError('overloaded');
    this.#bytes += bytes;
    try {
      return await act();
    } finally {
      this.#bytes -= bytes;
    }
  }

  async #send(message: Outgoing, isGroup: boolean, to: readonly UserId[]): Promise<readonly Sent[]> {
    const places: number[][] = Array.from({ length: this.#shards }, () => []);
    for (const [at, receiver] of to.entries()) {
      const owner = isGroup ? receiver : lower(message.from, receiver);
      places[shardOf(owner, this.#shards)]?.push(at);
    }
    const sent: Sent[] = [];
    await Promise.all(
      places.map(async (part, shard) => {
        for (const batch of batches(part, message.content.length)) {
          const receivers = batch.map((at) => to[at] as UserId);
          const outcomes = await this.#publish(message, isGroup, receivers, shard);
          for (const [i, at] of batch.entries()) sent[at] = outcomes[i] as Sent;
        }
      }),
    );
    return sent;
  }

  async #publish(
    message: Outgoing,
    isGroup: boolean,
    to: readonly UserId[],
    shard: number,
  ): Promise<readonly Sent[]> {
    try {
      const published = await this.#turnstiles[shard]!.pass((number) => {
        const publisher = shard + number * this.#shards;
        return answer(
          this.#system.ask(Publisher, publisher, 'publish', { ...message, isGroup, to }, patience),
        );
      });
      return to.map((receiver, i) => outcomeOf(receiver, published, i));
    } catch (error) {
      if (!(error instanceof EnckeError || error instanceof AskFailed)) throw error;
      const code = error instanceof EnckeError ? error.code : 'internal_error';
      return to.map((receiver) => failed(receiver, code));
    }
  }

  /** Users that were online when it began, a page of connections at a time, each user once. */
  async #broadcast(message: Outgoing): Promise<SentToEveryone> {
    const connectedUntil = Date.now();
    const counts = noneSent();
    let users = 0;
    const { missingShards } = await everyShard(this.#shards, async (shard) => {
      const done = new Set<UserId>();
      const { adminPageMax: limit } = limits;
      for (let after = 0; ;) {
        const query = { after, limit, connectedUntil };
        const page: readonly OnlineConnection[] = await this.#system.ask(Presence, shard, 'page', query, {
          timeoutMs: limits.presenceTimeoutMs,
        });
        const fresh = [...new Set(page.map(({ user }) => user))].filter((user) => !done.has(user));
        for (const user of fresh) done.add(user);
        users += fresh.length;
        for (const { status } of await this.#send(message, false, fresh)) counts[status] += 1;
        if (page.length < limit) return;
        after = page.at(-1)?.connection ?? 0;
      }
    });
    return { users, counts, missingShards };
  }
}

/** Parts that are bounded in messages and in bytes, as shards store each whole. */
function* batches(places: readonly number[], contentBytes: number): Generator<readonly number[]> {
  const { publishBatchMessagesMax, publishBatchBytesMax } = limits;
  const fitting = Math.floor(publishBatchBytesMax / (contentBytes + RECEIVER_BYTES));
  const size = Math.max(1, Math.min(publishBatchMessagesMax, fitting));
  for (let i = 0; i < places.length; i += size) yield places.slice(i, i + size);
}

function outcomeOf(to: UserId, { results, given }: Published, i: number): Sent {
  const result = results[i] ?? 0;
  if (result <= 0) return failed(to, errorName(-result));
  const known = given[i] ?? null;
  return { to, status: statusOf(known), chatId: result, connections: known?.now ?? 0 };
}

function statusOf(given: Given | null): SentStatus {
  if (given === null) return 'stored';
  if (given.now > 0) return 'delivered';
  return given.later > 0 ? 'stored' : 'offline';
}

const failed = (to: UserId, error: Sent['error'] & string): Sent => ({
  to,
  status: 'failed',
  chatId: 0,
  connections: 0,
  error,
});
