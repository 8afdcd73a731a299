import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FORMAT } from './layout.ts';
import { journalDir } from './segments.ts';
import { checkTablesFile } from './tables-file.ts';
import { openDatabase } from './tables.ts';
import { CorruptData } from './values.ts';

/** The data directory cannot be used; the message is one line for the operator. */
export class DataDirError extends Error {
  override readonly name = 'DataDirError';
}

const FORMAT_FILE = 'FORMAT';
const FORMAT_TEXT = /^encke storage (\d+)\n$/;
/** Becomes that file when everything else is there. */
const BEGUN_FILE = 'FORMAT.new';
/** Who may not connect: lines of JSON, written by the main thread alone. */
export const bansFile = (dir: string): string => join(dir, 'bans.jsonl');

/** What other programs put into a directory that is a disk's root. */
const IGNORED = new Set(['lost+found', '.DS_Store']);

/** Makes the directory, or checks that it is one of ours and of a format that is understood. */
export async function prepareDataDir(path: string): Promise<string> {
  const dir = resolve(path);
  try {
    makeDir(dir);
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    if (isFresh(dir)) await create(dir);
    checkFormat(dir);
    checkTablesFile(dir);
    makeDir(journalDir(dir));
  } catch (error) {
    if (error instanceof DataDirError || error instanceof CorruptData) throw error;
    throw new DataDirError(`data directory ${dir} cannot be used: ${(error as Error).message}`);
  }
  return dir;
}

/** The format comes last: a directory that has it has the rest, or has lost it. */
async function create(dir: string): Promise<void> {
  const begun = openSync(join(dir, BEGUN_FILE), 'w', 0o600);
  closeSync(begun);
  makeDir(join(dir, 'tables'));
  await openDatabase(dir).close();
  writeFormat(dir);
}

/** With its parents. mkdir's own way of doing that never ends where a parent refuses with ENOENT (/proc). */
export function makeDir(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(dir).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(dir))) throw error;
    makeDir(dirname(dir));
    mkdirSync(dir, { mode: 0o700 });
  }
}

/** For tools: the directory has to be there. */
export function existingDataDir(path: string): string {
  const dir = resolve(path);
  checkFormat(dir);
  return dir;
}

/** The sizes of all files of a data directory; one that goes away meanwhile counts nothing. */
export async function dataBytes(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      stat(join(parentPath, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function isFresh(dir: string): boolean {
  const names = readdirSync(dir);
  // Making it was begun, and interrupted.
  if (names.includes(BEGUN_FILE) && !names.includes(FORMAT_FILE)) return true;
  return names.every((name) => IGNORED.has(name));
}

/** On the disk, and whole, or not there. */
export function writeFormat(dir: string): void {
  const begun = join(dir, BEGUN_FILE);
  const file = openSync(begun, 'w', 0o600);
  writeSync(file, `encke storage ${FORMAT}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(begun, join(dir, FORMAT_FILE));
}

function checkFormat(dir: string): void {
  let text: string;
  try {
    text = readFileSync(join(dir, FORMAT_FILE), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    throw new DataDirError(`${dir} is no Encke data directory: it has no file ${FORMAT_FILE}`);
  }
  const format = Number(FORMAT_TEXT.exec(text)?.[1]);
  if (Number.isNaN(format)) {
    throw new DataDirError(
      `${join(dir, FORMAT_FILE)} is damaged: restore it (or the directory) from a backup`,
    );
  }
  if (format === FORMAT) return;
  throw new DataDirError(
    `${dir} has storage format ${format}, this release reads format ${FORMAT}: use ` +
      (format > FORMAT ? 'a newer release' : 'the release that wrote it'),
  );
}
