/*
 * What the quick reader of JSON sends takes must mean the same to parseRequest, which reads all of
 * JSON. Texts are made of the pieces that matter, some are changed at random, and both are asked.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequest } from '../../src/wire/comet-json.ts';
import { JsonSendReader } from '../../src/wire/json-send-reader.ts';
import { PayloadKind } from '../../src/wire/run.ts';
import { seededRandom } from '../support/random.ts';

const random = seededRandom('json-send-reader');
const reader = new JsonSendReader();

/** True when the quick reader took it; what it read is compared. */
function compare(bytes: Buffer): boolean {
  const text = bytes.toString();
  // Something before and behind: it must keep to its bounds.
  const buf = Buffer.concat([Buffer.from('{"'), bytes, Buffer.from('"}}')]);
  if (!reader.read(buf, 2, 2 + bytes.length)) return false;
  const { op, version, seq, from, to, msgStart, msgEnd } = reader;
  assert.deepEqual(
    parseRequest(text),
    {
      op,
      version,
      seq,
      body: { from, to, msg: buf.toString('utf8', msgStart, msgEnd) },
      send: { from, to, kind: PayloadKind.text, msg: buf.subarray(msgStart, msgEnd) },
    },
    text,
  );
  return true;
}

const one = <T>(choices: readonly T[]): T => choices[random.int(0, choices.length - 1)] as T;
const space = (): string => (random.chance(0.8) ? '' : one([' ', '\n', '\t', '\r', '  ']));
const number = (): string =>
  random.chance(0.7)
    ? String(random.int(1, 2_147_483_647))
    : one([
        '0',
        '-0',
        '-1',
        '01',
        '1.0',
        '1e3',
        '2147483647',
        '2147483648',
        '-2147483648',
        '99999999999',
        '',
      ]);
const string = (): string =>
  random.chance(0.6)
    ? JSON.stringify('x'.repeat(random.int(0, 40)))
    : one([
        '"\\""',
        '"\\u0041"',
        '"é"',
        '"\u007f"',
        '"\u0001"',
        '"',
        '""',
        '"}"',
        '"\ud83d\ude00"',
        '7',
        'null',
        '{}',
      ]);
const key = (name: string): string =>
  random.chance(0.95)
    ? `"${name}"`
    : one([`"${name}x"`, `"\\u006fp"`, `"\u0000op"`, `"n\u00f3"`, name, '""']);

function shuffled<T>(items: readonly T[]): T[] {
  const rest = [...items];
  const out: T[] = [];
  while (rest.length > 0) out.push(...rest.splice(random.int(0, rest.length - 1), 1));
  return out;
}

function object(members: readonly (readonly [string, () => string])[]): string {
  let chosen = shuffled(members).filter(() => random.chance(0.97));
  if (random.chance(0.03) && chosen.length > 0) chosen = [...chosen, one(chosen)];
  const texts = chosen.map(
    ([name, value]) => `${space()}${key(name)}${space()}:${space()}${value()}${space()}`,
  );
  return `${space()}{${texts.join(random.chance(0.99) ? ',' : ',,')}}${space()}`;
}

const body = (): string =>
  object([
    ['from', number],
    ['to', number],
    ['msg', string],
  ]);
const request = (): string =>
  object([
    ['ver', () => one(['0', '1', number()])],
    ['op', () => one(['18', '20', '18', '20', number()])],
    ['seq', number],
    ['body', body],
  ]);

test('What the quick reader takes means the same to the reader of all JSON.', () => {
  let taken = 0;
  for (let round = 0; round < 25_000; round++) {
    const bytes = Buffer.from(request());
    if (random.chance(0.3) && bytes.length > 0) bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
    if (compare(random.chance(0.9) ? bytes : bytes.subarray(0, random.int(0, bytes.length)))) taken += 1;
  }
  assert(taken > 1_000, `only ${taken} were taken`);
});

test('What clients usually send is taken.', () => {
  for (const text of [
    '{"op":18,"seq":1,"body":{"from":21,"to":22,"msg":"hi"}}',
    JSON.stringify({ ver: 1, op: 20, seq: -5, body: { from: 1, to: 2_147_483_647, msg: '' } }),
    JSON.stringify({ body: { msg: "it's {fine}, [too]", to: 2, from: 1 }, op: 18 }, null, 2),
  ])
    assert.equal(compare(Buffer.from(text)), true, text);
});
