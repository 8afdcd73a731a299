import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../../', import.meta.url)); // from dist/test/cli/

/** What `npm pack` would put into the package. */
async function packedFiles(): Promise<string[]> {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: root, maxBuffer: 16_777_216 });
  const [pack] = JSON.parse(stdout) as { files: { path: string }[] }[];
  return pack?.files.map(({ path }) => path) ?? [];
}

test('the package has the program, its documents and what runs it, and nothing else', async () => {
  const files = await packedFiles();
  const expected = [
    'dist/main.js',
    'dist/workers/shard.js',
    'dist/workers/store.js',
    'dist/src/index.js',
    'dist/src/index.d.ts',
    'dist/src/actor/index.js',
    'dist/src/client/index.js',
    'docs/protocol.md',
    'docs/operations.md',
    'contrib/encke.example.json',
    'contrib/grafana/encke.json',
    'contrib/prometheus/encke.rules.yml',
    'contrib/systemd/encke.service',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'package.json',
  ];
  for (const path of expected) assert.ok(files.includes(path), `${path} is in the package`);
  const folders = /^(dist\/(src|workers)|docs|contrib)\//;
  const others = files.filter((path) => !folders.test(path) && !path.startsWith('dist/main.'));
  const documents = ['ARCHITECTURE.md', 'CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
  assert.deepEqual(others.toSorted(), documents);
  assert.deepEqual(
    files.filter((path) => /(^|\/)(test|bench|node_modules|encke-data)\/|\.(tsbuildinfo|log)$/.test(path)),
    [],
  );
});

test('what the Dockerfile copies is there, and is let into its context', () => {
  const dockerfile = readFileSync(`${root}Dockerfile`, 'utf8');
  const allowed = new Set(
    readFileSync(`${root}.dockerignore`, 'utf8')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : [])),
  );
  const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
    paths.split(' '),
  );
  assert.deepEqual(copied.toSorted(), [...allowed].toSorted());
  for (const path of copied) assert.ok(existsSync(root + path), path);
  assert.match(dockerfile, /^USER node$/m);
  assert.match(dockerfile, /^HEALTHCHECK /m);
});
