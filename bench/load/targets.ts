import type { Metric } from './generator/job.ts';
import type { Results } from './results.ts';
import { formatNumber, formatRatio, markdownTable } from './table.ts';

/** What a run has to show, on 2 cores. */
export interface Target {
  readonly title: string;
  readonly work: string;
  readonly metric: Metric;
  readonly server: string;
  /** What it is divided by: the same of another server, or of another work. Neither: nothing. */
  readonly other?: { readonly server: string } | { readonly work: string };
  readonly limit: number;
  /** The limit is the least it may be, not the most. */
  readonly atLeast?: boolean;
  readonly unit: string;
}

const stored = { server: 'encke-always' };
const memory = { server: 'encke-memory' };
const ofNats = { other: { server: 'nats' }, unit: '× NATS' };
const ofSocketIo = { other: { server: 'socket.io' }, unit: '× Socket.IO' };

const rate = { metric: 'deliveriesPerSecond' } as const;
const cpu = { metric: 'cpuMicros' } as const;
const p50 = { metric: 'p50Ms' } as const;
const p99 = { metric: 'p99Ms' } as const;
const kilobytes = { metric: 'connectionKb', unit: 'KB' } as const;

/** CPU time a delivery is the inverse of deliveries a CPU second: 5 times these are 0.2 of that. */
const fifth = 0.2;

export const targets: readonly Target[] = [
  {
    title: 'fan-out, window 64: deliveries/s',
    work: 'fanout-64',
    ...rate,
    ...stored,
    ...ofNats,
    limit: 4,
    atLeast: true,
  },
  { title: 'fan-out, window 64: CPU', work: 'fanout-64', ...cpu, ...stored, ...ofNats, limit: 0.25 },
  { title: 'fan-out, window 1: CPU', work: 'fanout-1', ...cpu, ...stored, ...ofNats, limit: 1 },
  { title: 'fan-out, window 1: p99', work: 'fanout-1', ...p99, ...stored, ...ofNats, limit: 1 },
  { title: 'pairs, window 16: CPU, stored', work: 'pairs-16', ...cpu, ...stored, ...ofNats, limit: 2 },
  { title: 'pairs, window 16: CPU, memory', work: 'pairs-16', ...cpu, ...memory, ...ofNats, limit: 1.5 },
  { title: 'pairs, window 1: CPU, memory', work: 'pairs-1', ...cpu, ...memory, ...ofNats, limit: 1.5 },
  { title: 'pairs, 20,000/s: p50, memory', work: 'rate-20000', ...p50, ...memory, ...ofNats, limit: 1.5 },
  { title: 'pairs, 20,000/s: p99, stored', work: 'rate-20000', ...p99, ...stored, limit: 10, unit: 'ms' },
  { title: 'WebSocket fan-out: CPU', work: 'ws-fanout', ...cpu, ...stored, ...ofSocketIo, limit: fifth },
  { title: 'WebSocket pairs: CPU', work: 'ws-pairs', ...cpu, ...stored, ...ofSocketIo, limit: fifth },
  { title: 'idle TCP connection', work: 'idle-tcp', ...kilobytes, ...stored, limit: 7 },
  { title: 'idle WebSocket connection', work: 'idle-ws', ...kilobytes, ...stored, limit: 12 },
  {
    title: 'CPU of a delivery to one of 10,000, not of 100',
    work: 'fanout-to-10000',
    ...cpu,
    ...stored,
    other: { work: 'fanout-to-100' },
    limit: 1.3,
    unit: '×',
  },
];

/** Undefined if its work was not run. */
export function measured({ work, metric, server, other }: Target, results: Results): number | undefined {
  if (other === undefined) return results.median(work, server, metric);
  if ('server' in other) return results.ratio(work, server, other.server, metric);
  const value = results.median(work, server, metric);
  const before = results.median(other.work, server, metric);
  return value === undefined || before === undefined ? undefined : value / before;
}

export const isMet = ({ limit, atLeast = false }: Target, value: number): boolean =>
  atLeast ? value >= limit : value <= limit;

/** The targets whose work was run; empty if none was. */
export function targetsTable(results: Results): string {
  const rows = targets.flatMap((target) => {
    const value = measured(target, results);
    if (value === undefined) return [];
    const { title, atLeast = false, limit, unit } = target;
    const shown = unit.startsWith('×') ? formatRatio(value) : `${formatNumber(value, 2)} ${unit}`;
    return [
      [title, `${atLeast ? '≥' : '≤'} ${limit} ${unit}`, shown, isMet(target, value) ? 'met' : 'missed'],
    ];
  });
  if (rows.length === 0) return '';
  return `## Targets\n\n${markdownTable(['target', 'limit', 'measured', ''], rows)}`;
}
