import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnckeError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { parseAuthBytes } from '../../src/wire/auth-body.ts';
import { goimReply, parseOperations, pushPackage, splitRoom } from '../../src/wire/goim.ts';
import { hex } from '../support/frames.ts';

const parse = (body: unknown): ReturnType<typeof parseAuthBytes> => {
  const bytes = Buffer.from(JSON.stringify(body));
  return parseAuthBytes(bytes, 0, bytes.length);
};

const none = { key: '', room: '', accepts: [] };
const plain = { mkey: '', device: undefined, ack: false, notices: false };

test('An op 7 is of a goim client if it has accepts, key, room_id or platform; what it leaves out is zero or empty.', () => {
  for (const [member, value] of [
    ['accepts', []],
    ['key', ''],
    ['room_id', null],
    ['platform', 'web'],
  ] as const) {
    assert.deepEqual(parse({ mid: 1, [member]: value }), { ...plain, mid: 1, goim: none }, member);
    assert.deepEqual(parse({ [member]: value }), { ...plain, mid: 0, goim: none }, member);
  }
  const whole = {
    mid: 2 ** 53 - 1,
    key: 'k',
    room_id: 'a://b',
    platform: 'ios',
    accepts: [3, -1, 3],
    mkey: 'm',
  };
  assert.deepEqual(parse({ ...whole, device: 'd', ack: true }), {
    mid: 2 ** 53 - 1,
    mkey: 'm',
    device: 'd',
    ack: true,
    notices: false,
    goim: { key: 'k', room: 'a://b', accepts: [3, -1] },
  });
  assert.deepEqual(parse({ mid: 1, mkey: '' }), { ...plain, mid: 1 });
  assert.ok(parse({ mid: 1 }) instanceof EnckeError); // Encke's own op 7 needs its mkey
});

test('Names and accepts may be as long as their limits.', () => {
  const name = 'é'.repeat(limits.goimNameCharsMax);
  const accepts = Array.from({ length: limits.goimAcceptsMax }, (_, i) => i);
  assert.deepEqual(parse({ key: name, room_id: name, accepts }), {
    ...plain,
    mid: 0,
    goim: { key: name, room: name, accepts },
  });
  for (const bad of [{ key: `${name}x` }, { room_id: `${name}x` }, { accepts: [...accepts, 7_000] }]) {
    assert.ok(parse(bad) instanceof EnckeError);
  }
});

test('Operations of op 14 and 16 are decimal int32s with commas between; anything else is none at all.', () => {
  assert.deepEqual(parseOperations(''), []);
  assert.deepEqual(parseOperations('1000'), [1000]);
  assert.deepEqual(parseOperations('1,-2,+3,2147483647'), [1, -2, 3, 2_147_483_647]);
  for (const bad of ['1,', ',', '1, 2', '1.5', '0x1', '1e3', '2147483648', 'a', ' ']) {
    assert.equal(parseOperations(bad), undefined, bad);
  }
});

test('A push is a package of version 1 and sequence 0; a reply repeats both.', () => {
  assert.deepEqual(pushPackage(1_000, Buffer.from('hi')), hex('00000012 0010 0001 000003e8 00000000 6869'));
  assert.deepEqual(goimReply(8, 0, 7), hex('00000010 0010 0000 00000008 00000007'));
  assert.deepEqual(goimReply(13, 102, -1, Buffer.from('a')), hex('00000011 0010 0066 0000000d ffffffff 61'));
});

test('A room has a type and a name.', () => {
  assert.deepEqual(splitRoom('live://1000'), { type: 'live', name: '1000' });
  assert.deepEqual(splitRoom('a://b://c'), { type: 'a', name: 'b://c' });
  assert.deepEqual(splitRoom('a://'), { type: 'a', name: '' });
  for (const bad of ['', 'x', '://x', 'a:/b']) assert.equal(splitRoom(bad), undefined);
});
