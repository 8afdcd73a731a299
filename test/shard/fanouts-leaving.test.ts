import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliveryOf, Rig, textsOf } from '../support/fanout-rig.ts';

test('Who left gets what the group sent before, whichever of the two is heard of first.', (t) => {
  const rig = new Rig(t);
  const [early, late, stays] = [rig.member(1), rig.member(2), rig.member(3)];
  rig.fanouts.leave(7, early, 2); // two messages are still on their way
  rig.say(7, 1, ['a']);
  rig.say(7, 2, ['b']);
  rig.fanouts.leave(7, late, 2); // they wait to be spread
  rig.say(7, 3, ['c']);
  const got = new Map(rig.flush().map((output) => [output.to.join(), textsOf(output)]));
  assert.deepEqual(
    [got.get('1'), got.get('2'), got.get('3')],
    [
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b', 'c'],
    ],
  );
  assert.equal(got.size, 3);
  rig.fanouts.forget(stays);
  assert.deepEqual([...rig.fanouts.groups()], []);
});

test('Who left while messages got lost on the way, or joined again, is not kept waiting for them.', (t) => {
  const rig = new Rig(t);
  const [gone, back] = [rig.member(1), rig.member(2)];
  rig.fanouts.leave(7, gone, 2);
  rig.fanouts.leave(7, back, 2);
  rig.fanouts.join(7, back, deliveryOf(back));
  deliveryOf(back).sent = 2;
  rig.say(7, 3, ['c']);
  assert.deepEqual(
    rig.flush().map((output) => [output.to, textsOf(output)]),
    [[[2], ['c']]],
  );
});

test('What waits to be spread does not stand for more than it is when the group is said to be further.', (t) => {
  const rig = new Rig(t);
  const session = rig.member(1);
  rig.say(7, 1, ['a']);
  deliveryOf(session).behind = true; // as one that catches up when news of the head come
  rig.fanouts.watching(7, 3);
  deliveryOf(session).behind = false;
  rig.flush();
  assert.deepEqual([rig.behind, deliveryOf(session).sent], [['1 of 7'], 0]);
});
