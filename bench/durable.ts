/**
 * What durability costs: pairs with 16 messages in flight, on the memory store and on the disk store
 * with each --fsync, interleaved; medians and ratios. Linux only: CPU time is read from /proc.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { spawnServer } from '../test/support/server.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const CONNECTIONS = 1_000;
const WINDOW = 16;
const SECONDS = 4;

interface Figures {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly generatorCores: number;
  readonly refusals: number;
}

const variants: Record<string, readonly string[]> = {
  memory: ['--store', 'memory'],
  'disk, fsync always': ['--store', 'disk', '--fsync', 'always'],
  'disk, fsync everysec': ['--store', 'disk', '--fsync', 'everysec'],
  'disk, fsync no': ['--store', 'disk', '--fsync', 'no'],
};

const load = fileURLToPath(new URL('pairs-load.js', import.meta.url));

async function measure(args: readonly string[]): Promise<Figures> {
  const dir = mkdtempSync(join(tmpdir(), 'encke-bench-'));
  const server = await spawnServer([...args, '--data', join(dir, 'data'), '--log-level', 'error']);
  try {
    const { port } = server.tcpAddress;
    const settings = [port, server.pid, CONNECTIONS, WINDOW, SECONDS].map(String);
    const { stdout } = await promisify(execFile)(process.execPath, [load, ...settings]);
    return JSON.parse(stdout) as Figures;
  } finally {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const figures = new Map<string, Figures[]>(Object.keys(variants).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, args] of Object.entries(variants)) figures.get(name)?.push(await measure(args));
}

const memory = figures.get('memory') ?? [];
const memoryRate = median(memory.map(({ perSecond }) => perSecond));
const memoryCpu = median(memory.map(({ cpuMicros }) => cpuMicros));
console.log(`pairs, ${CONNECTIONS} connections, window ${WINDOW}, 64 bytes, 2 workers, ${ROUNDS} rounds`);
console.log('| store | deliveries/s | of memory | CPU a delivery | more than memory | generator cores |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const [name, results] of figures) {
  const rate = median(results.map(({ perSecond }) => perSecond));
  const cpu = median(results.map(({ cpuMicros }) => cpuMicros));
  const cores = median(results.map(({ generatorCores }) => generatorCores));
  const refused = results.reduce((sum, { refusals }) => sum + refusals, 0);
  console.log(
    `| ${name} | ${Math.round(rate).toLocaleString('en')} | ${(rate / memoryRate).toFixed(2)} ` +
      `| ${cpu.toFixed(2)} µs | ${(cpu - memoryCpu).toFixed(2)} µs | ${cores.toFixed(2)} |` +
      (refused > 0 ? ` ${refused} refused` : ''),
  );
}
