import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withoutComments } from '../../src/cli/comments.ts';
import { defaults, flagNames, flags, type FlagName } from '../../src/cli/flags.ts';
import { parseOptions } from '../../src/cli/options.ts';
import { checkSource } from '../../src/cli/sources.ts';

const name = 'contrib/encke.example.json';
const path = fileURLToPath(new URL(`../../../${name}`, import.meta.url)); // from dist/test/cli/
const text = readFileSync(path, 'utf8');
const given = JSON.parse(withoutComments(text)) as Record<string, unknown>;

/** The default of a setting, if it is the same on every machine. */
const presetOf = (flag: FlagName): unknown =>
  flag === 'workers' ? undefined : defaults[flag as keyof typeof defaults];

test('the example config has every setting, with its default', () => {
  const missing = flagNames.flatMap((flag) => {
    const preset = presetOf(flag);
    const about = `with a comment: ${flags[flag].about}`;
    if (preset !== undefined)
      return given[flag] === preset ? [] : [`"${flag}": ${JSON.stringify(preset)}, ${about}`];
    const isShown = new RegExp(`^  // "${flag}": .+,$`, 'm').test(text);
    return isShown && !(flag in given) ? [] : [`// "${flag}": (a good value), ${about}`];
  });
  const unknown = Object.keys(given).filter((key) => !flagNames.some((flag) => flag === key));
  assert.deepEqual(missing, [], `${name} lacks these lines`);
  assert.deepEqual(unknown, [], `${name} has keys that are no flags`);
});

test('a server takes the example config, and it changes nothing', () => {
  assert.deepEqual(parseOptions(['--config', path], {}), parseOptions([], {}));
});

test('what is commented out in the example is what its setting allows', () => {
  const values = [...text.matchAll(/^ {2}\/\/ (".+": .+),$/gm)].map(([, value]) => value);
  assert.ok(values.length >= 5);
  for (const value of values)
    checkSource({ values: JSON.parse(`{${value}}`) as Record<string, unknown>, nameOf: (key) => key });
});

test('comments are no part of a config file, and what looks like one inside a string is', () => {
  const file = '{ // the port\n"tcp-port": /* not 3101 */ 4101, "data": "a//b/*c*/\\"//d" /**/ }// end';
  assert.equal(withoutComments(file).length, file.length, 'positions in errors stay right');
  const { tcpPort, data } = parseOptions(['--config', 'x'], {}, () => file);
  assert.deepEqual([tcpPort, data], [4101, 'a//b/*c*/"//d']);
  for (const bad of ['{ /* "tcp-port": 1 }', '{ / "tcp-port": 1 }', '{"data": "//}', '{"workers": 1 // }'])
    assert.throws(() => parseOptions(['--config', 'x'], {}, () => bad), /^UsageError: x is not JSON/);
});
