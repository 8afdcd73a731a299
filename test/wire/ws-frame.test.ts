import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Writable } from 'node:stream';
import * as ws from 'ws';
import { eachWsMessage, writeWsHead, WsOpcode, wsHeadBytes } from '../../src/wire/ws-frame.ts';

// The library's own reader, which its types do not name.
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

const sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000];

function framed(opcode: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(wsHeadBytes(payload.length) + payload.length, 0xee);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  payload.copy(bytes, writeWsHead(view, 0, opcode, payload.length));
  return bytes;
}

test('The head of a message is 2, 4 or 10 bytes: FIN, the opcode and the length.', () => {
  assert.equal(framed(WsOpcode.text, Buffer.from('hi')).toString('hex'), '81026869');
  assert.equal(framed(WsOpcode.binary, Buffer.alloc(256)).subarray(0, 4).toString('hex'), '827e0100');
  const long = framed(WsOpcode.binary, Buffer.alloc(65_536)).subarray(0, 10).toString('hex');
  assert.equal(long, '827f0000000000010000');
  assert.deepEqual(sizes.map(wsHeadBytes), [2, 2, 2, 4, 4, 4, 10, 10]);
});

test('What the ws library reads of several messages in one write is what was written.', async () => {
  const receiver = new Receiver({ isServer: false });
  const got: [number, boolean][] = [];
  receiver.on('message', (data: Buffer, isBinary: boolean) => got.push([data.length, isBinary]));
  const messages = sizes.flatMap((size) => [
    framed(WsOpcode.text, Buffer.alloc(size, 'x')),
    framed(WsOpcode.binary, Buffer.alloc(size, 0xff)),
  ]);
  const done = new Promise<void>((resolve) => receiver.on('finish', resolve));
  receiver.end(Buffer.concat(messages));
  await done;
  assert.deepEqual(
    got,
    sizes.flatMap((size) => [
      [size, false],
      [size, true],
    ]),
  );
});

test('Several messages in one write are told apart again.', () => {
  const payloads = sizes.map((size) => Buffer.alloc(size, size % 251));
  const bytes = Buffer.concat(payloads.map((payload, i) => framed(1 + (i % 2), payload)));
  const got: [Buffer, boolean][] = [];
  eachWsMessage(bytes, (payload, isText) => got.push([payload, isText]));
  assert.deepEqual(
    got,
    payloads.map((payload, i) => [payload, i % 2 === 0]),
  );
});
