import { cpus, release, totalmem } from 'node:os';

const GIB = 1 << 30;

/** What a result was measured on, in one line. */
export function machine(): string {
  const [first, ...rest] = cpus();
  const day = new Date().toISOString().slice(0, 10);
  return `${day}: ${rest.length + 1} × ${first?.model.trim() ?? 'CPU'}, ${Math.round(totalmem() / GIB)} GiB, Linux ${release()}, Node ${process.version}`;
}
