import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeadLetter } from '../../src/actor/index.ts';
import { errorNumber } from '../../src/errors.ts';
import { LostMessages } from '../../src/shard/dead-letters.ts';
import type { Sessions } from '../../src/shard/sessions.ts';
import { User } from '../../src/user/user.ts';
import { Op } from '../../src/wire/op.ts';
import { FakeShard, sessionOf } from '../support/sessions.ts';

test('A receipt or a look back that its user could not handle is refused, so that the client knows.', () => {
  const lost = new LostMessages({} as Sessions);
  for (const [reason, code] of [
    ['mailbox_full', 'overloaded'],
    ['failed', 'internal_error'],
  ] as const) {
    const shard = new FakeShard();
    const session = sessionOf(shard, 1);
    for (const [message, op] of [
      ['acknowledge', Op.ackReply],
      ['history', Op.historyReply],
    ] as const) {
      const ticket = session.requests.add(op, 1, 1, -1);
      const letter = { kind: User.name, id: 21, message, payload: { session, ticket }, reason };
      lost.onDeadLetter(letter as unknown as DeadLetter);
      assert.equal(session.requests.resultAt(ticket), -errorNumber(code));
    }
    assert.ok(shard.touched.includes(session));
  }
});
