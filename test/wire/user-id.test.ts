import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareUsers, isDevice, isMid, parseClientId, SYSTEM } from '../../src/wire/user-id.ts';

test('The canonical decimal form of a mid is that mid.', () => {
  assert.equal(parseClientId('1'), 1);
  assert.equal(parseClientId('1452'), 1452);
  assert.equal(parseClientId('2147483647'), 2_147_483_647);
});

test('Anything else is a string client.', () => {
  for (const s of ['021', '00', '-1', '+1', '1.0', '1e3', ' 1', '2147483648', '99999999999', 'ann']) {
    assert.equal(parseClientId(s), s);
  }
});

test('Empty, 0, a broken character and over 128 characters are no client.', () => {
  assert.equal(parseClientId(''), undefined);
  assert.equal(parseClientId('0'), undefined);
  assert.equal(parseClientId('a\ud800'), undefined);
  assert.equal(parseClientId('x'.repeat(129)), undefined);
  assert.equal(parseClientId('x'.repeat(128)), 'x'.repeat(128));
});

test('A character outside the basic plane counts as one.', () => {
  assert.equal(parseClientId('🙂'.repeat(128)), '🙂'.repeat(128));
  assert.equal(parseClientId('🙂'.repeat(129)), undefined);
  assert.equal(parseClientId('🙂'.repeat(200)), undefined);
});

test('Mids come before string clients, by value; strings by code unit.', () => {
  const users = ['b', 10, 'a', 2, 'B', '021'];
  assert.deepEqual(users.sort(compareUsers), [2, 10, '021', 'B', 'a', 'b']);
  assert.equal(compareUsers('a', 'a'), 0);
  assert.equal(compareUsers(7, 7), 0);
});

test('The system has a name that no client can have, and comes after all of them.', () => {
  assert.equal(parseClientId(SYSTEM), undefined);
  const users = [SYSTEM, '\uffff', 5, '!', SYSTEM, 2];
  assert.deepEqual(users.sort(compareUsers), [2, 5, '!', '\uffff', SYSTEM, SYSTEM]);
});

test('A mid is an int32 above 0.', () => {
  for (const n of [1, 2_147_483_647]) assert.equal(isMid(n), true);
  for (const n of [0, -1, 2_147_483_648, 1.5, Number.NaN, '1', null]) assert.equal(isMid(n), false);
});

test('A device is 1 to 64 printable characters.', () => {
  for (const s of ['a', 'my phone', 'ä🙂', 'x'.repeat(64), '🙂'.repeat(64)]) {
    assert.equal(isDevice(s), true, s);
  }
  for (const s of ['', 'x'.repeat(65), 'a\n', 'a\u0000', 'a\u2028', 'a\ud800', 5, undefined]) {
    assert.equal(isDevice(s), false, JSON.stringify(s));
  }
});
