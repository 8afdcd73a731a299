/**
 * Makes the disk fail for the journals of this process, where the operating system begins: in
 * node:fs. In a process of its own it is preloaded (NODE_OPTIONS=--import) and looks at the file
 * that ENCKE_TEST_FAULT names before each call; in a test it is set.
 */
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/**
 * - `full`: nothing more is written: ENOSPC;
 * - `short`: half of it is written, then ENOSPC;
 * - `late`: all of it is written, and then the disk says EIO;
 * - `stuck`: as `late`, and it cannot be cut off;
 * - `unopened`: no file can be made.
 */
export type Fault = 'full' | 'short' | 'late' | 'stuck' | 'unopened';

let current: Fault | undefined;
const faultFile = process.env['ENCKE_TEST_FAULT'];
const journals = new Set<number>();
const halves = new Set<number>();

export function setFault(next: Fault | undefined): void {
  current = next;
}

function fault(): Fault | undefined {
  if (faultFile === undefined) return current;
  try {
    return fs.readFileSync(faultFile, 'utf8') as Fault;
  } catch {
    return undefined;
  }
}

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(`${code}: test`), { code });

const { write, ftruncate } = fs;
const { open } = promises;

type Written = (error: NodeJS.ErrnoException | null, written?: number) => void;

fs.write = ((fd: number, buf: Buffer, at: number, length: number, position: number, done: Written) => {
  const now = journals.has(fd) ? fault() : undefined;
  const fail = (code: string): void => void setImmediate(() => done(failure(code)));
  if (now === 'full') return fail('ENOSPC');
  if (now === 'short') {
    if (halves.delete(fd) || length < 2) return fail('ENOSPC');
    halves.add(fd);
    return write(fd, buf, at, length >> 1, position, done);
  }
  if (now === 'late' || now === 'stuck') {
    return write(fd, buf, at, length, position, () => done(failure('EIO')));
  }
  halves.delete(fd);
  return write(fd, buf, at, length, position, done);
}) as typeof fs.write;

fs.ftruncate = ((fd: number, length: number, done: Written) => {
  if (journals.has(fd) && fault() === 'stuck') return void setImmediate(() => done(failure('EIO')));
  return ftruncate(fd, length, done);
}) as unknown as typeof fs.ftruncate;

promises.open = async (path, flags, mode) => {
  const isJournal = /[/\\]journal[/\\][^/\\]+\.log$/.test(String(path));
  const now = isJournal ? fault() : undefined;
  if (now === 'unopened' || now === 'full') throw failure('ENOSPC');
  const handle = await open(path, flags, mode);
  if (isJournal) journals.add(handle.fd);
  return handle;
};

syncBuiltinESMExports();
