import { Registry, type Gauge } from 'prom-client';
import { limits } from '../limits.ts';
import type { NetCounters } from '../net/counters.ts';
import type { Metric, Sample } from './metric.ts';
import { netMetrics } from './net-metrics.ts';
import type { ShardFigures } from './shard-figures.ts';
import { shardMetrics } from './shard-metrics.ts';
import { ShardHistory, type Snapshot } from './snapshot.ts';
import { threadMetrics } from './thread-metrics.ts';
import { ThreadMonitor } from './thread-monitor.ts';

/** Every metric there is. */
export const catalog: readonly Metric[] = [...netMetrics, ...shardMetrics, ...threadMetrics];

/** Where the figures of a server come from. */
export interface MetricsSources {
  readonly counters: NetCounters;
  /** Bytes on the way to each shard. */
  laneBytes(): readonly number[];
  /** Answers of the shards within a time. */
  figures(timeoutMs: number): Promise<readonly (ShardFigures | undefined)[]>;
  /** How often each shard's thread died. */
  deaths(): readonly number[];
  tablesBytes(): Promise<number>;
}

/** What GET /metrics answers: the figures of all threads, in the text format of Prometheus. */
export class Metrics {
  readonly #sources: MetricsSources;
  readonly #registry = new Registry();
  readonly #monitor = new ThreadMonitor();
  readonly #histories: readonly ShardHistory[];
  #snapshot: Snapshot | undefined;
  #scrape: Promise<string> | undefined;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
    this.#histories = sources.deaths().map(() => new ShardHistory());
    for (const metric of catalog) this.#register(metric);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Who asks while another scrape is under way gets its answer. */
  text(): Promise<string> {
    this.#scrape ??= this.#collect().finally(() => (this.#scrape = undefined));
    return this.#scrape;
  }

  stop(): void {
    this.#monitor.stop();
  }

  async #collect(): Promise<string> {
    const [figures, tablesBytes] = await Promise.all([
      this.#sources.figures(limits.scrapeTimeoutMs),
      this.#sources.tablesBytes(),
    ]);
    const laneBytes = this.#sources.laneBytes();
    const deaths = this.#sources.deaths();
    const shards = this.#histories.map((history, shard) => {
      const now = figures[shard];
      if (now !== undefined) history.note(now);
      const { totals } = history;
      return { shard, totals, now, restarts: deaths[shard] ?? 0, laneBytes: laneBytes[shard] ?? 0 };
    });
    this.#snapshot = { net: this.#sources.counters, mainThread: this.#monitor.read(), shards, tablesBytes };
    return this.#registry.metrics();
  }

  /** As the registry's own metrics, which count by themselves, and on one thread only. */
  #register({ name, help, type, samples }: Metric): void {
    const metric = {
      name,
      help,
      type,
      get: () => {
        const values = this.#snapshot === undefined ? [] : [...samples(this.#snapshot)];
        return Promise.resolve({ name, help, type, values: values.map((sample) => seriesOf(name, sample)) });
      },
    };
    this.#registry.registerMetric(metric as unknown as Gauge);
  }
}

const seriesOf = (name: string, { series, labels, value }: Sample): object => ({
  metricName: series === undefined ? name : `${name}_${series}`,
  labels,
  value,
});
