import type { Metric } from './generator/job.ts';
import type { Peer } from './peers/peer.ts';
import type { Results } from './results.ts';
import type { Work } from './work.ts';

interface Column {
  readonly title: string;
  readonly metric: Metric;
  readonly digits: number;
  /** Beside it: this many times what the first server that is not Encke has. */
  readonly ratio: boolean;
}

const column = (title: string, metric: Metric, digits: number, ratio = false): Column => ({
  title,
  metric,
  digits,
  ratio,
});

const loadColumns: readonly Column[] = [
  column('deliveries/s', 'deliveriesPerSecond', 0, true),
  column('CPU µs each', 'cpuMicros', 2, true),
  column('p50 ms', 'p50Ms', 2, true),
  column('p99 ms', 'p99Ms', 2, true),
  column('p99.9 ms', 'p999Ms', 2),
  column('memory MB', 'residentMb', 0),
  column('server cores', 'serverCores', 2),
  column('generator cores', 'generatorCores', 2),
];

const idleColumns: readonly Column[] = [
  column('KB each', 'connectionKb', 2, true),
  column('connects/s', 'connectsPerSecond', 0, true),
  column('CPU µs of one', 'connectMicros', 0, true),
  column('memory MB', 'residentMb', 0),
  column('generator cores', 'generatorCores', 2),
];

const faults: readonly (readonly [Metric, string])[] = [
  ['missing', 'lost'],
  ['repeated', 'doubled or late'],
  ['foreign', 'not for this receiver'],
  ['refused', 'refused'],
  ['unanswered', 'not answered'],
];

/** Thousands are grouped; nothing if it was not measured. */
export function formatNumber(value: number | undefined, digits: number): string {
  if (value === undefined) return '';
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export const formatRatio = (value: number | undefined): string =>
  value === undefined ? '' : `${formatNumber(value, 2)} ×`;

/** What went wrong in all rounds, in words: `0` if nothing did. */
function faultsOf(work: Work, peer: Peer, results: Results): string {
  const found = faults
    .map(([metric, word]) => [results.sum(work.name, peer.name, metric), word] as const)
    .filter(([count]) => count > 0);
  return found.length === 0
    ? '0'
    : found.map(([count, word]) => `${formatNumber(count, 0)} ${word}`).join(', ');
}

const failuresOf = (work: Work, peers: readonly Peer[], results: Results): string[] =>
  peers.flatMap(({ name, title }) =>
    results.failures(work.name, name).map((why) => `${title} failed in a round of \`${work.name}\`: ${why}`),
  );

/** The server that the others are compared with: the first that is not Encke, else the first. */
export const baselineOf = (peers: readonly Peer[]): Peer | undefined =>
  peers.find(({ name }) => !name.startsWith('encke')) ?? peers[0];

/** One table of Markdown: medians of the rounds, and the median of each round's ratio. */
export function workTable(work: Work, peers: readonly Peer[], results: Results): string {
  const measured = peers.filter(({ name }) => results.rounds(work.name, name) > 0);
  const baseline = baselineOf(measured);
  if (baseline === undefined) return failuresOf(work, peers, results).join('\n\n');
  const idle = work.load.mode === 'idle';
  const columns = idle ? idleColumns : loadColumns;
  const titles = [
    'server',
    ...columns.flatMap(({ title, ratio }) => (ratio ? [title, `of ${baseline.title}`] : [title])),
    ...(idle ? [] : ['faults']),
  ];
  const rows = measured.map((peer) => [
    peer.title,
    ...columns.flatMap(({ metric, digits, ratio }) => {
      const value = formatNumber(results.median(work.name, peer.name, metric), digits);
      return ratio
        ? [value, formatRatio(results.ratio(work.name, peer.name, baseline.name, metric))]
        : [value];
    }),
    ...(idle ? [] : [faultsOf(work, peer, results)]),
  ]);
  const parts = [
    `### ${work.title} (\`${work.name}\`)`,
    markdownTable(titles, rows),
    ...failuresOf(work, peers, results),
  ];
  return parts.join('\n\n');
}

/** A table whose first column is text and whose others are set right. */
export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = titles.map((_title, i) => (i === 0 ? '---' : '---:'));
  return [titles, rule, ...rows].map(line).join('\n');
}
