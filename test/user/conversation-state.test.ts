import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOf, pairOf } from '../../src/store/conversation.ts';
import { ConversationState, PairState } from '../../src/user/conversation-state.ts';

const pair = pairOf(21, 22);
const fresh = (): ConversationState => new ConversationState(pair, undefined, 0);

test('What any connection took is delivered to the user; what it took less than is not taken back.', () => {
  const state = fresh();
  state.deliver(null, 5);
  assert.deepEqual([state.delivered, state.dirty], [5, true]);
  state.dirty = false;
  state.deliver(null, 3);
  state.deliver('', 5);
  assert.deepEqual([state.delivered, state.dirty], [5, false]);
});

test('A named device has a cursor of its own; one that never took anything has seen nothing.', () => {
  const state = fresh();
  state.deliver('phone', 3);
  state.deliver(null, 7);
  assert.deepEqual(
    ['phone', 'tablet', '', null].map((device) => state.deliveredTo(device)),
    [3, 0, 7, 7],
  );
  state.dirty = false;
  state.deliver('phone', 5);
  assert.deepEqual([state.deliveredTo('phone'), state.dirty], [5, true]);
  state.dirty = false;
  state.deliver('phone', 4);
  state.deliver('phone', 5);
  assert.deepEqual([state.deliveredTo('phone'), state.dirty], [5, false]);
});

test('A device that is new to the server starts with what the user has; one that is forgotten is new again.', () => {
  const state = fresh();
  state.deliver(null, 7);
  state.dirty = false;
  state.addDevice('phone');
  assert.deepEqual([state.deliveredTo('phone'), state.dirty], [7, true]);
  state.dirty = false;
  state.forgetDevice('tablet');
  assert.equal(state.dirty, false);
  state.forgetDevice('phone');
  assert.deepEqual([state.deliveredTo('phone'), state.dirty], [0, true]);
});

test('A cursor gives the state back.', () => {
  const state = fresh();
  for (const device of ['phone', 'tablet', '__proto__']) state.deliver(device, device.length);
  state.deliver(null, 20);
  for (const number of [1, 2, 5, 6]) state.marks.add(number);
  const cursor = state.toCursor();
  const again = new ConversationState(pair, cursor, 0);
  assert.deepEqual(again.toCursor(), cursor);
  assert.deepEqual(
    ['phone', '__proto__', 'other'].map((device) => again.deliveredTo(device)),
    [5, 9, 0],
  );
  assert.deepEqual(
    [1, 2, 3, 5, 6].map((number) => again.marks.has(number)),
    [true, true, false, true, true],
  );
  assert.equal(again.dirty, false);
});

test('A cursor is a snapshot: what is read later is not in it.', () => {
  const state = fresh();
  state.marks.add(2);
  const cursor = state.toCursor();
  state.marks.add(1);
  state.marks.add(9);
  assert.deepEqual([cursor.readTo, cursor.read], [0, [2, 2]]);
});

test('Nothing from before a member joined is to be delivered to it, whatever its cursors say.', () => {
  const saved = { key: 'g:7', delivered: 3, devices: { phone: 2, tablet: 12 }, readTo: 0, read: [] };
  const state = new ConversationState(groupOf(7), saved, 10);
  assert.deepEqual(
    [null, 'phone', 'tablet'].map((device) => state.deliveredTo(device)),
    [10, 10, 12],
  );
  assert.equal(new ConversationState(groupOf(7), undefined, 10).delivered, 10);
  assert.equal(new ConversationState(groupOf(7), { ...saved, delivered: 30 }, 10).delivered, 30);
});

test('A state knows whether it is of a group.', () => {
  assert.equal(new PairState(pair, undefined, 0).isGroup, false);
  assert.equal(new ConversationState(groupOf(7), undefined, 0).isGroup, true);
});

test('A cursor that knows of messages that are gone goes back to where the conversation ends.', () => {
  const saved = {
    key: pair.key,
    delivered: 9,
    devices: { phone: 8, tablet: 3 },
    readTo: 4,
    read: [6, 7, 9, 9],
  };
  const state = new ConversationState(pair, saved, 0);
  state.endAt(9);
  assert.deepEqual([state.toCursor(), state.dirty], [saved, false]);
  state.endAt(6);
  const cut = { ...saved, delivered: 6, devices: { phone: 6, tablet: 3 }, read: [6, 6] };
  assert.deepEqual([state.toCursor(), state.dirty], [cut, true]);
  state.endAt(2);
  const short = { ...saved, delivered: 2, devices: { phone: 2, tablet: 2 }, readTo: 2, read: [] };
  assert.deepEqual(state.toCursor(), short);
});
