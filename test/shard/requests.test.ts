import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorNumber } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { Requests } from '../../src/shard/requests.ts';
import type { SendRequest } from '../../src/user/messages.ts';
import type { Session } from '../../src/user/session.ts';
import { Op } from '../../src/wire/op.ts';
import { Origin, PayloadKind } from '../../src/wire/run.ts';
import type { UserId } from '../../src/wire/user-id.ts';
import { FakeShard, sessionOf } from '../support/sessions.ts';

/** What owners are told: [owner, request] each. */
function setUp(): {
  requests: Requests;
  told: (readonly [UserId | string, SendRequest])[];
  /** What the session's user is asked. */
  asked: (readonly [UserId, string, unknown])[];
  session: Session;
} {
  const told: (readonly [UserId | string, SendRequest])[] = [];
  const asked: (readonly [UserId, string, unknown])[] = [];
  const requests = new Requests({
    shard: 0,
    shards: 2,
    now: () => 1_000,
    tellUser: (user, name, ...[payload]) => asked.push([user, name, payload]) > 0,
    sendToUser: (owner, request) => told.push([owner, request]),
    sendToGroup: (group, request) => told.push([`#${group}`, request]),
  });
  return { requests, told, asked, session: sessionOf(new FakeShard(), 5, { user: 21 }) };
}

const hello = Buffer.from('hello');

function send(requests: Requests, session: Session, op: number, to: number, msg = hello): void {
  requests.send(session, op, 1, 1, to, PayloadKind.bytes, msg, 0, msg.length);
}

test('Consecutive messages to one user are one run, told to the lower of the two.', () => {
  const { requests, told, session } = setUp();
  for (let i = 0; i < 3; i++) send(requests, session, Op.send, 9);
  assert.equal(told.length, 0);
  requests.end();
  const [[owner, request]] = told as [readonly [UserId, SendRequest]];
  assert.equal(owner, 9);
  assert.equal(request.run.count, 3);
  assert.deepEqual(request.replyTo, { user: 21, shard: 0, connection: 5, ticket: 0, count: 3 });
  assert.deepEqual([request.from, request.to, request.id, request.run.time], [21, 9, null, 1_000]);
});

test('Another receiver, another operation, another kind and another connection begin another run.', () => {
  const { requests, told, session } = setUp();
  const other = sessionOf(new FakeShard(), 6, { user: 22 });
  send(requests, session, Op.send, 30);
  send(requests, session, Op.send, 31);
  send(requests, session, Op.groupSend, 31);
  requests.send(session, Op.groupSend, 1, 1, 31, PayloadKind.text, hello, 0, hello.length);
  requests.send(other, Op.groupSend, 1, 1, 31, PayloadKind.text, hello, 0, hello.length);
  requests.end();
  assert.deepEqual(
    told.map(([owner, { run, replyTo }]) => [owner, run.count, replyTo.connection, replyTo.ticket]),
    [
      [21, 1, 5, 0],
      [21, 1, 5, 1],
      ['#31', 1, 5, 2],
      ['#31', 1, 5, 3],
      ['#31', 1, 6, 0],
    ],
  );
});

test('A run ends at its bound; the next message begins another one.', () => {
  const { requests, told, session } = setUp();
  const msg = Buffer.alloc(1_000);
  const messages = (limits.runBytesMax / 1_000) * 3;
  for (let i = 0; i < messages; i++) send(requests, session, Op.send, 30, msg);
  requests.end();
  assert.ok(told.length >= 3);
  let count = 0;
  for (const [, { run, replyTo }] of told) {
    // Only the head of the last message may go beyond it.
    assert.ok(run.bytes.length <= limits.runBytesMax + 32, `${run.bytes.length} bytes`);
    assert.equal(replyTo.ticket, count);
    count += run.count;
  }
  assert.equal(count, Math.ceil(messages));
});

test('A refused request ends the run before it, so that tickets of a run follow each other.', () => {
  const { requests, told, session } = setUp();
  send(requests, session, Op.send, 30);
  requests.refuse(session, Op.sendReply, 7, 1, 'bad_body');
  send(requests, session, Op.send, 30);
  requests.end();
  assert.deepEqual(
    told.map(([, { replyTo }]) => replyTo.ticket),
    [0, 2],
  );
  assert.equal(session.requests.resultAt(1), -errorNumber('bad_body'));
  assert.equal(session.requests.isReady, false);
});

test('A messaging message is a run of its own, with its id, and with 0 for a string client.', () => {
  const { requests, told } = setUp();
  const session = sessionOf(new FakeShard(), 7, { user: 'ann', encoding: 'messaging' });
  const raw = '{"id":1,"sid":"ann","rid":21}';
  requests.sendMessaging(session, Op.send, 21, '1', '1', raw);
  requests.sendMessaging(session, Op.send, 21, '2', '2', raw);
  assert.deepEqual(
    told.map(([owner, { id, run }]) => [owner, id, run.count, run.origin, run.kind]),
    [
      [21, '1', 1, Origin.messaging, PayloadKind.json],
      [21, '2', 1, Origin.messaging, PayloadKind.json],
    ],
  );
  assert.equal(told[0]?.[1].run.bytes.readInt32BE(24), 0);
  assert.deepEqual(
    [...(session.ids ?? [])],
    [
      [0, '1'],
      [1, '2'],
    ],
  );
});

test('Op 22 and 24 are asked of the own user, end a run, and keep their place.', () => {
  const { requests, told, asked, session } = setUp();
  const target = { isGroup: false, id: 9 };
  const query = { target, after: 0, before: Infinity, limit: 50, newestFirst: false };
  send(requests, session, Op.send, 9);
  requests.acknowledge(session, 5, 1, { target, chatId: 3 });
  requests.history(session, 6, 0, query);
  send(requests, session, Op.send, 9);
  requests.end();
  assert.deepEqual(
    told.map(([, { replyTo }]) => [replyTo.ticket, replyTo.count]),
    [
      [0, 1],
      [3, 1],
    ],
  );
  assert.deepEqual(asked, [
    [21, 'acknowledge', { session, ticket: 1, target, chatId: 3 }],
    [21, 'history', { session, ticket: 2, query }],
  ]);
  assert.deepEqual(
    [0, 1, 2, 3].map((ticket) => session.requests.opAt(ticket)),
    [Op.sendReply, Op.ackReply, Op.historyReply, Op.sendReply],
  );
});
