import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeNotifications, messageIdOf } from '../../src/wire/messaging.ts';
import { PayloadKind, nextFrame } from '../../src/wire/run.ts';
import type { Run } from '../../src/wire/run.ts';
import { bytesRun, jsonRun, messagingRun, runOf, textRun } from '../support/runs.ts';

const KIB_256 = 262_144;

/** The only notification of these runs. */
function one(...runs: Run[]): string {
  const texts = encodeNotifications(runs, 256, KIB_256);
  assert.equal(texts.length, 1);
  return texts[0]!;
}

test('A messaging message is forwarded as it was sent.', () => {
  const raw = '{ "id": 1.0, "sid":21, "rid":22, "big":12345678901234567890 }';
  assert.equal(one(messagingRun(raw, '{"id":2}')), `{"messages":[${raw},{"id":2}]}`);
});

test('A comet message is named by its conversation, the lower mid first, and its number.', () => {
  const back = runOf(PayloadKind.text, ['b'], { from: 22, to: 21, first: 2 });
  assert.equal(
    one(textRun('a"'), back),
    String.raw`{"messages":[{"id":"c:21:22:1","sid":21,"rid":22,"chatId":1,"text":"a\""},` +
      '{"id":"c:21:22:2","sid":22,"rid":21,"chatId":2,"text":"b"}]}',
  );
});

test('A comet message of a group has the group as its receiver.', () => {
  const run = runOf(PayloadKind.text, ['a'], { op: 20, to: 7, first: 5 });
  assert.equal(one(run), '{"messages":[{"id":"g:7:5","sid":21,"rid":"#7","chatId":5,"text":"a"}]}');
});

const head = '"id":"c:21:22:1","sid":21,"rid":22,"chatId":1';

test('A json value that is an object is spread in place of text, its own ids dropped.', () => {
  const msg = String.raw`{ "url" : 1.0,"\u0069d":5,"sid":6,"rid":7,"chatId":8,"a\"":{"id":1} }`;
  assert.equal(one(jsonRun(msg)), `{"messages":[{${head},"url" : 1.0,"a\\"":{"id":1}}]}`);
  assert.equal(one(jsonRun('{}')), `{"messages":[{${head}}]}`);
});

test('Any other json value is the text.', () => {
  for (const value of ['[1.0]', 'null', '12345678901234567890', 'true']) {
    assert.equal(one(jsonRun(value)), `{"messages":[{${head},"text":${value}}]}`);
  }
});

test('Bytes are text if they are UTF-8, else base64.', () => {
  assert.equal(one(bytesRun(Buffer.from('hé'))), `{"messages":[{${head},"text":"hé"}]}`);
  assert.equal(one(bytesRun(Buffer.from([255]))), `{"messages":[{${head},"base64":"/w=="}]}`);
});

test('A notification has at most so many messages.', () => {
  const run = textRun(...Array.from({ length: 7 }, (_, i) => String(i)));
  const texts = encodeNotifications([run, run], 5, KIB_256);
  assert.deepEqual(texts.map(countOf), [5, 5, 4]);
});

function countOf(text: string): number {
  return (JSON.parse(text) as { messages: unknown[] }).messages.length;
}

test('A notification has at most so many bytes of UTF-8, all of it counted.', () => {
  const message = '{"id":1,"x":"é"}';
  const two = Buffer.byteLength(`{"messages":[${message},${message}]}`);
  const run = messagingRun(message, message, message);
  assert.deepEqual(encodeNotifications([run], 256, two).map(countOf), [2, 1]);
  assert.deepEqual(encodeNotifications([run], 256, two - 1).map(countOf), [1, 1, 1]);
});

test('Bytes of a comet message are counted as it is sent.', () => {
  const run = textRun('é'.repeat(50), '"'.repeat(50), 'x');
  for (const text of encodeNotifications([run], 256, 180)) {
    assert(Buffer.byteLength(text) <= 180, text);
  }
});

test('A message larger than a notification goes alone.', () => {
  const run = messagingRun('{"id":1}', `{"id":"${'x'.repeat(200)}"}`, '{"id":2}', '{"id":3}');
  assert.deepEqual(encodeNotifications([run], 256, 100).map(countOf), [1, 1, 2]);
});

test('Without messages there is no notification.', () => {
  assert.deepEqual(encodeNotifications([], 256, KIB_256), []);
});

test('A mailbox knows a comet message by the id and sid that messaging sees.', () => {
  const run = textRun('a', 'b');
  assert.deepEqual(messageIdOf(run, 0), { id: 'c:21:22:1', sid: '21' });
  assert.deepEqual(messageIdOf(run, nextFrame(run.bytes, 0)), { id: 'c:21:22:2', sid: '21' });
  const group = runOf(PayloadKind.text, ['a'], { op: 20, to: 7, first: 5 });
  assert.deepEqual(messageIdOf(group, 0), { id: 'g:7:5', sid: '21' });
});

test('A mailbox knows a messaging message by the string form of its id and sid.', () => {
  const run = messagingRun('{"id":1.0,"sid":"ann"}', ' {"sid":7,"id":9007199254740993}');
  assert.deepEqual(messageIdOf(run, 0), { id: '1', sid: 'ann' });
  const second = nextFrame(run.bytes, 0);
  assert.deepEqual(messageIdOf(run, second), { id: '9007199254740993', sid: '7' });
});
