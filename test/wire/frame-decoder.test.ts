import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameDecoder, decodeMessage } from '../../src/wire/frame-decoder.ts';
import { FrameRecorder, hex } from '../support/frames.ts';
import type { SeenFrame } from '../support/frames.ts';

const MAX = 65_536;

/** Decodes in chunks of `step` bytes. */
function decode(bytes: Buffer, step: number, max = MAX): [SeenFrame[], FrameDecoder] {
  const decoder = new FrameDecoder(max);
  const recorder = new FrameRecorder();
  for (let at = 0; at < bytes.length; at += step) {
    const chunk = bytes.subarray(at, at + step);
    const offset = decoder.decode(chunk, 0, chunk.length, recorder);
    if (decoder.failure === undefined) assert.equal(offset, chunk.length);
  }
  return [recorder.frames, decoder];
}

const HEARTBEAT = hex('00000010 0010 0001 00000002 00000007');
const heartbeat = { op: 2, version: 1, seq: 7, body: '' };

const cases: { title: string; bytes: Buffer; frames: SeenFrame[]; code?: number; max?: number }[] = [
  { title: 'A heartbeat is a header alone.', bytes: HEARTBEAT, frames: [heartbeat] },
  {
    title: 'Packages come one after another.',
    bytes: hex(`
      00000010 0010 0001 00000002 00000007
      0000001a 0010 0001 00000012 00000008 00000015 00000016 6869
      00000010 0010 0001 00000002 00000007`),
    frames: [heartbeat, { op: 18, version: 1, seq: 8, body: '00000015000000166869' }, heartbeat],
  },
  {
    title: 'The body begins at the header length: a longer header is skipped over.',
    bytes: hex('00000015 0013 0001 00000012 00000008 aabbcc 6869'),
    frames: [{ op: 18, version: 1, seq: 8, body: '6869' }],
  },
  {
    title: 'Version, operation and sequence are signed and passed as they are.',
    bytes: hex('00000010 0010 ffff 80000000 ffffffff'),
    frames: [{ op: -2_147_483_648, version: -1, seq: -1, body: '' }],
  },
  {
    title: 'A package of exactly the limit is taken.',
    bytes: hex('00000014 0010 0001 00000002 00000007 01020304'),
    frames: [{ ...heartbeat, body: '01020304' }],
    max: 20,
  },
  {
    title: 'A package over the limit is 1009 as soon as its header is read.',
    bytes: Buffer.concat([HEARTBEAT, hex('00010001 0010 0001 00000002 00000007')]),
    frames: [heartbeat],
    code: 1009,
  },
  {
    title: 'Of a package that is too long and has a short header, too long is told.',
    bytes: hex('7fffffff 0000 0001 00000002 00000007'),
    frames: [],
    code: 1009,
  },
  {
    title: 'A package shorter than its header is 1002.',
    bytes: Buffer.concat([HEARTBEAT, hex('0000000f 0010 0001 00000002 00000007')]),
    frames: [heartbeat],
    code: 1002,
  },
  {
    title: 'A package of negative length is 1002.',
    bytes: hex('ffffffff 0010 0001 00000002 00000007'),
    frames: [],
    code: 1002,
  },
  {
    title: 'A header under 16 bytes is 1002.',
    bytes: hex('00000010 000f 0001 00000002 00000007'),
    frames: [],
    code: 1002,
  },
  {
    title: 'A header of negative length is 1002.',
    bytes: hex('00000010 8010 0001 00000002 00000007'),
    frames: [],
    code: 1002,
  },
  {
    title: 'A header longer than its package is 1002.',
    bytes: hex('00000018 0019 0001 00000002 00000007 0102030405060708'),
    frames: [],
    code: 1002,
  },
];

for (const { title, bytes, frames, code, max } of cases) {
  for (const step of [bytes.length, 1, 7, 16, 17]) {
    test(`${title} (in chunks of ${step})`, () => {
      const [seen, decoder] = decode(bytes, step, max);
      assert.deepEqual(seen, frames);
      assert.equal(decoder.failure?.close.code, code);
      assert.equal(decoder.pending, 0);
    });
  }
  test(`${title} (as a message)`, () => {
    const recorder = new FrameRecorder();
    const { failure } = decodeMessage(bytes, 0, bytes.length, max ?? MAX, recorder);
    assert.deepEqual(recorder.frames, frames);
    assert.equal(failure?.close.code, code);
  });
}

test('A whole package is passed as offsets into the chunk, without a copy.', () => {
  const chunk = Buffer.concat([hex('ffff'), HEARTBEAT, hex('ffff')]);
  const decoder = new FrameDecoder(MAX);
  const seen: [Buffer, number, number][] = [];
  const onFrame = (...frame: [number, number, number, Buffer, number, number]): boolean => {
    seen.push([frame[3], frame[4], frame[5]]);
    return true;
  };
  assert.equal(decoder.decode(chunk, 2, 18, { onFrame }), 18);
  assert.equal(seen.length, 1);
  assert.equal(seen[0]?.[0], chunk);
  assert.deepEqual(seen[0]?.slice(1), [18, 18]);
});

test('A partial package is held, and counted, until the rest comes.', () => {
  const decoder = new FrameDecoder(MAX);
  const recorder = new FrameRecorder();
  const bytes = hex('00000014 0010 0001 00000002 00000007 01020304');
  assert.equal(decoder.decode(bytes, 0, 5, recorder), 5);
  assert.equal(decoder.pending, 5);
  assert.equal(decoder.decode(bytes, 5, 18, recorder), 18);
  assert.equal(decoder.pending, 18);
  assert.deepEqual(recorder.frames, []);
  assert.equal(decoder.decode(bytes, 18, 20, recorder), 20);
  assert.equal(decoder.pending, 0);
  assert.deepEqual(recorder.frames, [{ ...heartbeat, body: '01020304' }]);
});

test('When the sink says stop, decoding stops after that frame and goes on from there.', () => {
  const three = Buffer.concat([HEARTBEAT, HEARTBEAT, HEARTBEAT]);
  const decoder = new FrameDecoder(MAX);
  const recorder = new FrameRecorder((count) => count !== 2);
  assert.equal(decoder.decode(three, 0, 48, recorder), 32);
  assert.equal(recorder.frames.length, 2);
  assert.equal(decoder.decode(three, 32, 48, recorder), 48);
  assert.equal(recorder.frames.length, 3);
});

test('The sink can say stop after a package that was split.', () => {
  const two = Buffer.concat([HEARTBEAT, HEARTBEAT]);
  for (const cut of [3, 15]) {
    const decoder = new FrameDecoder(MAX);
    const recorder = new FrameRecorder(() => false);
    assert.equal(decoder.decode(two, 0, cut, recorder), cut);
    assert.equal(decoder.decode(two, cut, 32, recorder), 16);
    assert.equal(decoder.decode(two, 16, 32, recorder), 32);
    assert.equal(recorder.frames.length, 2);
  }
});

test('After a failure nothing is read any more.', () => {
  const decoder = new FrameDecoder(MAX);
  const recorder = new FrameRecorder();
  const bad = hex('00000010 0001 0001 00000002 00000007');
  decoder.decode(bad, 0, bad.length, recorder);
  const { failure } = decoder;
  assert.equal(failure?.close.code, 1002);
  assert.equal(decoder.decode(HEARTBEAT, 0, 16, recorder), 0);
  assert.equal(decoder.failure, failure);
  assert.deepEqual(recorder.frames, []);
});

test('A message whose last package runs past it is 1002, after the packages before.', () => {
  for (const cut of [17, 20, 31]) {
    const recorder = new FrameRecorder();
    const bytes = Buffer.concat([HEARTBEAT, HEARTBEAT, HEARTBEAT]);
    const { offset, failure } = decodeMessage(bytes, 0, cut, MAX, recorder);
    assert.equal(failure?.close.code, 1002);
    assert.equal(offset, 16);
    assert.deepEqual(recorder.frames, [heartbeat]);
  }
});

test('A message without any package is 1002.', () => {
  const recorder = new FrameRecorder();
  assert.equal(decodeMessage(HEARTBEAT, 4, 4, MAX, recorder).failure?.close.code, 1002);
});

test('A message can be stopped and gone on with.', () => {
  const recorder = new FrameRecorder(() => false);
  const two = Buffer.concat([HEARTBEAT, HEARTBEAT]);
  const first = decodeMessage(two, 0, 32, MAX, recorder);
  assert.deepEqual(first, { offset: 16, failure: undefined });
  assert.deepEqual(decodeMessage(two, 16, 32, MAX, recorder), { offset: 32, failure: undefined });
  assert.deepEqual(recorder.frames, [heartbeat, heartbeat]);
});
