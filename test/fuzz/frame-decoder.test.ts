/*
 * Streams of random packages, valid, mutated or cut off, go through a FrameDecoder in random chunks,
 * with a sink that says stop now and then. A naive decoder that sees the whole stream at once says
 * what must come out: the same packages and the same failure, however the stream was cut.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameDecoder, decodeMessage } from '../../src/wire/frame-decoder.ts';
import { FrameRecorder } from '../support/frames.ts';
import type { SeenFrame } from '../support/frames.ts';
import { seededRandom } from '../support/random.ts';
import type { Random } from '../support/random.ts';

const MAX = 300;
const STREAMS = 20_000;

interface Expected {
  readonly frames: SeenFrame[];
  readonly code: number | undefined;
  /** Bytes after the last whole package, when there was no failure. */
  readonly rest: number;
}

function naive(bytes: Buffer): Expected {
  const frames: SeenFrame[] = [];
  let at = 0;
  while (bytes.length - at >= 16) {
    const packageLength = bytes.readInt32BE(at);
    const headerLength = bytes.readInt16BE(at + 4);
    if (packageLength > MAX) return { frames, code: 1009, rest: 0 };
    if (headerLength < 16) return { frames, code: 1002, rest: 0 };
    if (packageLength < headerLength) return { frames, code: 1002, rest: 0 };
    if (at + packageLength > bytes.length) break;
    frames.push({
      op: bytes.readInt32BE(at + 8),
      version: bytes.readInt16BE(at + 6),
      seq: bytes.readInt32BE(at + 12),
      body: bytes.toString('hex', at + headerLength, at + packageLength),
    });
    at += packageLength;
  }
  return { frames, code: undefined, rest: bytes.length - at };
}

function randomPackage(random: Random): Buffer {
  const headerLength = random.chance(0.8) ? 16 : random.int(16, 40);
  const bodyMax = random.chance(0.1) ? MAX - headerLength : 40;
  const bytes = random.bytes(headerLength + random.int(0, bodyMax));
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt16BE(headerLength, 4);
  return bytes;
}

function randomStream(random: Random): Buffer {
  if (random.chance(0.05)) return random.bytes(random.int(0, 100));
  const packages = Array.from({ length: random.int(0, 8) }, () => randomPackage(random));
  const bytes = Buffer.concat(packages);
  if (bytes.length > 0 && random.chance(0.3)) {
    const at = random.int(0, bytes.length - 1);
    bytes[at] = random.chance(0.5) ? random.int(0, 255) : bytes[at]! ^ (1 << random.int(0, 7));
  }
  return bytes.subarray(0, random.chance(0.3) ? random.int(0, bytes.length) : bytes.length);
}

function checkStream(random: Random, bytes: Buffer): void {
  const expected = naive(bytes);
  const decoder = new FrameDecoder(MAX);
  const recorder = new FrameRecorder(() => random.chance(0.9));
  const chunkMax = random.pick([1, 5, 20, 100, 4000]);
  for (let at = 0; at < bytes.length && decoder.failure === undefined;) {
    const end = Math.min(bytes.length, at + random.int(1, chunkMax));
    // A chunk lies anywhere in a larger buffer.
    const before = random.int(0, 3);
    const chunk = Buffer.concat([random.bytes(before), bytes.subarray(at, end), random.bytes(2)]);
    const chunkEnd = before + end - at;
    for (let from = before; from < chunkEnd && decoder.failure === undefined;) {
      from = decoder.decode(chunk, from, chunkEnd, recorder);
      assert(from <= chunkEnd);
    }
    at = end;
  }
  assert.deepEqual(recorder.frames, expected.frames);
  assert.equal(decoder.failure?.close.code, expected.code);
  assert.equal(decoder.pending, expected.rest);
}

function checkMessage(random: Random, bytes: Buffer): void {
  const expected = naive(bytes);
  const recorder = new FrameRecorder(() => random.chance(0.9));
  let at = 0;
  let code: number | undefined;
  do {
    const { offset, failure } = decodeMessage(bytes, at, bytes.length, MAX, recorder);
    code = failure?.close.code;
    at = offset;
  } while (code === undefined && at < bytes.length);
  assert.deepEqual(recorder.frames, expected.frames);
  const cutOff = bytes.length === 0 || expected.rest > 0;
  assert.equal(code, expected.code ?? (cutOff ? 1002 : undefined));
}

test('However a stream is cut, the same packages and the same failure come out.', () => {
  const random = seededRandom('frame-decoder');
  for (let i = 0; i < STREAMS; i++) checkStream(random, randomStream(random));
});

test('A message gives the packages and the failure of its bytes.', () => {
  const random = seededRandom('decode-message');
  for (let i = 0; i < STREAMS; i++) checkMessage(random, randomStream(random));
});
