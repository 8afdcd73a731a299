import type { ActorSystem } from '../actor/index.ts';
import type { Figures, StatsApi } from '../admin/stats-api.ts';
import { limits } from '../limits.ts';
import { readVersion } from '../version.ts';
import { everyShard } from './every-shard.ts';
import { Presence } from './presence.ts';

/** What the main thread knows. */
export interface StatsSources {
  readonly shards: number;
  readonly store: 'disk' | 'memory';
  sockets(): number;
  bans(): number;
  storeBytes(): Promise<number>;
}

const patience = { timeoutMs: limits.presenceTimeoutMs } as const;

/** Figures of the main thread, and of each shard as its presence actor gives them. */
export class StatsOnActors implements StatsApi {
  readonly #system: ActorSystem;
  readonly #sources: StatsSources;
  readonly #version = readVersion();
  readonly #startedAt = process.hrtime.bigint();

  constructor(system: ActorSystem, sources: StatsSources) {
    this.#system = system;
    this.#sources = sources;
  }

  async read(): Promise<Figures> {
    const { shards, store } = this.#sources;
    const asked = everyShard(shards, async (shard) => {
      return { shard, ...(await this.#system.ask(Presence, shard, 'figures', undefined, patience)) };
    });
    const [{ answers, missingShards }, bytes] = await Promise.all([asked, this.#sources.storeBytes()]);
    return {
      version: this.#version,
      uptimeSeconds: Number((process.hrtime.bigint() - this.#startedAt) / 1_000_000n) / 1_000,
      workers: shards,
      sockets: this.#sources.sockets(),
      bans: this.#sources.bans(),
      memoryBytes: process.memoryUsage.rss(),
      store: { kind: store, bytes },
      shards: answers,
      missingShards,
    };
  }
}
