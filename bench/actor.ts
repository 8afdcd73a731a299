/*
 * What the actor runtime costs beside nact, on this machine and in this run: `npm run bench:actor`.
 * Rounds of both take turns, so that they share whatever else the machine does; figures are medians.
 * Rates beside nact are per second of CPU time, garbage collection included; the others are by the clock.
 */
import * as encke from './actor-encke.ts';
import * as nact from './actor-nact.ts';

const ROUNDS = 9;

interface Target {
  readonly ratio?: number;
  readonly rate?: number;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const rows: string[][] = [];
const high = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0;
const met = (reached: boolean): string => (reached ? 'yes' : 'NO');
const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Operations a second of CPU time in one round: what other processes do meanwhile does not count. */
async function rate(work: (operations: number) => Promise<void>, operations: number): Promise<number> {
  const before = process.cpuUsage();
  await work(operations);
  const { user, system } = process.cpuUsage(before);
  return (operations / (user + system)) * 1_000_000;
}

/** Compares the same work on both. `repeat`: how often ours does it in a round, being quicker. */
async function compare(
  name: string,
  operations: number,
  repeat: number,
  ours: (operations: number) => Promise<void>,
  theirs: (operations: number) => Promise<void>,
  target: Target,
): Promise<void> {
  const repeated = async (total: number): Promise<void> => {
    for (let n = 0; n < repeat; n++) await ours(total / repeat);
  };
  const rates: [number[], number[]] = [[], []];
  const ratios: number[] = [];
  for (let round = -2; round < ROUNDS; round++) {
    const one = await rate(repeated, operations * repeat);
    const other = await rate(theirs, operations);
    if (round < 0) continue; // warm-up
    rates[0].push(one);
    rates[1].push(other);
    ratios.push(one / other);
  }
  const [own, other] = [median(rates[0]), median(rates[1])];
  const reached = median(ratios) >= (target.ratio ?? 0) && own >= (target.rate ?? 0);
  const wanted = [
    ...(target.ratio === undefined ? [] : [`≥ ${target.ratio} × nact`]),
    ...(target.rate === undefined ? [] : [`≥ ${thousands(target.rate)}/s`]),
  ];
  const ratio = `${median(ratios).toFixed(1)} ×`;
  rows.push([name, `${thousands(own)}/s`, `${thousands(other)}/s`, ratio, wanted.join(', '), met(reached)]);
}

await compare('tell, one hot actor', 20_000, 5, encke.tellHot, nact.tellHot, { ratio: 12, rate: 5_000_000 });
await compare('ask, one after another', 20_000, 1, encke.askInTurn, nact.askInTurn, { ratio: 2 });
await compare('ping-pong of two actors', 50_000, 2, encke.pingPong, nact.pingPong, { ratio: 4 });
await compare('spawn and stop', 5_000, 1, encke.spawnAndStop, nact.spawnAndStop, { ratio: 1 });
// Last, since its actors stay: a full heap makes every collection longer.
await compare('tell over 100,000 actors', 100_000, 1, encke.tellMany, nact.tellMany, { ratio: 8 });
nact.forgetMany();

const { rates, cpuUs } = await encke.acrossThreads(250_000, 15);
const oneWay = median(rates);
const cpu = `${cpuUs.toFixed(2)} µs of CPU each`;
rows.push(['tell across threads', `${thousands(oneWay)}/s`, cpu, '', '≥ 1,000,000/s', met(oneWay >= 1e6)]);
const trip = median(await encke.askAcross(10_000));
rows.push(['ask across threads', `${trip.toFixed(1)} µs`, '', '', '≤ 50 µs', met(trip <= 50)]);
const { idle, passivated } = await encke.memoryOfIdle(100_000);
rows.push(['memory of an idle actor', `${idle.toFixed(0)} bytes`, '', '', '≤ 400 bytes', met(idle <= 400)]);
rows.push([
  '… once passivated',
  `${Math.max(0, passivated).toFixed(0)} bytes`,
  '',
  '',
  '0',
  met(passivated < 1),
]);
for (const [what, { calm, busy, busyOwn }] of Object.entries(await encke.fairness(20, 20))) {
  const figures = `p99 ${high(busyOwn).toFixed(1)} ms`;
  const byClock = `clock: ${median(busy).toFixed(1)} ms, calm ${median(calm).toFixed(1)}`;
  rows.push([`${what} beside a busy actor`, figures, byClock, '', '≤ 5 ms', met(high(busyOwn) <= 5)]);
}

const table = [['', 'encke/actor', 'nact', 'ratio', 'target', 'met'], ...rows];
const widths = table[0]?.map((_cell, at) => Math.max(...table.map((row) => row[at]?.length ?? 0))) ?? [];
const lines = table.map((row) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`);
lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
console.log(lines.join('\n'));
process.exit(0);
