/*
 * Random JSON texts with odd white space, escapes and repeated keys are taken apart by the cursors.
 * JSON.parse is the oracle: the slices, parsed one by one and put together, are what it makes of
 * the whole, and nothing but white space and punctuation lies between them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElementCursor, MemberCursor, skipSpace, skipValue } from '../../src/wire/json-slice.ts';
import { pad, randomJson } from '../support/random-json.ts';
import { seededRandom } from '../support/random.ts';

const TEXTS = 30_000;

function rebuild(text: string): unknown {
  const start = skipSpace(text, 0);
  const end = skipValue(text, start);
  assert.equal(text.slice(end).trim(), '');
  assert.equal(text.slice(start, end), text.trim());
  if (text[start] === '[') return rebuildArray(text, start);
  if (text[start] === '{') return rebuildObject(text, start);
  return JSON.parse(text.slice(start, end));
}

function rebuildArray(text: string, start: number): unknown[] {
  const elements: unknown[] = [];
  const cursor = new ElementCursor(text, start);
  let at = start + 1;
  while (cursor.next()) {
    assert.match(text.slice(at, cursor.start), /^\s*,?\s*$/);
    elements.push(rebuild(text.slice(cursor.start, cursor.end)));
    at = cursor.end;
  }
  return elements;
}

function rebuildObject(text: string, start: number): object {
  const members = new Map<string, unknown>();
  const cursor = new MemberCursor(text, start);
  let at = start + 1;
  while (cursor.next()) {
    assert.match(text.slice(at, cursor.keyStart), /^\s*,?\s*$/);
    assert.equal(text[cursor.keyStart], '"');
    members.set(cursor.key, rebuild(text.slice(cursor.start, cursor.end)));
    at = cursor.end;
  }
  // As JSON.parse does it: "__proto__" is a member like any other.
  return Object.fromEntries(members);
}

test('Slices of a text, put together, are what JSON.parse makes of it.', () => {
  const random = seededRandom('json-slice');
  for (let i = 0; i < TEXTS; i++) {
    const text = pad(random, randomJson(random));
    assert.deepEqual(rebuild(text), JSON.parse(text), text);
  }
});
