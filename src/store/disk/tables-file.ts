import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { CorruptData } from './values.ts';

export const tablesFile = (dir: string): string => join(dir, 'tables', 'data.mdb');

/**
 * LMDB maps its file and trusts it: what was overwritten or cut off would end the process with
 * SIGSEGV or SIGBUS. So the two pages that say what is in the file are looked at before.
 *
 *   meta page  18 flags u16 | 24 magic u32 | 28 version u32 | 48 tables, 48 bytes each: free pages,
 *              main | 144 last page u64 | 152 transaction u64
 *   table      0 pad u32 (of the first: page size) | 8 branch pages u64 | 16 leaf pages u64
 *              | 24 overflow pages u64 | 40 root page u64
 */
const META_BYTES = 160;
const META_FLAG = 8;
const MAGIC = 0xbeef_c0de;
const VERSION = 2;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

interface Meta {
  readonly pageBytes: number;
  readonly transaction: bigint;
  /** Pages that are certainly in use. */
  readonly used: bigint;
  /** The highest page that is read first. */
  readonly root: bigint;
}

/** Throws CorruptData when the file cannot be what was written. A page inside may still be damaged. */
export function checkTablesFile(dir: string): void {
  const path = tablesFile(dir);
  const file = openSync(path, 'r');
  try {
    const first = readMeta(file, 0);
    const second = first && readMeta(file, first.pageBytes);
    if (first === undefined || second === undefined) {
      throw damagedTables(path, 'it does not begin as it was written');
    }
    const { used, root, pageBytes } = first.transaction > second.transaction ? first : second;
    const pages = BigInt(Math.floor(fstatSync(file).size / pageBytes));
    if (pages < used || pages <= root) throw damagedTables(path, 'its end is missing');
  } finally {
    closeSync(file);
  }
}

export const damagedTables = (path: string, what: string): CorruptData =>
  new CorruptData(`${path} is damaged: ${what}; restore the directory from a backup`);

function readMeta(file: number, at: number): Meta | undefined {
  const page = Buffer.alloc(META_BYTES);
  if (readSync(file, page, 0, META_BYTES, at) < META_BYTES) return undefined;
  if (page.readUInt16LE(18) !== META_FLAG || page.readUInt32LE(24) !== MAGIC) return undefined;
  if (page.readUInt32LE(28) !== VERSION) return undefined;
  const pageBytes = page.readUInt32LE(48);
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) return undefined;
  let used = 2n;
  let root = 1n;
  for (const table of [48, 96]) {
    for (const count of [8, 16, 24]) used += page.readBigUInt64LE(table + count);
    const itsRoot = page.readBigUInt64LE(table + 40);
    if (itsRoot !== NO_PAGE && itsRoot > root) root = itsRoot;
  }
  return { pageBytes, transaction: page.readBigUInt64LE(152), used, root };
}
