import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { actorLimits } from '../../src/actor/index.ts';
import * as actor from '../../src/actor/index.ts';

const root = new URL('../../../', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const docs = textOf('docs/actor.md');
const examples = ['actor-hello', 'actor-counter', 'actor-chat', 'actor-simulate'];

for (const name of examples) {
  test(`examples/${name}.ts prints what it says, and stands in docs/actor.md`, async () => {
    const source = textOf(`examples/${name}.ts`);
    assert.ok(docs.includes(`\`\`\`ts\n${source}\`\`\``), 'the docs have another text');
    const program = fileURLToPath(new URL(`dist/examples/${name}.js`, root));
    const { stdout } = await promisify(execFile)(process.execPath, [program]);
    const printed = [...source.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line]) => line);
    assert.deepEqual(stdout.trimEnd().split('\n'), printed);
  });
}

test('docs/actor.md begins with a program of ten lines', () => {
  const [, first] = /```ts\n([\s\S]*?)```/.exec(docs) ?? [];
  assert.equal(first, textOf('examples/actor-hello.ts'));
  assert.equal(first.split('\n').filter((line) => line.trim() !== '').length, 10);
});

test('docs/actor.md has a row for each bound, with its value', () => {
  for (const [name, value] of Object.entries(actorLimits)) {
    const row = `| \`${name}\` | ${value.toLocaleString('en-US')} |`;
    assert.ok(docs.includes(row), `missing: ${row}`);
  }
});

test('docs/actor.md names everything that is exported', () => {
  for (const name of Object.keys(actor)) assert.match(docs, new RegExp(`\\b${name}\\b`), name);
});
