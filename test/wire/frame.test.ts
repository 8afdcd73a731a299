import assert from 'node:assert/strict';
import { viewOf } from '../../src/wire/view-of.ts';
import { test } from 'node:test';
import { Op } from '../../src/wire/op.ts';
import { REPLY_BYTES, frameWithText, readChatId, readInt16 } from '../../src/wire/frame.ts';
import { writeChatId, writeHeader, writeReply } from '../../src/wire/frame.ts';
import { errorReplyBody } from '../../src/wire/comet-json.ts';
import { hex } from '../support/frames.ts';

test('A header is length, 16, version, operation, sequence, all big-endian.', () => {
  const buf = Buffer.alloc(18);
  assert.equal(writeHeader(buf, 2, 0x01020304, 1, 18, 0x0a0b0c0d), 18);
  assert.deepEqual(buf, hex('0000 01020304 0010 0001 00000012 0a0b0c0d'));
});

test('A sequence and a version are echoed bit by bit, negative ones as well.', () => {
  const buf = Buffer.alloc(16);
  writeHeader(buf, 0, 16, -2, -3, -2_147_483_648);
  assert.deepEqual(buf, hex('00000010 0010 fffe fffffffd 80000000'));
  assert.equal(readInt16(buf, 6), -2);
});

test('A reply is 25 bytes: header, ret 0 and the chatId.', () => {
  const buf = Buffer.alloc(REPLY_BYTES);
  assert.equal(writeReply(viewOf(buf), 0, Op.sendReply, 1, 9, 0, 258), 25);
  assert.deepEqual(buf, hex('00000019 0010 0001 00000013 00000009 00 0000000000000102'));
});

test('A failed reply has ret -1 and chatId 0.', () => {
  const buf = Buffer.alloc(REPLY_BYTES, 0xee);
  writeReply(viewOf(buf), 0, Op.groupSendReply, 0, 9, -1, 0);
  assert.deepEqual(buf, hex('00000019 0010 0000 00000015 00000009 ff 0000000000000000'));
});

test('A chatId is an int64 up to 2^53-1.', () => {
  const buf = Buffer.alloc(8);
  for (const n of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    writeChatId(buf, 0, n);
    assert.equal(buf.readBigInt64BE(0), BigInt(n));
    assert.equal(readChatId(buf, 0), n);
  }
});

test('A frame with text carries it as UTF-8.', () => {
  const frame = frameWithText(Op.authReply, 1, 3, '{"é":1}');
  assert.deepEqual(frame, hex('00000018 0010 0001 00000008 00000003 7b22c3a9223a317d'));
});

test('An unknown operation is answered with its own op and seq.', () => {
  const frame = frameWithText(99, 1, 3, errorReplyBody(99, 'unknown_operation'));
  assert.deepEqual(frame.subarray(8, 16), hex('00000063 00000003'));
  assert.equal(frame.toString('utf8', 16), '{"ret":-1,"error":"unknown_operation"}');
});
