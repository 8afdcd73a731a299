/*
 * What the codecs cost, alone and on one thread, each beside what others need for the same content:
 * `npm run bench`. Every row handles many messages in one operation, as a tick does; a message has 64
 * bytes of payload where nothing else is said.
 */
import { Bench } from 'tinybench';
import type { Case, Group } from './codec/case.ts';
import { decodeOf64Bytes, decoding } from './codec/decode.ts';
import { encoding } from './codec/encode.ts';
import { json } from './codec/json.ts';
import { link } from './codec/link.ts';

const TASK_MS = 400;
const WARM_UP_MS = 150;
/** Frames of 64 bytes that one thread has to decode in a second. */
const DECODE_TARGET = 10e6;

const groups: readonly Group[] = [decoding, encoding, json, link];
const bench = new Bench({ time: TASK_MS, warmupTime: WARM_UP_MS });

/** CPU time of each case, in microseconds: collections count, and other processes do not. */
const cpuMicros = new Map<string, number>();
let before = process.cpuUsage();
for (const { cases } of groups) {
  for (const { name, run } of cases) {
    bench.add(name, run, {
      beforeAll: () => void (before = process.cpuUsage()),
      afterAll: () => {
        const { user, system } = process.cpuUsage(before);
        cpuMicros.set(name, user + system); // the warm-up's too, which is overwritten
      },
    });
  }
}
await bench.run();

const grouped = (n: number): string => Math.round(n).toLocaleString('en-US');

/** Messages a second of CPU time. */
function rateOf({ name, messages }: Case): number {
  const result = bench.getTask(name)?.result;
  if (result?.state !== 'completed') throw new Error(`${name} did not complete`);
  return (result.latency.samplesCount * messages * 1e6) / cpuMicros.get(name)!;
}

function againstBaseline({ cases }: Group, one: Case): string {
  const baseline = cases.find(({ name }) => name === one.baseline);
  return baseline === undefined ? '' : `${(rateOf(one) / rateOf(baseline)).toFixed(2)} ×`;
}

for (const group of groups) {
  console.log(`\n${group.title}`);
  console.table(
    group.cases.map((one) => ({
      codec: one.name,
      'messages/s': grouped(rateOf(one)),
      'ns a message': (1e9 / rateOf(one)).toFixed(1),
      'MB/s': grouped((rateOf(one) / one.messages) * (one.bytes / 1e6)),
      'vs baseline': againstBaseline(group, one),
    })),
  );
}

const rate = rateOf(decodeOf64Bytes);
console.log(
  `decode of 64-byte frames: ${grouped(rate)}/s on one thread, ` +
    `target ≥ ${grouped(DECODE_TARGET)}/s: ${rate >= DECODE_TARGET ? 'met' : 'missed'}`,
);
