import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHistory, parseHistoryBytes, type HistoryQuery } from '../../src/wire/history-body.ts';
import { historyFrame, historyText } from '../../src/wire/history-reply.ts';
import { hex } from '../support/frames.ts';
import { bytesRun, jsonRun, runOf } from '../support/runs.ts';
import { PayloadKind } from '../../src/wire/run.ts';
import { SYSTEM } from '../../src/wire/user-id.ts';

const bytesOf = (text: string): HistoryQuery | string => {
  const body = hex(text);
  return parseHistoryBytes(Buffer.concat([hex('ff'), body, hex('ff')]), 1, 1 + body.length);
};

const defaults = { after: 0, before: Infinity, limit: 50, newestFirst: false };

test('A binary op 24 is kind, id, after, before, limit and order, in 26 bytes; 0 stands for what is absent.', () => {
  assert.deepEqual(bytesOf('00 00000015 0000000000000000 0000000000000000 00000000 00'), {
    target: { isGroup: false, id: 21 },
    ...defaults,
  });
  assert.deepEqual(bytesOf('01 00000007 0000000100000002 001fffffffffffff 00000100 01'), {
    target: { isGroup: true, id: 7 },
    after: 4_294_967_298,
    before: Number.MAX_SAFE_INTEGER,
    limit: 256,
    newestFirst: true,
  });
  assert.deepEqual(bytesOf('02 00000000 0000000000000001 0000000000000009 00000001 00 616e6e'), {
    target: { isGroup: false, id: 'ann' },
    after: 1,
    before: 9,
    limit: 1,
    newestFirst: false,
  });
});

const badBytes: [string, string, string][] = [
  ['no body', '', 'bad_body'],
  ['25 bytes', '00 00000015 0000000000000000 0000000000000000 00000000', 'bad_body'],
  ['27 bytes', '00 00000015 0000000000000000 0000000000000000 00000000 00 00', 'bad_body'],
  ['an unknown kind', '04 00000015 0000000000000000 0000000000000000 00000000 00', 'bad_body'],
  ['id 0', '00 00000000 0000000000000000 0000000000000000 00000000 00', 'bad_recipient'],
  ['an after below 0', '00 00000015 8000000000000000 0000000000000000 00000000 00', 'bad_body'],
  ['an after of 2^53', '00 00000015 0020000000000000 0000000000000000 00000000 00', 'bad_body'],
  ['a before below 0', '00 00000015 0000000000000000 ffffffffffffffff 00000000 00', 'bad_body'],
  ['a limit below 0', '00 00000015 0000000000000000 0000000000000000 ffffffff 00', 'bad_body'],
  ['a limit of 257', '00 00000015 0000000000000000 0000000000000000 00000101 00', 'bad_body'],
  ['an unknown order', '00 00000015 0000000000000000 0000000000000000 00000000 02', 'bad_body'],
];
for (const [what, body, code] of badBytes) {
  test(`A binary op 24 with ${what} is a ${code}.`, () => {
    assert.equal(bytesOf(body), code);
  });
}

test('A JSON op 24 needs a conversation alone; other members are ignored.', () => {
  assert.deepEqual(parseHistory({ with: 21, order: 'oldest', x: 1 }), {
    target: { isGroup: false, id: 21 },
    ...defaults,
  });
  assert.deepEqual(parseHistory({ group: 7, after: 3, before: 9, limit: 256, order: 'newest' }), {
    target: { isGroup: true, id: 7 },
    after: 3,
    before: 9,
    limit: 256,
    newestFirst: true,
  });
});

test('The conversation with the system is named 0, as a string.', () => {
  const target = { isGroup: false, id: SYSTEM };
  assert.deepEqual((parseHistory({ with: '0' }) as HistoryQuery).target, target);
  const bytes = '02 00000000 0000000000000000 0000000000000000 00000000 00 30';
  assert.deepEqual((bytesOf(bytes) as HistoryQuery).target, target);
});

const badBodies: [string, unknown, string][] = [
  ['no body', undefined, 'bad_body'],
  ['null', null, 'bad_body'],
  ['an array', [], 'bad_body'],
  ['no conversation', { limit: 5 }, 'bad_body'],
  ['two conversations', { with: 1, group: 1 }, 'bad_body'],
  ['a with of 0', { with: 0 }, 'bad_recipient'],
  ['an after below 0', { with: 1, after: -1 }, 'bad_body'],
  ['an after that is null', { with: 1, after: null }, 'bad_body'],
  ['a before of 0', { with: 1, before: 0 }, 'bad_body'],
  ['a before that is a string', { with: 1, before: '5' }, 'bad_body'],
  ['a limit of 0', { with: 1, limit: 0 }, 'bad_body'],
  ['a limit of 257', { with: 1, limit: 257 }, 'bad_body'],
  ['a limit with a fraction', { with: 1, limit: 1.5 }, 'bad_body'],
  ['an unknown order', { with: 1, order: 'random' }, 'bad_body'],
  ['an order that is null', { with: 1, order: null }, 'bad_body'],
];
for (const [what, body, code] of badBodies) {
  test(`A JSON op 24 with ${what} is a ${code}.`, () => {
    assert.equal(parseHistory(body), code);
  });
}

test('A binary op 25 is ret, last, more and the packages as they are in op 9.', () => {
  const runs = [bytesRun(Buffer.from('hi'))];
  assert.deepEqual(
    historyFrame(1, 16, { runs, last: 258, more: true }),
    hex(
      '0000003c 0010 0001 00000019 00000010 00 0000000000000102 01' +
        '00000022 0010 0001 00000012 00000000 0000000000000001 00000015 00000016 6869',
    ),
  );
  assert.deepEqual(
    historyFrame(0, 1, { runs: [], last: 0, more: false }),
    hex('0000001a 0010 0000 00000019 00000001 00 0000000000000000 00'),
  );
});

test('A binary op 25 that is refused has ret -1 and nothing else.', () => {
  assert.deepEqual(
    historyFrame(1, 17, null),
    hex('0000001a 0010 0001 00000019 00000011 ff 0000000000000000 00'),
  );
});

test('A JSON op 25 has the frames of op 9, each in the form of its kind.', () => {
  const runs = [
    jsonRun('{"n":1.0}'),
    runOf(PayloadKind.bytes, [Buffer.of(0xff)], { op: 20, from: 21, to: 7, first: 2 }),
  ];
  assert.equal(
    historyText(0, 5, { runs, last: 9, more: true }),
    '{"ver":0,"op":25,"seq":5,"body":{"ret":0,"last":9,"more":true,"messages":[' +
      '{"ver":1,"op":18,"seq":0,"body":{"chatId":1,"from":21,"to":22,"msg":{"n":1.0}}},' +
      '{"ver":1,"op":20,"seq":0,"body":{"chatId":2,"from":21,"to":7,"msg":"/w==","enc":"base64"}}]}}',
  );
  assert.equal(
    historyText(1, 5, { runs: [], last: 0, more: false }),
    '{"ver":1,"op":25,"seq":5,"body":{"ret":0,"last":0,"more":false,"messages":[]}}',
  );
});
