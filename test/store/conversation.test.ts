import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conversationOf, groupOf, isGroup, ownerOf, pairOf } from '../../src/store/conversation.ts';
import type { UserId } from '../../src/wire/user-id.ts';

const ODD_CLIENTS = [
  'anna',
  '021',
  'p:1:2',
  'g:7',
  '["a","b"]',
  'a:b',
  'a,b',
  '"',
  '\\',
  'a\nb',
  ' ',
  '🙂',
  'é\u0000',
];

test('A pair is the same conversation whichever side sends.', () => {
  const sides: [UserId, UserId][] = [
    [21, 22],
    [9, 10],
    [5, 'anna'],
    ['anna', 'bob'],
    ['10', '9'],
  ];
  for (const [a, b] of sides) assert.deepEqual(pairOf(a, b), pairOf(b, a));
});

test('The lower user owns a pair: mids before string clients, mids by value; a group owns itself.', () => {
  assert.equal(ownerOf(pairOf(10, 9)), 9);
  assert.equal(ownerOf(pairOf('021', 2_147_483_647)), 2_147_483_647);
  assert.equal(ownerOf(pairOf('b', 'a')), 'a');
  assert.equal(ownerOf(pairOf(7, 7)), 7);
  assert.equal(ownerOf(groupOf(9)), 9);
});

test('The key of a conversation gives the conversation back, whatever the names of its clients.', () => {
  const users: UserId[] = [1, 21, 2_147_483_647, ...ODD_CLIENTS];
  for (const a of users) {
    for (const b of users) assert.deepEqual(conversationOf(pairOf(a, b).key), pairOf(a, b));
  }
  assert.deepEqual(conversationOf(groupOf(2_147_483_647).key), groupOf(2_147_483_647));
});

test('No two conversations have the same key.', () => {
  const users: UserId[] = [1, 2, 12, ...ODD_CLIENTS, '1,2', 'anna"', '1'];
  const keys = new Set([groupOf(1).key, groupOf(12).key]);
  let conversations = keys.size;
  for (const [i, a] of users.entries()) {
    for (const b of users.slice(i)) {
      keys.add(pairOf(a, b).key);
      conversations += 1;
    }
  }
  assert.equal(keys.size, conversations);
});

test('A conversation is a group or a pair, and says which.', () => {
  assert.equal(isGroup(groupOf(7)), true);
  assert.equal(isGroup(pairOf(7, 8)), false);
  assert.equal(isGroup(conversationOf('g:7')), true);
  assert.equal(isGroup(conversationOf(pairOf('g:7', 'x').key)), false);
});
