import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { catalog } from '../../src/metrics/metrics.ts';

// From dist/test/metrics/.
const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

/** The series of every metric. */
const seriesNames = new Set(
  catalog.flatMap(({ name, type }) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  ),
);

const namesIn = (text: string): string[] => text.match(/\b(?:encke|process)_[a-z0-9_]+\b/g) ?? [];

test('docs/operations.md and the code have the same metrics', () => {
  const rows = read('docs/operations.md')
    .split('\n')
    .filter((line) => /^\| `(encke|process)_[a-z0-9_]+` \| (counter|gauge|histogram) \|/.test(line));
  const expected = catalog.map(
    ({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`,
  );
  assert.deepEqual(rows, expected);
});

test('every metric that the documents name exists', () => {
  const known = new Set([...seriesNames, ...catalog.map(({ name }) => name)]);
  for (const path of ['docs/operations.md', 'docs/protocol.md', 'README.md'])
    for (const name of namesIn(read(path))) assert.ok(known.has(name), `${path} has ${name}`);
});

test('every series that the alerts ask for exists', () => {
  const rules = read('contrib/prometheus/encke.rules.yml');
  const names = namesIn(rules);
  assert.ok(names.length >= 10);
  for (const name of names) assert.ok(seriesNames.has(name), name);
});

test('the dashboard asks for series that exist, and has a place for every metric', () => {
  interface Panel {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }
  const { panels } = JSON.parse(read('contrib/grafana/encke.json')) as { panels: readonly Panel[] };
  const asked = new Set<string>();
  for (const { title, targets = [] } of panels) {
    for (const { expr } of targets) {
      const names = namesIn(expr);
      assert.notEqual(names.length, 0, `${title}: ${expr}`);
      for (const name of names) {
        assert.ok(seriesNames.has(name), `${title} asks for ${name}`);
        asked.add(name.replace(/_(bucket|sum|count)$/, ''));
      }
    }
  }
  assert.deepEqual(
    catalog.map(({ name }) => name).filter((name) => !asked.has(name)),
    [],
    'metrics without a panel',
  );
});
