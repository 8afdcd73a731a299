import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElementCursor, MemberCursor, memberSlice } from '../../src/wire/json-slice.ts';
import { skipSpace, skipValue } from '../../src/wire/json-slice.ts';

function members(text: string): [string, string][] {
  const cursor = new MemberCursor(text, skipSpace(text, 0));
  const found: [string, string][] = [];
  while (cursor.next()) found.push([cursor.key, text.slice(cursor.start, cursor.end)]);
  return found;
}

function elements(text: string): string[] {
  const cursor = new ElementCursor(text, skipSpace(text, 0));
  const found: string[] = [];
  while (cursor.next()) found.push(text.slice(cursor.start, cursor.end));
  return found;
}

test('Members of an object are raw slices of its text.', () => {
  const text = ' { "a" : 12345678901234567890 ,"b":[1, {"c":"]}"}],\n"c":"x","d":{},"e":1.0 } ';
  assert.deepEqual(members(text), [
    ['a', '12345678901234567890'],
    ['b', '[1, {"c":"]}"}]'],
    ['c', '"x"'],
    ['d', '{}'],
    ['e', '1.0'],
  ]);
});

test('Elements of an array are raw slices of its text.', () => {
  const text = '\t[1.0,-0 , "a,]", [[]],{"a":[1]} ,true,false,null ]';
  const expected = ['1.0', '-0', '"a,]"', '[[]]', '{"a":[1]}', 'true', 'false', 'null'];
  assert.deepEqual(elements(text), expected);
});

test('Empty objects and arrays have nothing in them.', () => {
  assert.deepEqual(members('{}'), []);
  assert.deepEqual(members('{ }'), []);
  assert.deepEqual(elements('[]'), []);
  assert.deepEqual(elements('[ ]'), []);
});

test('Keys with escapes are what JSON.parse makes of them.', () => {
  assert.deepEqual(members(String.raw`{"\u0069d":1,"a\"b":2,"\\":3,"":4}`), [
    ['id', '1'],
    ['a"b', '2'],
    ['\\', '3'],
    ['', '4'],
  ]);
});

test('A string ends at the first quote that is not escaped.', () => {
  const texts = ['""', '"\\""', '"\\\\"', '"\\\\\\""', '"a\\\\\\\\"', '"\\u0022,\\"]"'];
  for (const text of texts) {
    assert.equal(skipValue(`${text},"b"`, 0), text.length);
    assert.deepEqual(elements(`[${text}, 1]`), [text, '1']);
  }
});

test('Of a key that comes twice the last holds.', () => {
  const text = String.raw`{"a":1,"b":2,"\u0061":3}`;
  const { start, end } = memberSlice(text, 0, 'a')!;
  assert.equal(text.slice(start, end), '3');
  assert.equal(memberSlice(text, 0, 'c'), undefined);
});

test('Deep nesting costs no stack.', () => {
  const depth = 100_000;
  const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
  assert.deepEqual(members(`{"a":${deep},"b":1}`), [
    ['a', deep],
    ['b', '1'],
  ]);
  assert.deepEqual(elements(`[${deep}]`), [deep]);
});

test('A value that ends the text ends there.', () => {
  assert.equal(skipValue('12', 0), 2);
  assert.equal(skipValue('"a"', 0), 3);
});
