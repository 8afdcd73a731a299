import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { groupOf, pairOf } from '../../src/store/conversation.ts';
import type { Cursor } from '../../src/store/store.ts';
import { isToSelf, UserState } from '../../src/user/user-state.ts';

const saved = (key: string, delivered: number): Cursor => ({
  key,
  delivered,
  devices: {},
  readTo: 0,
  read: [],
});

test('A conversation starts from its saved cursor, and is the same from then on.', () => {
  const cursors = [saved(pairOf(21, 22).key, 5), saved(groupOf(7).key, 6)];
  const state = new UserState(21, { mailbox: false, devices: [], cursors });
  assert.deepEqual([state.findPair(22), state.findGroup(7)], [undefined, undefined]);
  assert.deepEqual([state.pair(22).delivered, state.pair(23).delivered], [5, 0]);
  assert.equal(state.pair(22), state.findPair(22));
  const group = state.group(7, 2);
  assert.deepEqual([group.delivered, group.head, state.findGroup(7)], [6, 6, group]);
  assert.deepEqual(
    [...state.conversations()].map(({ conversation }) => conversation.key),
    ['p:21:22', 'p:21:23', 'g:7'],
  );
});

test('Who joins a group again starts where it stands then.', () => {
  const state = new UserState(21, { mailbox: false, devices: [], cursors: [saved(groupOf(7).key, 6)] });
  state.group(7, 2);
  state.leave(7);
  assert.equal(state.findGroup(7), undefined);
  assert.equal(state.group(7, 3).delivered, 3);
});

test('A string client has a mailbox from the start, a mid once it was given one.', () => {
  assert.equal(new UserState('anna', undefined).mailbox === undefined, false);
  assert.equal(new UserState(21, undefined).mailbox, undefined);
  assert.equal(new UserState(21, { mailbox: false, devices: [], cursors: [] }).mailbox, undefined);
  assert.equal(new UserState(21, { mailbox: true, devices: [], cursors: [] }).mailbox === undefined, false);
});

test('Of too many devices the least recently used is forgotten, in every conversation.', () => {
  const state = new UserState(21, undefined);
  const conversations = [state.pair(22), state.group(7, 0)];
  for (const conversation of conversations) conversation.deliver(null, 9);
  const names = Array.from({ length: limits.userDevicesMax }, (_, i) => `device ${i}`);
  for (const name of names) state.useDevice(name);
  for (const conversation of conversations) conversation.deliver(null, 20);
  state.useDevice('device 0');
  state.useDevice('one more');
  assert.deepEqual(state.devices, [...names.slice(2), 'device 0', 'one more']);
  for (const conversation of conversations) {
    const delivered = ['device 0', 'device 1', 'device 2', 'one more'].map((device) =>
      conversation.deliveredTo(device),
    );
    assert.deepEqual(delivered, [9, 0, 9, 20]);
  }
});

test('What is stored of a user gives the state back.', () => {
  const state = new UserState('anna', undefined);
  state.pair(22).deliver(null, 9);
  state.useDevice('phone');
  state.useDevice('tablet');
  const record = state.toRecord(state.conversations());
  assert.deepEqual([record.mailbox, record.devices, record.cursors.length], [true, ['phone', 'tablet'], 1]);
  const again = new UserState('anna', record);
  again.pair(22);
  assert.deepEqual(again.toRecord(again.conversations()), record);
});

test('A message of a pair is to the other one than its sender; one to oneself is to its owner.', () => {
  const of = (user: number | string, other: number | string, from: number, sid: string): boolean => {
    const state = new UserState(user, undefined);
    return isToSelf(state, state.pair(other), from, sid);
  };
  assert.deepEqual([of(21, 22, 21, ''), of(21, 22, 22, ''), of(21, 21, 21, '')], [false, true, true]);
  assert.deepEqual(
    [of('anna', 22, 0, 'anna'), of('anna', 22, 22, '22'), of(22, 'anna', 0, 'anna')],
    [false, true, true],
  );
});
