/** The generator process: does the job that its argument is, and prints the result, both JSON. */
import { codecOf } from './codec-of.ts';
import type { Job } from './job.ts';
import { Load } from './load.ts';

const job = JSON.parse(process.argv[2]!) as Job;
try {
  const result = await new Load(job, codecOf(job)).run();
  process.stdout.write(JSON.stringify(result), () => process.exit(0)); // its connections end with it
} catch (error) {
  process.stderr.write((error as Error).message, () => process.exit(1));
}
