import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** House rules that a machine can check (CONTRIBUTING.md). Each test lists everything that breaks its rule. */

const linesMax = 400;
const folders = ['src', 'workers', 'bench', 'examples', 'test'];

/** What the folders of the left may import from the rest of src; themselves always. */
const layers: Record<string, RegExp> = {
  'src/wire/': /^src\/(errors|limits|assert)\.ts$/,
  'src/actor/': /^$/,
  'src/client/': /^$/, // an independent implementation of the protocol: src/client/frames.ts says why
  'src/store/store.ts': /^src\/wire\/|^src\/store\/conversation\.ts$/, // the contract; what implements it may use more
  'src/store/': /^src\/(errors|limits|assert)\.ts$|^src\/(wire|actor)\//,
  'src/net/':
    /^src\/(errors|limits|assert|log|tracing)\.ts$|^src\/metrics\/histogram\.ts$|^src\/(wire|auth)\//,
  'src/auth/': /^src\/(errors|limits|assert|log)\.ts$|^src\/wire\//,
  // `inspect` and `backup` look into a data directory without a server
  'src/cli/':
    /^src\/(limits|log|server|version)\.ts$|^src\/auth\/|^src\/wire\/user-id\.ts$|^src\/store\/disk\/(backup|data-dir|inspect)\.ts$|^src\/webhook\/options\.ts$/,
};

interface SourceFile {
  /** From the repository's root. */
  readonly path: string;
  readonly text: string;
}

const root = fileURLToPath(new URL('../../../', import.meta.url)); // from dist/test/tidy/
const files: SourceFile[] = [
  'main.ts',
  ...folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  ),
]
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** Relative imports of a file, from the repository's root. */
function importsOf({ path, text }: SourceFile): string[] {
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g);
  return [...found].map(([, specifier]) => normalize(join(dirname(path), specifier!)));
}

function noneOf(found: readonly string[]): void {
  assert.deepEqual(found, []);
}

const linesThat = (rule: RegExp, where: (path: string) => boolean = () => true): string[] =>
  files
    .filter(({ path }) => where(path) && !path.startsWith('test/tidy/'))
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, i) => (rule.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
    );

test('there are files to check', () => {
  assert.ok(files.length > 50);
  assert.ok(files.flatMap(importsOf).length > 100);
});

test(`no file has more than ${linesMax} lines`, () => {
  noneOf(files.filter(({ text }) => text.split('\n').length - 1 > linesMax).map(({ path }) => path));
});

test('names are exported by hand', () => {
  noneOf(linesThat(/^\s*export \*/));
  noneOf(linesThat(/^export default/, (path) => !path.startsWith('workers/'))); // piscina calls that one
});

test('an index.ts stands only where the package exports point', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { default: string }>;
  };
  const targets = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? [] : [target.default],
  );
  const sources = new Set(targets.map((target) => target.replace('./dist/', '').replace(/\.js$/, '.ts')));
  noneOf(files.map(({ path }) => path).filter((path) => path.endsWith('/index.ts') && !sources.has(path)));
});

test('no test is left out', () => {
  noneOf(linesThat(/\.(skip|only|todo)\(|[{,] (skip|only|todo): /, (path) => path.startsWith('test/')));
});

test('the server writes through its logger', () => {
  noneOf(linesThat(/\bconsole\./, (path) => path.startsWith('src/') || path.startsWith('workers/')));
});

test('nothing imports workers, and the server imports no tests or tools', () => {
  const bad = (from: string, to: string): boolean =>
    to.startsWith('workers/') || (from.startsWith('src/') && !to.startsWith('src/'));
  noneOf(
    files.flatMap((file) =>
      importsOf(file).flatMap((to) => (bad(file.path, to) ? [`${file.path} -> ${to}`] : [])),
    ),
  );
});

test('layers import only what is below them', () => {
  const broken: string[] = [];
  for (const file of files) {
    const layer = Object.keys(layers).find((folder) => file.path.startsWith(folder));
    if (layer === undefined) continue;
    for (const to of importsOf(file)) {
      if (!to.startsWith(layer) && !layers[layer]!.test(to)) broken.push(`${file.path} -> ${to}`);
    }
  }
  noneOf(broken);
});
