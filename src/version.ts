import { readFileSync } from 'node:fs';

/** The package's version. Read, never imported: tsc would copy an imported package.json into dist. */
export function readVersion(): string {
  const file = new URL('../../package.json', import.meta.url); // from dist/src/
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}
