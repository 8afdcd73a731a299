import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseAck, parseAckBytes } from '../../src/wire/ack-body.ts';
import { parseAuth, parseAuthBytes } from '../../src/wire/auth-body.ts';
import { isSendBody } from '../../src/wire/comet-binary.ts';
import { parseRequest } from '../../src/wire/comet-json.ts';
import { FrameDecoder } from '../../src/wire/frame-decoder.ts';
import { HEADER_BYTES, MESSAGE_HEAD_BYTES } from '../../src/wire/frame.ts';
import { parseHistory, parseHistoryBytes } from '../../src/wire/history-body.ts';
import { expiringText, parseSections } from '../../src/wire/messaging.ts';
import { Op } from '../../src/wire/op.ts';
import { FrameRecorder, hex, type SeenFrame } from '../support/frames.ts';

/*
 * The examples of docs/protocol.md are fenced blocks with a mark behind the language: "hex op=N" is
 * one package, with notes behind "#"; "json op=N" is one JSON frame; "json messaging" one text.
 */

// From dist/test/wire/.
const contract = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
const blocks = [...contract.matchAll(/^```(hex|json) (\S+).*\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', mark = '', text = '']) => ({ language, mark, text }),
);

const packages = blocks
  .filter(({ language }) => language === 'hex')
  .map(({ mark, text }) => ({ op: opOf(mark), bytes: hex(text.replaceAll(/#.*$/gm, '')) }));
const frames = blocks
  .filter(({ language, mark }) => language === 'json' && mark !== 'messaging')
  .map(({ mark, text }) => ({ op: opOf(mark), text }));
const texts = blocks.filter(({ mark }) => mark === 'messaging').map(({ text }) => text);

function opOf(mark: string): number {
  assert.match(mark, /^op=\d+$/, 'a block is marked with its operation');
  return Number(mark.slice('op='.length));
}

/** All packages in `bytes`, which must be whole. */
function decode(bytes: Buffer): SeenFrame[] {
  const recorder = new FrameRecorder();
  const decoder = new FrameDecoder(65_536);
  assert.equal(decoder.decode(bytes, 0, bytes.length, recorder), bytes.length);
  assert.equal(decoder.failure, undefined);
  assert.equal(decoder.pending, 0, 'the last package is whole');
  return recorder.frames;
}

function jsonBody(frame: SeenFrame): Record<string, unknown> {
  return JSON.parse(hex(frame.body).toString()) as Record<string, unknown>;
}

test('The contract has an example of every operation in both encodings.', () => {
  const all = [...Object.values(Op), 99].toSorted((a, b) => a - b);
  const inHex = new Set(packages.map(({ op }) => op));
  const inJson = new Set(frames.map(({ op }) => op));
  assert.deepEqual(
    [...inHex].toSorted((a, b) => a - b),
    all,
  );
  assert.deepEqual(
    [...inJson].toSorted((a, b) => a - b),
    all.filter((op) => op !== Op.end),
  );
});

test('Each hex example is one whole package of the operation that it says.', () => {
  for (const { op, bytes } of packages) {
    const seen = decode(bytes);
    assert.deepEqual(
      seen.map((frame) => [frame.op, frame.version]),
      [[op, 1]],
      'one package',
    );
    checkBody(seen[0] as SeenFrame);
  }
});

function checkBody(frame: SeenFrame): void {
  const bytes = hex(frame.body);
  switch (frame.op) {
    case Op.heartbeat:
    case Op.heartbeatReply:
      assert.equal(bytes.length, 0);
      break;
    case Op.end:
      assert.deepEqual(Object.keys(jsonBody(frame)), ['code', 'reason']);
      break;
    case Op.auth:
      assert.ok('mid' in parseAuthBytes(bytes, 0, bytes.length));
      break;
    case Op.send:
    case Op.groupSend:
      assert.ok(isSendBody(0, bytes.length));
      break;
    case Op.ack:
      assert.equal(typeof parseAckBytes(bytes, 0, bytes.length), 'object');
      break;
    case Op.history:
      assert.equal(typeof parseHistoryBytes(bytes, 0, bytes.length), 'object');
      break;
    case Op.historyReply:
      assert.ok(bytes.length >= 10);
      if (bytes.length > 10) checkBatch(bytes.subarray(10));
      break;
    case Op.sendReply:
    case Op.groupSendReply:
    case Op.ackReply:
      assert.equal(bytes.length, 9);
      break;
    case Op.batch:
      checkBatch(bytes);
      break;
    case Op.notice:
      assert.equal(bytes.toString(), expiringText(60));
      break;
    default: // op 8, and an unknown operation
      assert.ok('ret' in jsonBody(frame));
  }
}

function checkBatch(bytes: Buffer): void {
  const messages = decode(bytes);
  assert.ok(messages.length > 0);
  for (const { op, seq, body } of messages) {
    assert.ok(op === Op.send || op === Op.groupSend);
    assert.equal(seq, 0);
    assert.ok(hex(body).length >= MESSAGE_HEAD_BYTES);
  }
}

test('One hex example has a header that is longer than it must be.', () => {
  const headers = packages.map(({ bytes }) => bytes.readInt16BE(4));
  assert.equal(headers.filter((length) => length > HEADER_BYTES).length, 1);
});

test('Each JSON example is a frame of its operation, and each request is a good one.', () => {
  for (const { op, text } of frames) {
    const request = parseRequest(text);
    assert.ok('op' in request, text);
    assert.equal(request.op, op, text);
    const { body, send } = request;
    if (op === Op.auth) assert.ok('mid' in parseAuth(body), text);
    if (op === Op.send || op === Op.groupSend) assert.equal(typeof send, 'object', text);
    if (op === Op.ack) assert.equal(typeof parseAck(body), 'object', text);
    if (op === Op.history) assert.equal(typeof parseHistory(body), 'object', text);
    if (op === Op.batch) assert.ok(Array.isArray(body) && body.length > 0, text);
  }
});

const sections = new Set(['send', 'read', 'messages', 'errors', 'accepted', 'welcome', 'expiring']);

test('Each messaging example is one that the server takes or sends.', () => {
  for (const text of texts) {
    const names = Object.keys(JSON.parse(text) as object);
    const known = names.every((name) => sections.has(name));
    assert.ok(known && names.length > 0, text);
    assert.deepEqual(parseSections(text).errors, [], text);
  }
});
