import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { parseRequest } from '../../src/wire/comet-json.ts';
import { isTooDeep } from '../../src/wire/json-depth.ts';
import { parseSections } from '../../src/wire/messaging.ts';

const max = limits.jsonDepthMax;
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

test('JSON may nest as deep as the limit, wherever the brackets stand, and no deeper.', () => {
  assert.ok(!isTooDeep(nested(max)));
  assert.ok(isTooDeep(nested(max + 1)));
  assert.ok(isTooDeep('{"a":['.repeat(max)));
  assert.ok(!isTooDeep(`[${'[],{},'.repeat(max)}[]]`), 'many, but not deep');
  assert.ok(!isTooDeep(`"${'['.repeat(max * 2)}"`), 'in a string');
  assert.ok(!isTooDeep(`["\\"${'['.repeat(max * 2)}"]`), 'in a string with a quote');
  assert.ok(isTooDeep(`["\\\\",${nested(max)}]`), 'behind a string that ends with a backslash');
  for (const broken of [`"${'['.repeat(max * 2)}`, '}'.repeat(max * 2), '']) assert.ok(!isTooDeep(broken));
});

test('Comet closes with 1007 and messaging answers not_json for a text that nests too deep.', () => {
  const request = parseRequest(`{"op":18,"body":{"from":1,"to":2,"msg":${nested(max)}}}`);
  assert.ok('close' in request);
  assert.equal(request.close.code, 1007);
  assert.ok(!('close' in parseRequest(`{"op":18,"body":{"from":1,"to":2,"msg":${nested(max - 2)}}}`)));
  const deep = parseSections(`{"send":[{"id":1,"sid":"a","rid":"b","x":${nested(max)}}]}`);
  assert.deepEqual([deep.send.length, deep.errors[0]?.code], [0, 'not_json']);
  assert.equal(
    parseSections(`{"send":[{"id":1,"sid":"a","rid":"b","x":${nested(max - 3)}}]}`).send.length,
    1,
  );
});
