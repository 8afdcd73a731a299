import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOptions } from '../../bench/load/options.ts';
import { findProgram } from '../../bench/load/peers/programs.ts';
import { works } from '../../bench/load/work.ts';

const namesOf = (...args: readonly string[]): string[] => parseOptions(args).works.map(({ name }) => name);

test('without flags it is the usual work, with --all everything, with --only what it names', () => {
  assert.deepEqual(
    namesOf(),
    works.filter(({ usual }) => usual).map(({ name }) => name),
  );
  assert.equal(namesOf('--all').length, works.length);
  assert.deepEqual(
    namesOf('--only', 'pairs-1,fanout-1k'),
    ['pairs-1', 'fanout-1k'].sort((a, b) => order(a) - order(b)),
  );
  assert.deepEqual(parseOptions(['--servers', 'nats', '--rounds', '5', '--seconds', '0.5']), {
    ...parseOptions([]),
    servers: ['nats'],
    rounds: 5,
    seconds: 0.5,
  });
});

const order = (name: string): number => works.findIndex((work) => work.name === name);

test('an unknown name or flag, and a number that is none, are refused', () => {
  assert.throws(() => parseOptions(['--only', 'nothing']), /there is no work nothing/);
  assert.throws(() => parseOptions(['--servers', 'nothing']), /there is no server nothing/);
  assert.throws(() => parseOptions(['--rounds', '0']), /--rounds needs a number over 0/);
  assert.throws(() => parseOptions(['--seconds', 'x']), /--seconds needs/);
  assert.throws(() => parseOptions(['--nothing']), /--nothing/);
});

test('a server that is not installed is missing, one that is has a path', () => {
  assert.equal(findProgram('no-such-server'), undefined);
  assert.match(findProgram('sh')!, /^\/.*sh$/);
});
