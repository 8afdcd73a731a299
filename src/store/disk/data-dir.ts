import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { FORMAT } from './layout.ts';
import { journalDir } from './segments.ts';

/** The data directory cannot be used; the message is one line for the operator. */
export class DataDirError extends Error {
  override readonly name = 'DataDirError';
}

const FORMAT_FILE = 'FORMAT';
const FORMAT_TEXT = /^encke storage (\d+)\n$/;
/** What other programs put into a directory that is a disk's root. */
const FOREIGN = new Set(['lost+found', '.DS_Store']);

/** Makes the directory, or checks that it is one of ours and of a format that is understood. */
export function prepareDataDir(path: string): string {
  const dir = resolve(path);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    if (isFresh(dir)) writeFormat(dir);
    checkFormat(dir);
    mkdirSync(journalDir(dir), { recursive: true, mode: 0o700 });
    mkdirSync(join(dir, 'tables'), { recursive: true, mode: 0o700 });
  } catch (error) {
    if (error instanceof DataDirError) throw error;
    throw new DataDirError(`data directory ${dir} cannot be used: ${(error as Error).message}`);
  }
  return dir;
}

/** For tools: the directory has to be there. */
export function existingDataDir(path: string): string {
  const dir = resolve(path);
  checkFormat(dir);
  return dir;
}

function isFresh(dir: string): boolean {
  return readdirSync(dir).every((name) => FOREIGN.has(name));
}

/** The format is on the disk before anything that it speaks of. */
export function writeFormat(dir: string): void {
  const file = openSync(join(dir, FORMAT_FILE), 'wx', 0o600);
  writeSync(file, `encke storage ${FORMAT}\n`);
  fsyncSync(file);
  closeSync(file);
}

function checkFormat(dir: string): void {
  let text: string;
  try {
    text = readFileSync(join(dir, FORMAT_FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new DataDirError(`${dir} is no Encke data directory: it has no file ${FORMAT_FILE}`);
  }
  const format = Number(FORMAT_TEXT.exec(text)?.[1]);
  if (Number.isNaN(format)) throw new DataDirError(`${dir}/${FORMAT_FILE} is damaged`);
  if (format === FORMAT) return;
  throw new DataDirError(
    `${dir} has storage format ${format}, this release reads format ${FORMAT}: use ` +
      (format > FORMAT ? 'a newer release' : 'the release that wrote it'),
  );
}
