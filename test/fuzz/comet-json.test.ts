/*
 * Random requests, some of them mutated, are read by parseRequest, which must never throw. A slow
 * reading of the rules over what JSON.parse says is the oracle; a json msg must also be, character
 * by character, a part of what was sent.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequest } from '../../src/wire/comet-json.ts';
import type { JsonSend } from '../../src/wire/comet-json.ts';
import { PayloadKind } from '../../src/wire/run.ts';
import { mutated, pad, randomJson, randomJsonString, randomObject } from '../support/random-json.ts';
import { seededRandom } from '../support/random.ts';
import type { Random } from '../support/random.ts';

const TEXTS = 30_000;

function randomRequest(random: Random): string {
  const text = pad(
    random,
    randomObject(random, ['ver', 'op', 'seq', 'body', 'x'], (key) => {
      if (random.chance(0.05)) return randomJson(random);
      if (key === 'op') return random.pick(['18', '20', '18.0', '2', '7', '99']);
      if (key === 'body') return randomBody(random);
      return random.pick(['0', '1', String(random.int32()), '-0']);
    }),
  );
  return random.chance(0.2) ? mutated(random, text) : text;
}

function randomBody(random: Random): string {
  return randomObject(random, ['from', 'to', 'msg', 'msg', random.pick(['enc', 'x'])], (key) => {
    if (random.chance(0.03)) return randomJson(random);
    if (key === 'enc') return random.pick(['"base64"', '"base64"', '"gzip"', 'null']);
    if (key !== 'msg') return random.chance(0.9) ? String(random.int32()) : '1.5';
    if (random.chance(0.3)) return `"${random.bytes(random.int(0, 9)).toString('base64')}"`;
    return random.chance(0.3) ? randomJsonString(random) : randomJson(random, 3);
  });
}

type Json = Record<string, unknown>;

const isInt32 = (n: unknown): boolean => Number.isInteger(n) && Math.abs(n as number) <= 2 ** 31;

function check(text: string): void {
  const request = parseRequest(text);
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    assert('close' in request && request.close.code === 1007);
    return;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    assert('close' in request && request.close.code === 1007);
    return;
  }
  const numbers = { ver: 1, seq: 0, ...value };
  if (!isInt32(value['op']) || !isInt32(numbers.ver) || !isInt32(numbers.seq)) {
    assert('close' in request && request.close.code === 4400);
    return;
  }
  assert('op' in request);
  assert(request.op === value['op'] && request.version === numbers.ver);
  assert(request.seq === numbers.seq);
  const isSend = request.op === 18 || request.op === 20;
  if (!isSend) assert.equal(request.send, undefined);
  else if (typeof request.send === 'object') checkSend(request.send, value['body'] as Json, text);
  else assert(isBad(value['body']));
}

function isBad(body: unknown): boolean {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return true;
  const { from, to, msg, enc } = body as Json;
  if (!isInt32(from) || !isInt32(to) || msg === undefined) return true;
  if (enc === undefined) return false;
  if (enc !== 'base64' || typeof msg !== 'string') return true;
  return Buffer.from(msg, 'base64').toString('base64') !== msg;
}

function checkSend(send: JsonSend, body: Json, text: string): void {
  assert(!isBad(body));
  assert(send.from === body['from'] && send.to === body['to']);
  const msg = body['msg'];
  const sent = send.msg.toString();
  if (body['enc'] === 'base64') {
    assert.equal(send.kind, PayloadKind.bytes);
    assert.equal(send.msg.toString('base64'), msg);
  } else if (typeof msg === 'string') {
    assert.equal(send.kind, PayloadKind.text);
    assert.equal(sent, Buffer.from(msg).toString());
  } else {
    assert.equal(send.kind, PayloadKind.json);
    assert.deepEqual(JSON.parse(sent), msg);
    assert(text.includes(sent));
  }
}

test('A request is read as its rules say, whatever is sent.', () => {
  const random = seededRandom('comet-json');
  for (let i = 0; i < TEXTS; i++) {
    const text = randomRequest(random);
    try {
      check(text);
    } catch (error) {
      console.log(text);
      throw error;
    }
  }
});
