import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnckeError } from '../../src/errors.ts';
import { parseAuth, parseAuthBytes } from '../../src/wire/auth-body.ts';

const good = { mid: 123, mkey: 'xxoo' };

const plain = { ...good, device: undefined, ack: false, notices: false };

test('Op 7 needs mid and mkey; device, ack and notices are optional and other keys are ignored.', () => {
  assert.deepEqual(parseAuth(good), plain);
  assert.deepEqual(parseAuth({ ...good, device: 'phone', room: 7 }), { ...plain, device: 'phone' });
  for (const name of ['ack', 'notices']) {
    assert.deepEqual(parseAuth({ ...good, [name]: true }), { ...plain, [name]: true });
    assert.deepEqual(parseAuth({ ...good, [name]: false }), plain);
  }
  assert.deepEqual(parseAuth({ mid: 1, mkey: '' }), { ...plain, mid: 1, mkey: '' });
});

const bad: [string, unknown][] = [
  ['not an object', 'x'],
  ['nothing', undefined],
  ['null', null],
  ['an array', [good]],
  ['no mid', { mkey: 'x' }],
  ['a mid of 0', { ...good, mid: 0 }],
  ['a mid that is no integer', { ...good, mid: 1.5 }],
  ['a mid over an int32', { ...good, mid: 2_147_483_648 }],
  ['a mid that is a string', { ...good, mid: '123' }],
  ['no mkey', { mid: 1 }],
  ['an mkey that is no string', { ...good, mkey: 5 }],
  ['an mkey over 4096 bytes', { ...good, mkey: 'é'.repeat(2049) }],
  ['an empty device', { ...good, device: '' }],
  ['a device with a control character', { ...good, device: 'a\tb' }],
  ['a device that is null', { ...good, device: null }],
  ['an ack that is a number', { ...good, ack: 1 }],
  ['an ack that is a string', { ...good, ack: 'true' }],
  ['an ack that is null', { ...good, ack: null }],
  ['notices that are a number', { ...good, notices: 1 }],
  ['notices that are null', { ...good, notices: null }],
];
for (const [what, body] of bad) {
  test(`Op 7 with ${what} is a bad body.`, () => {
    const result = parseAuth(body);
    assert(result instanceof EnckeError);
    assert.equal(result.code, 'bad_body');
  });
}

test('A binary op 7 has the same JSON as its body.', () => {
  const buf = Buffer.from('..{"mid":123,"mkey":"xxoo"}..');
  assert.deepEqual(parseAuthBytes(buf, 2, buf.length - 2), plain);
  assert(parseAuthBytes(buf, 0, buf.length) instanceof EnckeError);
  assert(parseAuthBytes(buf, 2, 2) instanceof EnckeError);
});

test('A binary op 7 that is not UTF-8 is a bad body.', () => {
  const buf = Buffer.from('{"mid":123,"mkey":"\xff"}', 'latin1');
  assert(parseAuthBytes(buf, 0, buf.length) instanceof EnckeError);
});
