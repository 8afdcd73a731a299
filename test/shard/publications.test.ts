import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorNumber } from '../../src/errors.ts';
import { Publications, type PublishBatch } from '../../src/shard/publications.ts';
import { Turnstile } from '../../src/shard/turnstile.ts';
import { PUBLISHED, type SendRequest } from '../../src/user/messages.ts';
import { frameFrom, frameMsgStart, frameOp, frameTo, Origin, PayloadKind } from '../../src/wire/run.ts';
import { SYSTEM, type UserId } from '../../src/wire/user-id.ts';

function setUp(): { publications: Publications; told: [owner: UserId, request: SendRequest][] } {
  const told: [UserId, SendRequest][] = [];
  const publications = new Publications({
    shard: 3,
    now: () => 1_000,
    sendToUser: (owner, request) => void told.push([owner, request]),
    sendToGroup: (group, request) => void told.push([`#${group}`, request]),
  });
  return { publications, told };
}

const batchOf = (to: readonly UserId[], more: Partial<PublishBatch> = {}): PublishBatch => ({
  from: SYSTEM,
  isGroup: false,
  to,
  kind: PayloadKind.text,
  content: Buffer.from('hi'),
  id: null,
  ...more,
});

const msgOf = ({ run: { bytes } }: SendRequest): string => bytes.toString('utf8', frameMsgStart(bytes, 0));

test('Outcomes come back by ticket, in any order, and the first one counts.', async () => {
  const { publications, told } = setUp();
  const published = publications.publish(batchOf([31, 32, 33]));
  const tickets = told.map(([, { replyTo }]) => replyTo.ticket);
  publications.settle(tickets[2]!, 5);
  publications.settle(tickets[0]!, -errorNumber('storage_unavailable'));
  publications.settle(tickets[2]!, 6);
  publications.settle(tickets[1]!, 1);
  assert.deepEqual(await published, [-errorNumber('storage_unavailable'), 1, 5]);
  assert.equal(publications.size, 0);
  publications.settle(tickets[0]!, 9);
  publications.settle(999, 9);
});

test('What has no outcome in time may be stored or not, and nothing is kept for it.', async () => {
  const { publications, told } = setUp();
  const published = publications.publish(batchOf([31, 32]), 1);
  publications.settle(told[0]![1].replyTo.ticket, 4);
  assert.deepEqual(await published, [4, -errorNumber('unavailable')]);
  assert.equal(publications.size, 0);
});

test('A message to a mid is a comet message; that of the system is from 0, and the receiver owns its pair.', () => {
  const { publications, told } = setUp();
  void publications.publish(batchOf([31]));
  void publications.publish(batchOf([31], { from: 21 }));
  const seen = told.map(([owner, request]) => {
    const { bytes, origin, time } = request.run;
    return [
      owner,
      frameOp(bytes, 0),
      frameFrom(bytes, 0),
      frameTo(bytes, 0),
      msgOf(request),
      origin,
      time,
      request.echo,
    ];
  });
  assert.deepEqual(seen, [
    [31, 18, 0, 31, 'hi', Origin.comet, 1_000, false],
    [21, 18, 21, 31, 'hi', Origin.comet, 1_000, true],
  ]);
  const { user, shard, connection, count } = told[1]![1].replyTo;
  assert.deepEqual([user, shard, connection, count], [21, 3, PUBLISHED, 1]);
});

test('A message from or to a string client is what messaging would have sent.', () => {
  const { publications, told } = setUp();
  const id = 'i"1';
  void publications.publish(batchOf(['ann'], { id }));
  void publications.publish(batchOf([31], { from: 'a"b', id }));
  const json = { kind: PayloadKind.json, content: Buffer.from('{"id":9,"n":1.0,"chatId":1}') };
  void publications.publish(batchOf(['ann'], { from: 21, ...json, id }));
  const bytes = { kind: PayloadKind.bytes, content: Buffer.from([255, 0]) };
  void publications.publish(batchOf(['ann'], { from: 21, ...bytes }));
  assert.deepEqual(
    told.slice(0, 3).map(([owner, request]) => [owner, request.id, request.run.origin, msgOf(request)]),
    [
      ['ann', id, Origin.messaging, '{"id":"i\\"1","sid":0,"rid":"ann","text":"hi"}'],
      [31, id, Origin.messaging, '{"id":"i\\"1","sid":"a\\"b","rid":31,"text":"hi"}'],
      [21, id, Origin.messaging, '{"id":"i\\"1","sid":21,"rid":"ann","n":1.0}'],
    ],
  );
  const [, last] = told[3]!;
  const { id: own, ...rest } = JSON.parse(msgOf(last)) as Record<string, unknown>;
  assert.deepEqual(rest, { sid: 21, rid: 'ann', base64: '/wA=' });
  assert.match(String(own), /^[0-9a-f-]{36}$/);
  assert.equal(last.id, null);
});

test('A string client is in no group.', async () => {
  const { publications, told } = setUp();
  assert.deepEqual(await publications.publish(batchOf([7, 8], { from: 'ann', isGroup: true })), [
    -errorNumber('not_supported'),
    -errorNumber('not_supported'),
  ]);
  assert.equal(told.length, 0);
  void publications.publish(batchOf([7], { isGroup: true }));
  const [owner, request] = told[0]!;
  assert.deepEqual([owner, frameOp(request.run.bytes, 0), frameFrom(request.run.bytes, 0)], ['#7', 20, 0]);
  publications.settle(request.replyTo.ticket, 1);
});

test('A turnstile lets so many through at a time, each with a number of its own, and then the next.', async () => {
  const turnstile = new Turnstile(2);
  const inside = new Set<number>();
  const order: number[] = [];
  let most = 0;
  const passing = Array.from({ length: 7 }, (_, i) =>
    turnstile.pass(async (number) => {
      assert.ok(!inside.has(number));
      inside.add(number);
      most = Math.max(most, inside.size);
      await Promise.resolve();
      inside.delete(number);
      order.push(i);
      if (i === 2) throw new Error('it happens');
    }),
  );
  const outcomes = await Promise.allSettled(passing);
  assert.deepEqual(outcomes.map(({ status }) => status).indexOf('rejected'), 2);
  assert.deepEqual([most, order], [2, [0, 1, 2, 3, 4, 5, 6]]);
});
