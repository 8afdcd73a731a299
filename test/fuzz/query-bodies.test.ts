/*
 * Random bodies of op 22 and 24 are read by their parsers, which must never throw. In binary a slow
 * reading with BigInts is the oracle; in JSON the rules over what was made. A request that is good
 * in one encoding must be the same in the other, written by the client library.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binaryEncoding } from '../../src/client/encoding-binary.ts';
import { jsonEncoding } from '../../src/client/encoding-json.ts';
import { parseAck, parseAckBytes } from '../../src/wire/ack-body.ts';
import { parseHistory, parseHistoryBytes } from '../../src/wire/history-body.ts';
import { parseClientId, SYSTEM } from '../../src/wire/user-id.ts';
import { randomJson } from '../support/random-json.ts';
import { seededRandom, type Random } from '../support/random.ts';

const BODIES = 30_000;
const NUMBER_MAX = 2n ** 53n - 1n;

const int32s = [0, 1, 7, 21, -1, 2_147_483_647, -2_147_483_648];
const int64s = [0n, 1n, 5n, NUMBER_MAX, NUMBER_MAX + 1n, -1n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 32n];

function randomBytes(random: Random, headBytes: number): Buffer {
  const body = Buffer.alloc(headBytes);
  body.writeInt8(random.chance(0.9) ? random.int(0, 2) : random.int(-128, 127), 0);
  const isClient = body[0] === 2;
  body.writeInt32BE(isClient && random.chance(0.8) ? 0 : random.pick(int32s), 1);
  for (let at = 5; at + 8 <= headBytes; at += 8) body.writeBigInt64BE(random.pick(int64s), at);
  if (headBytes === 26) {
    body.writeInt32BE(random.pick([0, 1, 50, 256, 257, -1]), 21);
    body.writeInt8(random.chance(0.9) ? random.int(0, 1) : random.int(-128, 127), 25);
  }
  const name = random.pick([Buffer.from('ann'), Buffer.from('21'), Buffer.from('0'), random.bytes(3)]);
  const whole = isClient || random.chance(0.05) ? Buffer.concat([body, name]) : body;
  return random.chance(0.9) ? whole : whole.subarray(0, random.int(0, whole.length));
}

/** The system has a name that no client can have. */
const clientNamed = (name: string): ReturnType<typeof parseClientId> =>
  name === SYSTEM ? SYSTEM : parseClientId(name);

/** The conversation, or the code. */
function targetOf(body: Buffer, headBytes: number): unknown {
  if (body.length < headBytes) return 'bad_body';
  const [kind, id] = [body.readInt8(0), body.readInt32BE(1)];
  if (kind === 2) {
    const name = body.subarray(headBytes);
    if (id !== 0 || Buffer.compare(Buffer.from(name.toString()), name) !== 0) return 'bad_body';
    const client = clientNamed(name.toString());
    return client === undefined ? 'bad_recipient' : { isGroup: false, id: client };
  }
  if (body.length !== headBytes || (kind !== 0 && kind !== 1)) return 'bad_body';
  return id > 0 ? { isGroup: kind === 1, id } : 'bad_recipient';
}

const isNumber = (n: bigint): boolean => n >= 0n && n <= NUMBER_MAX;

test('Any bytes are read as op 22 as its rules say.', () => {
  const random = seededRandom('ack-bytes');
  for (let i = 0; i < BODIES; i++) {
    const body = randomBytes(random, 13);
    const target = targetOf(body, 13);
    const read = parseAckBytes(body, 0, body.length);
    if (typeof target === 'string') assert.equal(read, target, body.toString('hex'));
    else {
      const chatId = body.readBigInt64BE(5);
      const expected = isNumber(chatId) && chatId > 0n ? { target, chatId: Number(chatId) } : 'bad_body';
      assert.deepEqual(read, expected, body.toString('hex'));
    }
  }
});

test('Any bytes are read as op 24 as its rules say.', () => {
  const random = seededRandom('history-bytes');
  for (let i = 0; i < BODIES; i++) {
    const body = randomBytes(random, 26);
    const target = targetOf(body, 26);
    const read = parseHistoryBytes(body, 0, body.length);
    if (typeof target === 'string') {
      assert.equal(read, target, body.toString('hex'));
      continue;
    }
    const [after, before] = [body.readBigInt64BE(5), body.readBigInt64BE(13)];
    const [limit, order] = [body.readInt32BE(21), body.readInt8(25)];
    const good =
      isNumber(after) && isNumber(before) && limit >= 0 && limit <= 256 && (order === 0 || order === 1);
    const expected = {
      target,
      after: Number(after),
      before: before === 0n ? Infinity : Number(before),
      limit: limit === 0 ? 50 : limit,
      newestFirst: order === 1,
    };
    assert.deepEqual(read, good ? expected : 'bad_body', body.toString('hex'));
  }
});

test('What is good in JSON is the same in binary, and nothing makes a parser throw.', () => {
  const random = seededRandom('query-json');
  let good = 0;
  for (let i = 0; i < BODIES; i++) {
    const value: unknown = JSON.parse(randomJson(random));
    for (const parse of [parseAck, parseHistory]) assert.equal(typeof parse(value), 'string');
    const number = (): number =>
      random.chance(0.9) ? random.int(0, 9) : random.pick([-1, 2 ** 53 - 1, 2 ** 53, 1.5]);
    const of = random.chance(0.5)
      ? { group: random.pick([...int32s, 1.5]) }
      : { with: random.pick([...int32s, 'ann', '21', '', '0']) };
    const chatId = number();
    const options = {
      ...(random.chance(0.5) && { after: number() }),
      ...(random.chance(0.5) && { before: number() }),
      ...(random.chance(0.5) && { limit: random.pick([1, 50, 256, 0, 257, -1]) }),
      ...(random.chance(0.5) && { order: random.pick(['oldest', 'newest'] as const) }),
    };
    const ack = parseAck(jsonEncoding.ack(of, chatId));
    const history = parseHistory(jsonEncoding.history(of, options));
    if (typeof ack === 'object') {
      const body = binaryEncoding.ack(of, chatId) as Buffer;
      assert.deepEqual(parseAckBytes(body, 0, body.length), ack);
      good += 1;
    }
    if (typeof history === 'object') {
      const body = binaryEncoding.history(of, options) as Buffer;
      assert.deepEqual(parseHistoryBytes(body, 0, body.length), history);
      good += 1;
    }
  }
  assert.ok(good > BODIES / 10, `${good} were good`);
});
