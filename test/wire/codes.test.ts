import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { adminErrors } from '../../src/admin/errors.ts';
import { defaults, flagNames, type FlagName } from '../../src/cli/flags.ts';
import { closes, errorReasons } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';

// From dist/test/wire/.
const contract = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');

/** The rows, as cells, of the first table under the heading with this text. */
function tableOf(heading: string): string[][] {
  const lines = contract.split('\n');
  const start = lines.findIndex((line) => /^#+ (.+)$/.exec(line)?.[1] === heading);
  assert.notEqual(start, -1, `docs/protocol.md has a heading "${heading}"`);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 1)) {
    if (line.startsWith('#') || (rows.length > 0 && !line.startsWith('|'))) break;
    if (!line.startsWith('|')) continue;
    rows.push(
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  return rows.slice(2); // the head and the rule below it
}

/** What a cell says in code style, or the cell itself. */
const plain = (cell = ''): string => /^`([^`]+)`$/.exec(cell)?.[1] ?? cell;
const numberIn = (cell = ''): number => Number(cell.replaceAll(',', ''));

test('The contract and the registry have the same error codes.', () => {
  const names = tableOf('Error codes').map(([name]) => plain(name));
  assert.deepEqual(names, Object.keys(errorReasons));
});

test('The contract and the registry have the same close codes, reasons and advice.', () => {
  const rows = tableOf('Close codes').map(([name, code, reason, reconnect]) => [
    plain(name),
    { code: Number(code), reason, reconnect: reconnect === 'yes' },
  ]);
  assert.deepEqual(Object.fromEntries(rows), closes);
  assert.equal(rows.length, Object.keys(closes).length, 'each has one row');
});

test('The contract and the admin port have the same codes and statuses.', () => {
  const rows = tableOf('Admin codes').map(([name, status]) => [plain(name), Number(status)]);
  const statuses = Object.entries(adminErrors).map(([name, { status }]) => [name, status]);
  assert.deepEqual(rows, statuses);
});

test('A limit in the contract is one of the server, with its default.', () => {
  for (const [name, value] of tableOf('Limits')) {
    const limit = plain(name) as keyof typeof limits;
    assert.ok(limit in limits, `there is a limit ${limit}`);
    assert.equal(numberIn(value), limits[limit], limit);
  }
});

/** Limits that an operator sets, and how many of the limit's unit one of the flag's unit is. */
const settable = {
  packageBytesMax: ['max-package-bytes', 1],
  connectionsMax: ['max-connections', 1],
  addressConnectionsMax: ['max-connections-per-address', 1],
  authTimeoutMs: ['auth-timeout', 1_000],
  idleTimeoutMs: ['idle-timeout', 1_000],
  drainTimeoutMs: ['drain-timeout', 1_000],
  authHttpTimeoutMs: ['auth-http-timeout', 1_000],
  drainReconnectMs: ['drain-reconnect-window', 1_000],
  beforeSendTimeoutMs: ['before-send-timeout', 1_000],
  memoryStoreBytesMax: ['memory-max-mb', 1_048_576],
} as const satisfies Partial<Record<keyof typeof limits, readonly [FlagName, number]>>;

test('The limits with a flag are in the contract with it, and flags start from limits.', () => {
  const documented = tableOf('Limits')
    .filter(([, , flag]) => flag !== '')
    .map(([name, , flag]) => `${plain(name)} ${plain(flag)}`);
  const expected = Object.entries(settable).map(([name, [flag]]) => `${name} --${flag}`);
  assert.deepEqual(documented.toSorted(), expected.toSorted());
  for (const [name, [flag, unit]] of Object.entries(settable)) {
    assert.equal(defaults[flag] * unit, limits[name as keyof typeof settable], flag);
  }
});

test('The contract and the command line have the same flags, with the same defaults.', () => {
  const rows = tableOf('Running');
  const documented = rows.map(([flag]) => plain(flag));
  assert.deepEqual(
    documented,
    flagNames.map((flag) => `--${flag}`),
  );
  for (const [flag, value] of rows) {
    const name = plain(flag).slice(2);
    if (name === 'workers' || !(name in defaults)) continue; // depends on the machine, or on flags
    assert.equal(value, String(defaults[name as keyof typeof defaults]), name);
  }
});

test('Every clause that the code cites is a heading of the contract.', () => {
  const headings = new Set([...contract.matchAll(/^#+ (.+)$/gm)].map(([, text]) => text));
  const src = new URL('../../../src/', import.meta.url);
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' });
  let citations = 0;
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const code = readFileSync(new URL(file, src), 'utf8');
    // A comment may break its line between the file's name and the clause.
    for (const [, clause] of code.matchAll(/docs\/protocol\.md[\s*,(]*"([^"]+)"/g)) {
      assert.ok(headings.has(clause), `${file} cites "${clause}"`);
      citations += 1;
    }
  }
  assert.ok(citations > 20, `${citations} citations were found`);
});
