/*
 * Random messages go into a RunBuilder with small chunks, run after run. Every run, also cut into
 * parts, must come back message by message: from its own frames, from a binary batch through the
 * frame decoder, from a JSON batch through JSON.parse, and from notifications.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchByteLength, writeBatch } from '../../src/wire/comet-binary.ts';
import { encodeBatch } from '../../src/wire/comet-json.ts';
import { decodeMessage } from '../../src/wire/frame-decoder.ts';
import { encodeNotifications } from '../../src/wire/messaging.ts';
import { RunBuilder } from '../../src/wire/run-builder.ts';
import { Origin, PayloadKind, numberRun, runAfter, splitRun } from '../../src/wire/run.ts';
import type { Run } from '../../src/wire/run.ts';
import { FrameRecorder } from '../support/frames.ts';
import { randomJson } from '../support/random-json.ts';
import { seededRandom } from '../support/random.ts';
import type { Random } from '../support/random.ts';

const ROUNDS = 3_000;

interface Message {
  readonly op: number;
  readonly chatId: number;
  readonly from: number;
  readonly to: number;
  readonly kind: PayloadKind;
  readonly msg: Buffer;
}

function randomMsg(random: Random, kind: PayloadKind): Buffer {
  if (kind === PayloadKind.json) return Buffer.from(randomJson(random, 2));
  const length = random.int(0, random.chance(0.05) ? 500 : 40);
  if (kind === PayloadKind.bytes && random.chance(0.5)) return random.bytes(length);
  const chars = ['a', '"', '\\', '\n', 'é', '🙂', '\ufffd', '\u2028', '\u0001'];
  return Buffer.from(Array.from({ length }, () => random.pick(chars)).join(''));
}

function randomRun(random: Random, builder: RunBuilder): [Run, Message[]] {
  const kind = random.pick([PayloadKind.bytes, PayloadKind.text, PayloadKind.json]);
  const first = random.chance(0.1) ? Number.MAX_SAFE_INTEGER - 10 : random.int(1, 2 ** 40);
  const [op, from, to] = [random.pick([18, 20]), random.int(1, 2 ** 31 - 1), random.int(1, 99)];
  const messages: Message[] = [];
  for (let i = random.int(1, 8); i > 0; i--) {
    const msg = randomMsg(random, kind);
    const before = random.int(0, 2);
    const src = Buffer.concat([random.bytes(before), msg, random.bytes(2)]);
    builder.add(op, from, to, src, before, before + msg.length);
    messages.push({ op, chatId: first + messages.length, from, to, kind, msg });
  }
  assert.equal(builder.count, messages.length);
  const run = builder.finish(kind, Origin.comet, 0);
  numberRun(run, first);
  return [run, messages];
}

function checkBinary(runs: readonly Run[], messages: readonly Message[]): void {
  const batch = Buffer.allocUnsafe(batchByteLength(runs));
  assert.equal(writeBatch(batch, 0, runs), batch.length);
  const outer = new FrameRecorder();
  assert.equal(decodeMessage(batch, 0, batch.length, 1e9, outer).failure, undefined);
  assert.equal(outer.frames.length, 1);
  const body = Buffer.from(outer.frames[0]!.body, 'hex');
  const inner = new FrameRecorder();
  assert.equal(decodeMessage(body, 0, body.length, 1e9, inner).failure, undefined);
  const expected = messages.map(({ op, chatId, from, to, msg }) => {
    const head = Buffer.alloc(16);
    head.writeBigInt64BE(BigInt(chatId), 0);
    head.writeInt32BE(from, 8);
    head.writeInt32BE(to, 12);
    return { op, version: 1, seq: 0, body: Buffer.concat([head, msg]).toString('hex') };
  });
  assert.deepEqual(inner.frames, expected);
}

/** What `msg` is as JSON, and whether it is base64. */
function jsonMsg({ kind, msg }: Message): [unknown, boolean] {
  if (kind === PayloadKind.json) return [JSON.parse(msg.toString()), false];
  const text = msg.toString();
  return Buffer.from(text).equals(msg) ? [text, false] : [msg.toString('base64'), true];
}

function checkJson(runs: readonly Run[], messages: readonly Message[]): void {
  const body = messages.map((message) => {
    const { op, chatId, from, to } = message;
    const [msg, isBase64] = jsonMsg(message);
    const enc = isBase64 ? { enc: 'base64' } : {};
    return { ver: 1, op, seq: 0, body: { chatId, from, to, msg, ...enc } };
  });
  assert.deepEqual(JSON.parse(encodeBatch(runs)), { ver: 1, op: 9, seq: 0, body });
}

function checkNotifications(runs: readonly Run[], messages: readonly Message[]): void {
  const seen = encodeNotifications(runs, 3, 1000).flatMap(
    (text) => (JSON.parse(text) as { messages: Record<string, unknown>[] }).messages,
  );
  assert.equal(seen.length, messages.length);
  for (const [i, message] of messages.entries()) {
    const { chatId, sid, text, base64 } = seen[i]!;
    assert.deepEqual([chatId, sid], [message.chatId, message.from]);
    const [msg, isBase64] = jsonMsg(message);
    if (isBase64) assert.equal(base64, msg);
    else if (typeof msg !== 'object' || msg === null) assert.equal(text, msg);
  }
}

test('Runs come back message by message from every encoding.', () => {
  const random = seededRandom('run');
  const builder = new RunBuilder(512);
  for (let i = 0; i < ROUNDS; i++) {
    const runs: Run[] = [];
    const messages: Message[] = [];
    for (let n = random.int(1, 4); n > 0; n--) {
      const [run, its] = randomRun(random, builder);
      const cut = random.int(0, its.length - 1);
      const parts = cut > 0 && random.chance(0.5) ? splitRun(run, cut) : [runAfter(run, run.first + cut - 1)];
      runs.push(...parts);
      messages.push(...(parts.length === 2 ? its : its.slice(cut)));
    }
    checkBinary(runs, messages);
    checkJson(runs, messages);
    checkNotifications(runs, messages);
  }
});
