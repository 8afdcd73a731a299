/** `npm run soak -- --minutes 20 [--seed N] [--fsync always|everysec|no] [--rate N] [--store S]` */
import { parseArgs } from 'node:util';
import { bestStore, soakDefaults, type SoakOptions } from './options.ts';
import { soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: process.env['ENCKE_FUZZ_SEED'] ?? '' },
    fsync: { type: 'string', default: soakDefaults.fsync },
    rate: { type: 'string', default: String(soakDefaults.ratePerSecond) },
    store: { type: 'string', default: bestStore() },
    fault: { type: 'string' },
  },
});
const seed = values.seed === '' ? Math.floor(Math.random() * 4_294_967_296) : Number(values.seed);
console.log(`soak: ENCKE_FUZZ_SEED=${seed}`);
const { line, facts } = await soak({
  ...soakDefaults,
  seed,
  durationMs: Number(values.minutes) * 60_000,
  ratePerSecond: Number(values.rate),
  store: values.store as SoakOptions['store'],
  fsync: values.fsync as SoakOptions['fsync'],
  ...(values.fault !== undefined && { fault: values.fault }),
});
for (const { kind, text } of facts) console.log(`${kind}: ${text}`);
console.log(line);
process.exitCode = facts.length === 0 ? 0 : 1;
