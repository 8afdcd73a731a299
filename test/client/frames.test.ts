import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PackageReader, decodePackages, encodePackage } from '../../src/client/frames.ts';
import type { Frame } from '../../src/client/frames.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const heartbeat = '00000010 0010 0001 00000002 00000007';
const hello = '00000015 0010 0001 00000012 00000008 68656c6c6f';
const longHeader = '00000016 0014 0000 00000009 00000000 aabbccdd 6869';

const frames: Frame<Buffer>[] = [
  { ver: 1, op: 2, seq: 7, body: Buffer.alloc(0) },
  { ver: 1, op: 18, seq: 8, body: Buffer.from('hello') },
  { ver: 0, op: 9, seq: 0, body: Buffer.from('hi') },
];

test('a package is written as the protocol says', () => {
  assert.deepEqual(encodePackage(frames[0]!), hex(heartbeat));
  assert.deepEqual(encodePackage(frames[1]!), hex(hello));
});

test('packages are read whole, and one byte at a time', () => {
  const bytes = hex(heartbeat + hello + longHeader);
  assert.deepEqual(new PackageReader().read(bytes), frames);
  const reader = new PackageReader();
  assert.deepEqual(
    [...bytes].flatMap((byte) => reader.read(Uint8Array.of(byte))),
    frames,
  );
  assert.equal(reader.pendingBytes, 0);
});

test('what cannot be a package is refused', () => {
  for (const head of ['00000010 000f', '0000000f 0010', '00000010 0011', 'ffffffff 0010']) {
    assert.throws(() => new PackageReader().read(hex(`${head} 0001 00000002 00000000`)), /not a package/);
  }
  assert.throws(() => decodePackages(hex(hello).subarray(0, -1)), /cut off/);
});
