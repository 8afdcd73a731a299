import { readVersion } from '../version.ts';
import type { Metric } from './metric.ts';
import type { Snapshot } from './snapshot.ts';
import { gcKinds, type ThreadFigures } from './thread-monitor.ts';

/** The threads by their label: each shard, and the one of the gateway. */
function* countersOf({ mainThread, shards }: Snapshot): Generator<[string, ThreadFigures['counters']]> {
  yield ['main', mainThread.counters];
  for (const { shard, totals } of shards) if (totals !== undefined) yield [String(shard), totals.thread];
}

function* figuresOf({ mainThread, shards }: Snapshot): Generator<[string, ThreadFigures]> {
  yield ['main', mainThread];
  for (const { shard, now } of shards) if (now !== undefined) yield [String(shard), now.thread];
}

const counter = (
  name: string,
  help: string,
  read: (counters: ThreadFigures['counters']) => number,
): Metric => ({
  name,
  type: 'counter',
  help,
  labels: ['shard'],
  samples: (snapshot) =>
    [...countersOf(snapshot)].map(([shard, counters]) => ({ labels: { shard }, value: read(counters) })),
});

const byGcKind = (
  name: string,
  help: string,
  read: (counters: ThreadFigures['counters']) => Float64Array,
): Metric => ({
  name,
  type: 'counter',
  help,
  labels: ['shard', 'kind'],
  samples: (snapshot) =>
    [...countersOf(snapshot)].flatMap(([shard, counters]) =>
      gcKinds.map((kind, i) => ({ labels: { shard, kind }, value: read(counters)[i] ?? 0 })),
    ),
});

const gauge = (name: string, help: string, read: (figures: ThreadFigures) => number): Metric => ({
  name,
  type: 'gauge',
  help,
  labels: ['shard'],
  samples: (snapshot) =>
    [...figuresOf(snapshot)].map(([shard, figures]) => ({ labels: { shard }, value: read(figures) })),
});

const processWide = (name: string, type: 'counter' | 'gauge', help: string, read: () => number): Metric => ({
  name,
  type,
  help,
  labels: [],
  samples: () => [{ labels: {}, value: read() }],
});

const startedAtSeconds = Math.round(Date.now() / 1_000 - process.uptime());
const version = readVersion();

/** Threads and the process as a whole. `shard` is `main` for the thread of the gateway. */
export const threadMetrics: readonly Metric[] = [
  gauge(
    'encke_event_loop_delay_p50_seconds',
    'How late timers of the thread fired since the last scrape: the median.',
    ({ delay }) => delay.p50Seconds,
  ),
  gauge(
    'encke_event_loop_delay_p99_seconds',
    'The same: 99 of 100 were earlier.',
    ({ delay }) => delay.p99Seconds,
  ),
  gauge('encke_event_loop_delay_max_seconds', 'The same: the latest.', ({ delay }) => delay.maxSeconds),
  counter(
    'encke_event_loop_active_seconds_total',
    'Time that the event loop of the thread was busy.',
    ({ activeSeconds }) => activeSeconds,
  ),
  counter(
    'encke_event_loop_idle_seconds_total',
    'Time that the event loop of the thread waited.',
    ({ idleSeconds }) => idleSeconds,
  ),
  byGcKind('encke_gc_runs_total', 'Garbage collections of the thread.', ({ gcRuns }) => gcRuns),
  byGcKind(
    'encke_gc_seconds_total',
    'Time that the thread spent in garbage collections.',
    ({ gcSeconds }) => gcSeconds,
  ),
  gauge('encke_heap_used_bytes', 'Heap of the thread in use.', ({ memory }) => memory.heapUsedBytes),
  gauge('encke_heap_total_bytes', 'Heap of the thread.', ({ memory }) => memory.heapTotalBytes),
  gauge(
    'encke_external_bytes',
    'Memory of the thread outside of its heap that objects on it stand for.',
    ({ memory }) => memory.externalBytes,
  ),
  gauge(
    'encke_array_buffers_bytes',
    'The part of it that buffers hold.',
    ({ memory }) => memory.arrayBuffersBytes,
  ),
  processWide(
    'process_resident_memory_bytes',
    'gauge',
    'Resident memory of the process, all threads together.',
    () => process.memoryUsage.rss(),
  ),
  processWide(
    'process_cpu_seconds_total',
    'counter',
    'User and system time of the process, all threads together.',
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  ),
  processWide(
    'process_start_time_seconds',
    'gauge',
    'When the process started, in seconds since the epoch.',
    () => startedAtSeconds,
  ),
  {
    name: 'encke_build_info',
    type: 'gauge',
    help: 'Always 1; its labels say what runs.',
    labels: ['version', 'node'],
    samples: () => [{ labels: { version, node: process.versions.node }, value: 1 }],
  },
];
