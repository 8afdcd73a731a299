import { readFileSync } from 'node:fs';

/** What Linux says of processes, all their threads included; sums over `pids`. */
const CLOCK_TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux
const [USER_TIME, SYSTEM_TIME] = [11, 12]; // fields of /proc/PID/stat behind the name
const KIB = 1_024;

const sum = (pids: readonly number[], of: (pid: number) => number): number =>
  pids.reduce((total, pid) => total + of(pid), 0);

/** User and system time so far, in microseconds. */
export function cpuMicrosOf(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME])) / CLOCK_TICKS_PER_SECOND) * 1e6;
  });
}

function statusBytes(pid: number, field: string): number {
  const [, kib] =
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * KIB;
}

/** Resident memory. */
export const residentBytesOf = (pids: readonly number[]): number =>
  sum(pids, (pid) => statusBytes(pid, 'VmRSS'));

/** Resident memory without pages of files, which the kernel takes back when it needs them. */
export const ownBytesOf = (pids: readonly number[]): number =>
  sum(pids, (pid) => statusBytes(pid, 'RssAnon'));
