import type { JobResult, MemorySample } from './generator/job.ts';
import { encke } from './peers/encke.ts';
import { measure } from './runner.ts';
import { withScratch } from './scratch.ts';
import { median } from './stats.ts';
import { formatNumber, markdownTable } from './table.ts';
import type { Work } from './work.ts';

/** Whether memory stays where it is under a long load: half of the peak, everything stored. */
export const FLAT_SECONDS = 600;
const SAMPLE_MS = 1_000;
const PEAK_SECONDS = 5;
const BURST = 16;
/** So that the disk does not fill up either; a conversation has a few thousand messages a second. */
const RETENTION_MESSAGES = 5_000;
const ROWS_SHOWN = 12;
/** The last quarter may have so many times what the second quarter had. */
const GROWTH_MAX = 1.1;
/** Of the load that was meant. */
const KEPT_SHARE = 0.9;

const server = encke(
  'encke-flat',
  'Encke, always',
  '--store',
  'disk',
  '--retention-messages',
  String(RETENTION_MESSAGES),
);

const peak: Work = {
  name: 'flat',
  title: 'pairs, window 16',
  transport: 'tcp',
  load: { mode: 'pairs', connections: 1_000, window: BURST, warmUpMs: 2_000 },
  servers: [server.name],
  usual: false,
};

/** The last quarter of the samples beside the second: the first is the start's. NaN of fewer than four. */
export function growth(samples: readonly MemorySample[]): number {
  const quarter = Math.floor(samples.length / 4);
  if (quarter === 0) return Number.NaN;
  const own = samples.map(({ ownMb }) => ownMb);
  return median(own.slice(-quarter)) / median(own.slice(quarter, 2 * quarter));
}

export const isFlat = (samples: readonly MemorySample[]): boolean => growth(samples) <= GROWTH_MAX;

/** Runs it, and returns what it showed as Markdown. */
export const runFlat = (seconds: number, say: (line: string) => void): Promise<string> =>
  withScratch(async (dir) => {
    const running = await server.start(dir);
    try {
      say(`the peak, for ${PEAK_SECONDS} s`);
      const { deliveriesPerSecond = 0 } = (await measure(peak, server, running, PEAK_SECONDS)).figures;
      say(`half of ${formatNumber(deliveriesPerSecond, 0)} messages a second, for ${seconds} s`);
      const rate = Math.floor(deliveriesPerSecond / 2);
      const half: Work = {
        ...peak,
        load: { ...peak.load, rate, burst: BURST, sampleMs: SAMPLE_MS },
      };
      return flatReport(deliveriesPerSecond, seconds, await measure(half, server, running, seconds));
    } finally {
      await running.stop();
    }
  });

function flatReport(peakRate: number, seconds: number, { figures, samples }: JobResult): string {
  const { deliveriesPerSecond = 0, p99Ms, missing = 0, repeated = 0, refused = 0 } = figures;
  const kept = deliveriesPerSecond >= KEPT_SHARE * (peakRate / 2);
  return [
    `## Memory under half of the peak load, ${seconds} s`,
    `${formatNumber(deliveriesPerSecond, 0)} deliveries/s of a peak of ${formatNumber(peakRate, 0)}` +
      `${kept ? '' : ' (the machine did not keep up: this says little)'}; ` +
      `${missing} lost, ${repeated} doubled or late, ${refused} refused; p99 ${formatNumber(p99Ms, 1)} ms.`,
    samplesTable(samples),
    `Own memory of the last quarter beside the second: ${formatNumber(growth(samples), 3)} ×: ` +
      `${isFlat(samples) ? 'flat' : 'NOT flat'} (at most ${GROWTH_MAX} ×).`,
  ].join('\n\n');
}

function samplesTable(samples: readonly MemorySample[]): string {
  const step = Math.max(1, Math.floor(samples.length / ROWS_SHOWN));
  const rows = samples
    .filter((_sample, i) => i % step === step - 1)
    .map(({ seconds, ownMb, residentMb }) =>
      [seconds, ownMb, residentMb].map((value) => formatNumber(value, 0)),
    );
  return markdownTable(['second', 'own MB', 'resident MB, with pages of files'], rows);
}
