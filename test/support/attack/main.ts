/** `npm run test:attack`: the attack suite at full size; names of abuses behind `--` run only those. */
import { attack } from './attack.ts';
import { full, memoryGrowthMbMax } from './sizes.ts';

const p99MsMax = 250;
const names = process.argv.slice(2);

const { users, failures, abuses, leaks, receivedBytes, memory, complaints, exitCode, seconds } = await attack(
  { ...full, ...(names.length > 0 && { names }) },
);
console.log(
  `${abuses} abuses, ${full.size.mutations} mutations, ${seconds} s: ${users.sent} messages of ${full.users} users, ` +
    `${users.sent - users.received} lost, p50 ${users.p50Ms} ms, p99 ${users.p99Ms} ms, max ${users.maxMs} ms; ` +
    `memory ${memory.beforeMb} MiB before, ${memory.peakMb} at most, ${memory.afterMb} after; ` +
    `${leaks} leaks in ${receivedBytes} bytes`,
);
const wrong = [
  ...failures,
  ...users.problems,
  ...complaints,
  ...(leaks > 0 ? [`${leaks} leaks`] : []),
  ...(users.p99Ms > p99MsMax ? [`p99 over ${p99MsMax} ms`] : []),
  ...(memory.peakMb - memory.beforeMb > memoryGrowthMbMax ? ['memory grew'] : []),
  ...(exitCode === 0 ? [] : [`exit code ${exitCode}`]),
];
for (const line of wrong) console.log(line);
process.exitCode = wrong.length === 0 ? 0 : 1;
