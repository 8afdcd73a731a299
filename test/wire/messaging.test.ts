import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedText, encodeAccepted, encodeErrors, parseSections } from '../../src/wire/messaging.ts';

test('A send item has its ids in string form and its text untouched.', () => {
  const raw = '{ "id": 11, "rid": "31", "sid": 21, "n": 12345678901234567890, "x": 1.0 }';
  const { send, read, errors } = parseSections(`{"send":[ ${raw} ,{"id":"a\\"","sid":"s","rid":2}]}`);
  assert.deepEqual(send, [
    { id: '11', idText: '11', sid: '21', rid: '31', raw },
    { id: 'a"', idText: '"a\\""', sid: 's', rid: '2', raw: '{"id":"a\\"","sid":"s","rid":2}' },
  ]);
  assert.deepEqual([read, errors], [[], []]);
});

test('Numbers are compared as strings: 1.0, 1 and "1" are one id.', () => {
  const ids = ['1', '1.0', '"1"', '1e0', '10e-1'];
  for (const id of ids) {
    assert.equal(parseSections(`{"read":[{"id":${id}}]}`).read[0]?.id, '1', id);
  }
  const others = { '-0': '0', '0': '0', '1.50': '1.5', '1e21': '1e+21', '-7': '-7' };
  for (const [id, form] of Object.entries(others)) {
    assert.equal(parseSections(`{"read":[{"id":${id}}]}`).read[0]?.id, form, id);
  }
});

test('An integer of 2^53 and more is taken digit by digit.', () => {
  const raw = '{"id":9007199254740993,"sid":12345678901234567890,"rid":-12345678901234567891}';
  const [item] = parseSections(`{"send":[${raw}]}`).send;
  assert.equal(item?.id, '9007199254740993');
  assert.equal(item.idText, '9007199254740993');
  assert.equal(item.sid, '12345678901234567890');
  assert.equal(item.rid, '-12345678901234567891');
});

test('A read item has an id, and a sid that narrows it.', () => {
  const { read } = parseSections('{"read":[{"id":1},{"id":"x","sid":21,"more":[]}]}');
  assert.deepEqual(read, [
    { id: '1', idText: '1' },
    { id: 'x', idText: '"x"', sid: '21' },
  ]);
});

test('Unknown sections, and a message without any, are no error.', () => {
  for (const text of ['{}', '{"typing":5,"messages":null}', '{"send":[],"read":[]}', ' { } ']) {
    assert.deepEqual(parseSections(text), { send: [], read: [], errors: [] });
  }
});

test('What is not JSON, or not an object, is one error.', () => {
  for (const text of ['', '{', '[]', 'null', '"x"', '7', '{"send":[}']) {
    assert.deepEqual(parseSections(text), { send: [], read: [], errors: [{ code: 'not_json' }] });
  }
});

test('A section of the wrong type is an error, and the other is handled.', () => {
  for (const value of ['{}', 'null', '"x"', '1', 'true']) {
    const { send, read, errors } = parseSections(`{"send":${value},"read":[{"id":1}]}`);
    assert.deepEqual(send, []);
    assert.deepEqual(read, [{ id: '1', idText: '1' }]);
    assert.equal(errors.length, 1);
    assert.deepEqual([errors[0]?.section, errors[0]?.code], ['send', 'bad_section']);
  }
});

test('A bad message gets its own error and the good ones are taken.', () => {
  const { send, errors } = parseSections(
    `{"send":[{"id":1,"sid":2,"rid":3},{"id":4,"sid":2},{"sid":2,"rid":3},5,null,[],
      {"id":"","sid":2,"rid":3},{"id":1e999,"sid":2,"rid":3},{"id":"x","sid":{},"rid":3},
      {"id":6,"sid":2,"rid":""},{"id":7,"sid":2,"rid":3}]}`,
  );
  assert.deepEqual(
    send.map((item) => item.id),
    ['1', '7'],
  );
  assert(errors.every((entry) => entry.section === 'send' && entry.code === 'missing_field'));
  const none = undefined;
  const ids = ['4', none, none, none, none, none, none, '"x"', '6'];
  assert.deepEqual(
    errors.map((entry) => entry.idText),
    ids,
  );
});

test('A bad read gets its own error and the good ones are taken.', () => {
  const { read, errors } = parseSections(
    '{"read":[{"id":1},{},{"id":null},"x",{"id":2,"sid":null},{"id":3}]}',
  );
  assert.deepEqual(
    read.map(({ id }) => id),
    ['1', '3'],
  );
  assert.deepEqual(
    errors.map((entry) => entry.idText),
    [undefined, undefined, undefined, '2'],
  );
});

test('Of a section, or a field, that comes twice the last holds.', () => {
  const last = '{"id":1,"id":2.0,"sid":1,"rid":1,"rid":9007199254740993}';
  const { send } = parseSections(`{"send":[{"id":0}],"\\u0073end":[${last}]}`);
  assert.deepEqual(send, [{ id: '2', idText: '2', sid: '1', rid: '9007199254740993', raw: last }]);
});

test('Errors are told with section, id, code and reason.', () => {
  assert.equal(
    encodeErrors([
      { code: 'not_json' },
      { section: 'send', idText: '"x"', code: 'bad_sender', reason: 'not "you"' },
    ]),
    '{"errors":[{"error":"not_json","reason":"the message is not a JSON object"},' +
      String.raw`{"section":"send","id":"x","error":"bad_sender","reason":"not \"you\""}]}`,
  );
});

test('Accepted messages keep the type of their ids.', () => {
  const entries = [acceptedText('11', 5), acceptedText('"x3"', 6)];
  assert.equal(encodeAccepted(entries), '{"accepted":[{"id":11,"chatId":5},{"id":"x3","chatId":6}]}');
});
