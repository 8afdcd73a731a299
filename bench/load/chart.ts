import { init } from 'echarts';
import type { Metric } from './generator/job.ts';
import type { Peer } from './peers/peer.ts';
import type { Results } from './results.ts';
import type { Work } from './work.ts';

const WIDTH = 1_100;
const PANEL_HEIGHT = 360;
const ROTATE_LABELS = 20;

interface Panel {
  readonly title: string;
  readonly metric: Metric;
}

const panels: readonly Panel[] = [
  { title: 'deliveries a second (more is better)', metric: 'deliveriesPerSecond' },
  { title: 'server CPU for a delivery, µs (less is better)', metric: 'cpuMicros' },
];

/** Both panels on logarithmic scales, as SVG; undefined if no deliveries were measured. */
export function chart(works: readonly Work[], peers: readonly Peer[], results: Results): string | undefined {
  const shown = works.filter(({ name }) =>
    peers.some((peer) => results.median(name, peer.name, 'cpuMicros') !== undefined),
  );
  const servers = peers.filter((peer) =>
    shown.some(({ name }) => results.median(name, peer.name, 'cpuMicros') !== undefined),
  );
  if (shown.length === 0) return undefined;
  const size = { width: WIDTH, height: PANEL_HEIGHT * panels.length };
  const canvas = init(null, null, { renderer: 'svg', ssr: true, ...size });
  canvas.setOption({
    animation: false,
    backgroundColor: '#fff', // readable on a dark page too
    legend: { top: 0, itemGap: 30 },
    title: panels.map(({ title }, i) => ({
      text: title,
      left: 'center',
      top: 30 + i * PANEL_HEIGHT,
      textStyle: { fontSize: 14 },
    })),
    grid: panels.map((_panel, i) => ({ left: 80, right: 20, top: 60 + i * PANEL_HEIGHT, height: 220 })),
    xAxis: panels.map((_panel, i) => ({
      gridIndex: i,
      type: 'category',
      data: shown.map(({ name }) => name),
      axisLabel: { interval: 0, rotate: ROTATE_LABELS },
    })),
    yAxis: panels.map((_panel, i) => ({ gridIndex: i, type: 'log' })),
    series: panels.flatMap(({ metric }, i) =>
      servers.map(({ name, title }) => ({
        type: 'bar',
        name: title,
        xAxisIndex: i,
        yAxisIndex: i,
        data: shown.map((work) => results.median(work.name, name, metric) ?? null),
      })),
    ),
  });
  const svg = canvas.renderToSVGString();
  canvas.dispose();
  return svg;
}
