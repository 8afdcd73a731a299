import assert from 'node:assert/strict';
import { limits } from '../../src/limits.ts';
import { test } from 'node:test';
import { authReplyText, closeText, encodeBatch, errorReplyText } from '../../src/wire/comet-json.ts';
import { heartbeatReplyText, parseRequest, replyText } from '../../src/wire/comet-json.ts';
import type { JsonRequest, JsonSend } from '../../src/wire/comet-json.ts';
import { PayloadKind } from '../../src/wire/run.ts';
import { bytesRun, jsonRun, runOf, textRun } from '../support/runs.ts';

function accepted(text: string): JsonRequest {
  const request = parseRequest(text);
  assert(!('close' in request), text);
  return request;
}

function closeCode(text: string): number | undefined {
  const request = parseRequest(text);
  return 'close' in request ? request.close.code : undefined;
}

/** What an op 18 with this body, after from and to, is read as. */
function sendOf(rest: string): JsonSend {
  const { send } = accepted(`{"op":18,"body":{"from":1,"to":2${rest}}}`);
  assert(typeof send === 'object', rest);
  return send;
}

function sendError(body: string): unknown {
  return accepted(`{"op":18,"seq":1,"body":${body}}`).send;
}

test('A request has op, ver, seq and body.', () => {
  const request = accepted('{"ver":0,"op":7,"seq":-5,"body":{"mid":1}}');
  assert.deepEqual(request, { op: 7, version: 0, seq: -5, body: { mid: 1 }, send: undefined });
});

test('Without ver it is 1, without seq 0, and a heartbeat has no body.', () => {
  const expected = { op: 2, version: 1, seq: 0, body: undefined, send: undefined };
  assert.deepEqual(accepted(' {"op":2} '), expected);
});

test('What is not JSON, or not an object, is 1007.', () => {
  for (const text of ['', '{', '{"op":2}x', 'null', '[]', '"x"', '2', "{'op':2}", '\ufeff{"op":2}']) {
    assert.equal(closeCode(text), 1007, text);
  }
});

test('An op, seq or ver that is no int32 is 4400.', () => {
  const texts = ['{}', '{"op":"2"}', '{"op":null}', '{"op":2.5}', '{"op":2147483648}'];
  const seqs = ['{"op":2,"seq":"1"}', '{"op":2,"seq":null}', '{"op":2,"seq":1e10}'];
  const versions = ['{"op":2,"ver":true}', '{"op":2,"ver":1.5}', '{"op":2,"ver":[]}'];
  for (const text of [...texts, ...seqs, ...versions]) assert.equal(closeCode(text), 4400, text);
});

test('A msg that is a string is text in UTF-8.', () => {
  const send = sendOf(String.raw`,"msg":"h\u00e9\n🙂"`);
  assert.deepEqual([send.from, send.to, send.kind], [1, 2, PayloadKind.text]);
  assert.equal(send.msg.toString(), 'hé\n🙂');
  assert.equal(sendOf(',"msg":""').msg.length, 0);
});

test('Half a character becomes U+FFFD.', () => {
  assert.equal(sendOf(String.raw`,"msg":"a\ud800b"`).msg.toString(), 'a\ufffdb');
});

test('A msg that is any other JSON value is kept as its raw text.', () => {
  const values = ['12345678901234567890', '1.0', 'null', 'false', '[ 1 , 2 ]', '{ "b":1,"a":{} }'];
  for (const value of values) {
    const send = sendOf(`,"msg" : ${value} `);
    assert.equal(send.kind, PayloadKind.json);
    assert.equal(send.msg.toString(), value);
  }
});

test('Of a body or msg that comes twice the last holds, in its raw text as well.', () => {
  const text = '{"op":18,"body":{"msg":[1]},"body":{"msg":[2],"from":1,"to":2,"msg":[3.0]}}';
  const { send } = accepted(text);
  assert(typeof send === 'object');
  assert.equal(send.msg.toString(), '[3.0]');
});

test('A msg is taken as deep as JSON may nest.', () => {
  const levels = limits.jsonDepthMax - 2; // the frame and its body are the others
  const deep = `${'['.repeat(levels)}${']'.repeat(levels)}`;
  assert.equal(sendOf(`,"msg":${deep}`).msg.toString(), deep);
});

test('With enc base64 a string msg is bytes.', () => {
  const send = sendOf(',"msg":"/wA=","enc":"base64"');
  assert.equal(send.kind, PayloadKind.bytes);
  assert.deepEqual(send.msg, Buffer.from([0xff, 0]));
  assert.equal(sendOf(',"msg":"","enc":"base64"').msg.length, 0);
});

test('Base64 that is invalid, an unknown enc, or enc beside another value is a bad body.', () => {
  const rests = ['"/wA","enc":"base64"', '"a b=","enc":"base64"', '"_wA=","enc":"base64"'];
  const others = ['"x","enc":"gzip"', '"x","enc":null', '[1],"enc":"base64"'];
  for (const rest of [...rests, ...others]) {
    assert.equal(sendError(`{"from":1,"to":2,"msg":${rest}}`), 'bad_body', rest);
  }
});

test('A body without from, to or msg, or with ones of the wrong type, is a bad body.', () => {
  const bodies = ['null', '[]', '"x"', '{}', '{"from":1,"to":2}', '{"from":1,"msg":""}'];
  const wrong = ['{"from":"1","to":2,"msg":""}', '{"from":1,"to":2.5,"msg":""}'];
  const large = ['{"from":1,"to":2147483648,"msg":""}'];
  for (const body of [...bodies, ...wrong, ...large]) assert.equal(sendError(body), 'bad_body', body);
  assert.equal(accepted('{"op":20}').send, 'bad_body');
});

test('Replies say ret, and repeat version and seq.', () => {
  assert.equal(heartbeatReplyText(1, 4), '{"ver":1,"op":3,"seq":4}');
  assert.equal(authReplyText(0, 4, 21), '{"ver":0,"op":8,"seq":4,"body":{"ret":0,"mid":21}}');
  assert.equal(
    authReplyText(1, 4, 'not_authenticated'),
    '{"ver":1,"op":8,"seq":4,"body":{"ret":-1,"error":"not_authenticated"}}',
  );
  assert.equal(
    replyText(19, 1, -4, 9_007_199_254_740_991),
    '{"ver":1,"op":19,"seq":-4,"body":{"ret":0,"chatId":9007199254740991}}',
  );
});

test('A failed op 18 or 20 has chatId 0 and its code; an unknown operation has its own op.', () => {
  assert.equal(
    errorReplyText(21, 1, 4, 'not_member'),
    '{"ver":1,"op":21,"seq":4,"body":{"ret":-1,"chatId":0,"error":"not_member"}}',
  );
  for (const op of [99, 21]) {
    assert.equal(
      errorReplyText(op, 1, 4, 'unknown_operation'),
      `{"ver":1,"op":${op},"seq":4,"body":{"ret":-1,"error":"unknown_operation"}}`,
    );
  }
});

test('The body of op 6 is code and reason.', () => {
  assert.equal(closeText(1009, 'too "big"'), String.raw`{"code":1009,"reason":"too \"big\""}`);
});

test('A batch is an array of received messages.', () => {
  const group = runOf(PayloadKind.text, ['c'], { op: 20, from: 1, to: 7, first: 9 });
  assert.equal(
    encodeBatch([textRun('a', 'b'), group]),
    '{"ver":1,"op":9,"seq":0,"body":[' +
      '{"ver":1,"op":18,"seq":0,"body":{"chatId":1,"from":21,"to":22,"msg":"a"}},' +
      '{"ver":1,"op":18,"seq":0,"body":{"chatId":2,"from":21,"to":22,"msg":"b"}},' +
      '{"ver":1,"op":20,"seq":0,"body":{"chatId":9,"from":1,"to":7,"msg":"c"}}]}',
  );
  assert.equal(encodeBatch([]), '{"ver":1,"op":9,"seq":0,"body":[]}');
});

function msgsOf(batch: string): unknown[] {
  const { body } = JSON.parse(batch) as { body: { body: { msg: unknown; enc?: string } }[] };
  return body.map((message) => [message.body.msg, message.body.enc]);
}

test('In a batch text is a string, whatever it has to escape.', () => {
  const texts = ['', 'plain', 'a"b', 'a\\b', '\u0000\n\u001f', '\u2028🙂é\ufffd', '\u007f'];
  assert.deepEqual(
    msgsOf(encodeBatch([textRun(...texts)])),
    texts.map((text) => [text, undefined]),
  );
});

test('In a batch json is its raw text.', () => {
  const text = encodeBatch([jsonRun('12345678901234567890', '{ "a":1.0 }')]);
  assert.match(text, /"msg":12345678901234567890\}/);
  assert.match(text, /"msg":\{ "a":1\.0 \}\}/);
});

test('In a batch bytes are a string if they are UTF-8, else base64.', () => {
  const run = bytesRun(Buffer.from('hé"'), Buffer.from('\ufffd'), Buffer.from([0xff, 0]));
  const expected = [
    ['hé"', undefined],
    ['\ufffd', undefined],
    ['/wA=', 'base64'],
  ];
  assert.deepEqual(msgsOf(encodeBatch([run])), expected);
});
