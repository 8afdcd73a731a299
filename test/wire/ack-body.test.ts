import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAck, parseAckBytes } from '../../src/wire/ack-body.ts';
import { errorReplyText } from '../../src/wire/comet-json.ts';
import { hex } from '../support/frames.ts';

const bytesOf = (text: string): ReturnType<typeof parseAckBytes> => {
  const body = hex(text);
  return parseAckBytes(Buffer.concat([hex('ff'), body, hex('ff')]), 1, 1 + body.length);
};

test('A binary op 22 is kind, id and chatId, in 13 bytes.', () => {
  assert.deepEqual(bytesOf('00 00000015 0000000000000102'), {
    target: { isGroup: false, id: 21 },
    chatId: 258,
  });
  assert.deepEqual(bytesOf('01 7fffffff 001fffffffffffff'), {
    target: { isGroup: true, id: 2_147_483_647 },
    chatId: Number.MAX_SAFE_INTEGER,
  });
});

test('A binary op 22 of kind 2 names a string client behind its 13 bytes.', () => {
  assert.deepEqual(bytesOf('02 00000000 0000000000000001 616e6e c3a9'), {
    target: { isGroup: false, id: 'anné' },
    chatId: 1,
  });
  // The plain decimal form of a mid is that mid.
  assert.deepEqual(bytesOf('02 00000000 0000000000000001 3231'), {
    target: { isGroup: false, id: 21 },
    chatId: 1,
  });
});

const badBytes: [string, string, string][] = [
  ['no body', '', 'bad_body'],
  ['12 bytes', '00 00000015 00000000000001', 'bad_body'],
  ['14 bytes', '00 00000015 0000000000000001 00', 'bad_body'],
  ['an unknown kind', '03 00000015 0000000000000001', 'bad_body'],
  ['a kind below 0', 'ff 00000015 0000000000000001', 'bad_body'],
  ['chatId 0', '00 00000015 0000000000000000', 'bad_body'],
  ['a chatId below 0', '00 00000015 ffffffffffffffff', 'bad_body'],
  ['a chatId of 2^53', '00 00000015 0020000000000000', 'bad_body'],
  ['id 0', '00 00000000 0000000000000001', 'bad_recipient'],
  ['an id below 0', '01 ffffffff 0000000000000001', 'bad_recipient'],
  ['a string client and an id', '02 00000001 0000000000000001 616e6e', 'bad_body'],
  ['a string client without a name', '02 00000000 0000000000000001', 'bad_recipient'],
  ['a name that is not UTF-8', '02 00000000 0000000000000001 ff', 'bad_body'],
  ['a name of 129 characters', `02 00000000 0000000000000001 ${'61'.repeat(129)}`, 'bad_recipient'],
];
for (const [what, body, code] of badBytes) {
  test(`A binary op 22 with ${what} is a ${code}.`, () => {
    assert.equal(bytesOf(body), code);
  });
}

test('A JSON op 22 has with or group, and chatId; other members are ignored.', () => {
  assert.deepEqual(parseAck({ with: 21, chatId: 5, more: 'x' }), {
    target: { isGroup: false, id: 21 },
    chatId: 5,
  });
  assert.deepEqual(parseAck({ group: 7, chatId: 1 }), { target: { isGroup: true, id: 7 }, chatId: 1 });
  assert.deepEqual(parseAck({ with: 'ann', chatId: 1 }), {
    target: { isGroup: false, id: 'ann' },
    chatId: 1,
  });
});

const badBodies: [string, unknown, string][] = [
  ['no body', undefined, 'bad_body'],
  ['null', null, 'bad_body'],
  ['an array', [{ with: 21, chatId: 1 }], 'bad_body'],
  ['a string', 'x', 'bad_body'],
  ['neither with nor group', { chatId: 1 }, 'bad_body'],
  ['both with and group', { with: 21, group: 7, chatId: 1 }, 'bad_body'],
  ['a with that is null', { with: null, chatId: 1 }, 'bad_body'],
  ['a with that is no integer', { with: 1.5, chatId: 1 }, 'bad_body'],
  ['a with over an int32', { with: 2_147_483_648, chatId: 1 }, 'bad_body'],
  ['a with of 0', { with: 0, chatId: 1 }, 'bad_recipient'],
  ['a group below 0', { group: -7, chatId: 1 }, 'bad_recipient'],
  ['a group that is a string', { group: '7', chatId: 1 }, 'bad_body'],
  ['a with that is an empty string', { with: '', chatId: 1 }, 'bad_recipient'],
  ['no chatId', { with: 21 }, 'bad_body'],
  ['a chatId of 0', { with: 21, chatId: 0 }, 'bad_body'],
  ['a chatId below 0', { with: 21, chatId: -1 }, 'bad_body'],
  ['a chatId of 2^53', { with: 21, chatId: 2 ** 53 }, 'bad_body'],
  ['a chatId that is a string', { with: 21, chatId: '1' }, 'bad_body'],
  ['a chatId with a fraction', { with: 21, chatId: 1.5 }, 'bad_body'],
];
for (const [what, body, code] of badBodies) {
  test(`A JSON op 22 with ${what} is a ${code}.`, () => {
    assert.equal(parseAck(body), code);
  });
}

test('A refused op 23 has the form of op 19, an unknown one that of any unknown operation.', () => {
  assert.equal(
    errorReplyText(23, 1, 5, 'not_member'),
    '{"ver":1,"op":23,"seq":5,"body":{"ret":-1,"chatId":0,"error":"not_member"}}',
  );
  assert.equal(
    errorReplyText(23, 1, 5, 'unknown_operation'),
    '{"ver":1,"op":23,"seq":5,"body":{"ret":-1,"error":"unknown_operation"}}',
  );
});
