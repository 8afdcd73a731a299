import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchByteLength, isSendBody, sendFrom, sendMsgStart } from '../../src/wire/comet-binary.ts';
import { sendTo, writeBatch } from '../../src/wire/comet-binary.ts';
import { RunBuilder } from '../../src/wire/run-builder.ts';
import { Origin, PayloadKind, frameChatId, frameFrom, frameMsgStart } from '../../src/wire/run.ts';
import { frameOp, frameTo, nextFrame, numberRun, runAfter, runLast } from '../../src/wire/run.ts';
import { splitRun } from '../../src/wire/run.ts';
import type { Run } from '../../src/wire/run.ts';
import { hex } from '../support/frames.ts';

function runOf(msgs: readonly string[], builder = new RunBuilder(), op = 18): Run {
  for (const msg of msgs) {
    const src = Buffer.from(`<${msg}>`);
    builder.add(op, 21, 22, src, 1, src.length - 1);
  }
  return builder.finish(PayloadKind.text, Origin.comet, 1000);
}

function messagesOf(run: Run): [number, string][] {
  const { bytes } = run;
  const found: [number, string][] = [];
  for (let at = 0; at < bytes.length; at = nextFrame(bytes, at)) {
    const msg = bytes.toString('utf8', frameMsgStart(bytes, at), nextFrame(bytes, at));
    found.push([frameChatId(bytes, at), msg]);
  }
  return found;
}

test('A run is its messages as a binary client receives them.', () => {
  const run = runOf(['hi', '']);
  numberRun(run, 258);
  assert.deepEqual(
    run.bytes,
    hex(`
      00000022 0010 0001 00000012 00000000 0000000000000102 00000015 00000016 6869
      00000020 0010 0001 00000012 00000000 0000000000000103 00000015 00000016`),
  );
  const { count, first, kind, origin, time } = run;
  assert.deepEqual(
    { count, first, kind, origin, time },
    {
      count: 2,
      first: 258,
      kind: PayloadKind.text,
      origin: Origin.comet,
      time: 1000,
    },
  );
});

test('A run that was not numbered has chatId 0 everywhere, whatever was in memory.', () => {
  assert.deepEqual(messagesOf(runOf(['a', 'b'])), [
    [0, 'a'],
    [0, 'b'],
  ]);
  assert.equal(runOf(['a']).first, 0);
});

test('The fields of a frame are read where they are.', () => {
  const { bytes } = runOf(['x', 'yy'], new RunBuilder(), 20);
  const second = nextFrame(bytes, 0);
  assert.equal(second, 33);
  assert.equal(frameOp(bytes, second), 20);
  assert.equal(frameFrom(bytes, second), 21);
  assert.equal(frameTo(bytes, second), 22);
  assert.equal(frameMsgStart(bytes, second), 65);
});

test('Runs lie one behind the other in a chunk until one no longer fits.', () => {
  const builder = new RunBuilder(128);
  const [a, b, c] = [runOf(['a'], builder), runOf(['b'], builder), runOf(['c', 'd'], builder)];
  assert.equal(a.bytes.buffer, b.bytes.buffer);
  assert.notEqual(b.bytes.buffer, c.bytes.buffer);
  assert.deepEqual([a, b, c].flatMap(messagesOf), [
    [0, 'a'],
    [0, 'b'],
    [0, 'c'],
    [0, 'd'],
  ]);
});

test('A run may outgrow a chunk, and a message may alone.', () => {
  const builder = new RunBuilder(100);
  const long = 'x'.repeat(1000);
  const run = runOf(['a', long, 'b', long, 'c'], builder);
  assert.equal(run.count, 5);
  assert.equal(run.bytes.length, 5 * 32 + 2003);
  assert.deepEqual(
    messagesOf(run).map(([, msg]) => msg),
    ['a', long, 'b', long, 'c'],
  );
});

test('A builder tells how much it holds, and begins anew after a run.', () => {
  const builder = new RunBuilder();
  assert.deepEqual([builder.count, builder.byteLength], [0, 0]);
  builder.add(18, 1, 2, Buffer.from('hey'), 0, 3);
  assert.deepEqual([builder.count, builder.byteLength], [1, 35]);
  builder.finish(PayloadKind.bytes, Origin.comet, 0);
  assert.deepEqual([builder.count, builder.byteLength], [0, 0]);
  assert.throws(() => builder.finish(PayloadKind.bytes, Origin.comet, 0), /invariant/);
});

test('The messages after a number are a view of the run.', () => {
  const run = runOf(['a', 'b', 'c']);
  numberRun(run, 5);
  assert.equal(runLast(run), 7);
  assert.equal(runAfter(run, 4), run);
  assert.equal(runAfter(run, 0), run);
  const rest = runAfter(run, 5);
  assert.deepEqual(messagesOf(rest), [
    [6, 'b'],
    [7, 'c'],
  ]);
  assert.deepEqual([rest.first, rest.count, rest.time], [6, 2, 1000]);
  assert.equal(rest.bytes.buffer, run.bytes.buffer);
  assert.throws(() => runAfter(run, 7), /invariant/);
});

test('A run is split after a count of messages.', () => {
  const run = runOf(['a', 'b', 'c']);
  const [head, tail] = splitRun(run, 2);
  assert.deepEqual([head.count, head.first, tail.count, tail.first], [2, 0, 1, 0]);
  numberRun(run, 1);
  const [one, two] = splitRun(run, 1);
  assert.deepEqual(messagesOf(one), [[1, 'a']]);
  assert.deepEqual(messagesOf(two), [
    [2, 'b'],
    [3, 'c'],
  ]);
  assert.deepEqual([one.first, two.first], [1, 2]);
  assert.throws(() => splitRun(run, 3), /invariant/);
  assert.throws(() => splitRun(run, 0), /invariant/);
});

test('Numbers stay below 2^53.', () => {
  const run = runOf(['a', 'b']);
  assert.throws(() => numberRun(run, Number.MAX_SAFE_INTEGER), /invariant/);
  numberRun(run, Number.MAX_SAFE_INTEGER - 1);
  assert.equal(runLast(run), Number.MAX_SAFE_INTEGER);
});

test('A binary batch is one op 9 around the bytes of its runs.', () => {
  const [a, b] = [runOf(['hi']), runOf(['x'], new RunBuilder(), 20)];
  numberRun(a, 1);
  numberRun(b, 2);
  const buf = Buffer.alloc(1 + batchByteLength([a, b]));
  assert.equal(writeBatch(buf, 1, [a, b]), buf.length);
  assert.deepEqual(
    buf,
    hex(`00
      00000053 0010 0001 00000009 00000000
      00000022 0010 0001 00000012 00000000 0000000000000001 00000015 00000016 6869
      00000021 0010 0001 00000014 00000000 0000000000000002 00000015 00000016 78`),
  );
});

test('A binary request has from, to and msg; under 8 bytes it has not.', () => {
  const body = hex('00 00000015 fffffffe 6869');
  assert.equal(isSendBody(1, 11), true);
  assert.equal(isSendBody(1, 9), true);
  assert.equal(isSendBody(1, 8), false);
  assert.equal(sendFrom(body, 1), 21);
  assert.equal(sendTo(body, 1), -2);
  assert.equal(sendMsgStart(1), 9);
});
