/**
 * Encke beside its peers, on the same work in the same run: `npm run bench:load`. Linux only, since CPU
 * time and memory are read from /proc. `usage` in options.ts lists the flags.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart } from './chart.ts';
import { FLAT_SECONDS, runFlat } from './flat.ts';
import { type Options, parseOptions, SECONDS, usage } from './options.ts';
import { peerNamed, peers } from './peers/all.ts';
import { machine } from './machine.ts';
import type { Peer } from './peers/peer.ts';
import { Results } from './results.ts';
import { runWork } from './runner.ts';
import { workTable } from './table.ts';
import { targetsTable } from './targets.ts';
import type { Work } from './work.ts';

const say = (line: string): void => console.error(line);

/** The servers of a work that are wanted and installed. */
function peersOf(work: Work, { servers }: Options): readonly Peer[] {
  return work.servers
    .filter((name) => servers?.includes(name) ?? true)
    .map(peerNamed)
    .filter(({ missing }) => missing === undefined);
}

async function runAll(options: Options): Promise<void> {
  const { rounds, seconds = SECONDS } = options;
  const missing = peers.flatMap((peer) => (peer.missing === undefined ? [] : [`Left out: ${peer.missing}.`]));
  for (const line of missing) say(line);
  const results = new Results();
  const tables: string[] = [];
  for (const work of options.works) {
    const its = peersOf(work, options);
    await runWork(work, its, { rounds, seconds, say }, results);
    const table = workTable(work, its, results);
    tables.push(table);
    console.log(`${table}\n`);
    const enckes = its.filter(({ name }) => name.startsWith('encke'));
    if (!enckes.every(({ name }) => results.isSound(work.name, name))) process.exitCode = 1;
  }
  const found = targetsTable(results);
  console.log(found);
  const head = `# Load\n\n${machine()}; ${rounds} rounds of ${seconds} s: medians, and medians of each round's ratio.`;
  const report = [head, ...missing, '![chart](load.svg)', found, '## Work', ...tables].filter(
    (part) => part !== '',
  );
  write(options.out, 'load.md', `${report.join('\n\n')}\n`);
  const svg = chart(options.works, peers, results);
  if (svg !== undefined) write(options.out, 'load.svg', svg);
}

function write(dir: string, name: string, text: string): void {
  if (dir === '-') return;
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, name), text);
  say(`written: ${join(dir, name)}`);
}

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) {
    console.log(usage);
    return;
  }
  const options = parseOptions(args);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130)); // ends the servers too
  if (!options.flat) return runAll(options);
  const report = await runFlat(options.seconds ?? FLAT_SECONDS, say);
  console.log(report);
  write(options.out, 'flat.md', `# Load\n\n${machine()}.\n\n${report}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
