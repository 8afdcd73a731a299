import { textsIn } from '../support/ws-messages.ts';
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { closes, errorNumber } from '../../src/errors.ts';
import type { Opening } from '../../src/net/lane.ts';
import { Outbox } from '../../src/shard/outbox.ts';
import { pairOf } from '../../src/store/conversation.ts';
import type { Session } from '../../src/user/session.ts';
import { decodeMessage } from '../../src/wire/frame-decoder.ts';
import { frameWithText } from '../../src/wire/frame.ts';
import { Op } from '../../src/wire/op.ts';
import { messagesOf } from '../support/engine.ts';
import { FrameRecorder } from '../support/frames.ts';
import { OutLane, type Output } from '../support/out-lane.ts';
import { messagingRun, runOf } from '../support/runs.ts';
import { FakeShard, sessionOf } from '../support/sessions.ts';
import { PayloadKind, type Run } from '../../src/wire/run.ts';

const pair = pairOf(21, 22);

/** An outbox as its shard has it: what sessions touch comes here. */
class Rig {
  readonly out: OutLane;
  readonly outbox: Outbox;
  readonly #shard = new FakeShard();

  constructor(t: TestContext) {
    this.out = new OutLane(t);
    this.outbox = new Outbox(this.out.lane);
    this.#shard.onTouch = (session) => this.outbox.touch(session);
  }

  session(connection: number, encoding: Opening['encoding'] = 'binary', ack = false): Session {
    return sessionOf(this.#shard, connection, { encoding, ack });
  }

  flush(): Output[] {
    this.outbox.flush();
    return this.out.take();
  }
}

function push(session: Session, ...texts: string[]): Run {
  const delivery = session.delivery(pair, 0);
  const run = runOf(PayloadKind.text, texts, { first: delivery.sent + 1 });
  session.push(run, delivery, delivery.sent + texts.length);
  return run;
}

/** `op seq body` of every frame of a write. */
function framesOf({ bytes }: Output): string[] {
  const recorder = new FrameRecorder();
  const { failure } = decodeMessage(bytes, 0, bytes.length, 1_000_000, recorder);
  assert.equal(failure, undefined);
  return recorder.frames.map(({ op, version, seq, body }) => `${op} v${version} #${seq} ${body}`);
}

const texts = (outputs: readonly Output[]): unknown[] =>
  outputs.flatMap(({ bytes }) => textsIn(bytes).map((text) => JSON.parse(text) as unknown));
const asHex = (text: string): string => Buffer.from(text).toString('hex');

test('A session gets one write a tick: what was said first, then replies in order, then one batch.', (t) => {
  const rig = new Rig(t);
  const session = rig.session(7);
  const runs = [push(session, 'a', 'b'), push(session, 'c')];
  const { requests } = session;
  const tickets = [
    requests.add(Op.sendReply, 100, 0, 0),
    requests.add(Op.heartbeatReply, 101, 1, -1),
    requests.add(Op.groupSendReply, 102, 1, 0),
  ];
  requests.settle(tickets[1] ?? -1, 1);
  session.settleSent(tickets[0] ?? -1, 1, 258);
  session.refuse(tickets[2] ?? -1, 1, 'not_member');
  session.say(frameWithText(Op.authReply, 1, 5, '{}'));
  const [write, ...others] = rig.flush();
  assert(write !== undefined);
  assert.deepEqual([write.type, write.to, write.argument, others], ['write', [7], 1, []]);
  assert.deepEqual(framesOf(write), [
    `8 v1 #5 ${asHex('{}')}`,
    '19 v0 #100 000000000000000102',
    '3 v1 #101 ',
    '21 v1 #102 ff0000000000000000',
    `9 v1 #0 ${Buffer.concat(runs.map(({ bytes }) => bytes)).toString('hex')}`,
  ]);
  assert.deepEqual([session.writes, session.runs, session.runBytes, requests.size], [1, [], 0, 0]);
  assert.deepEqual(rig.flush(), []);
});

test('A write is counted, in the slab that carries it.', (t) => {
  const rig = new Rig(t);
  const session = rig.session(7);
  push(session, 'a');
  rig.flush();
  assert.deepEqual([session.writes, session.lastSlab], [1, rig.out.lane.writing]);
  rig.outbox.touch(session);
  rig.flush();
  assert.equal(session.writes, 1); // there was nothing to write
});

test('Replies wait for the oldest request that is not answered; messages do not.', (t) => {
  const rig = new Rig(t);
  const session = rig.session(7);
  for (const seq of [1, 2]) session.requests.add(Op.sendReply, seq, 1, 0);
  session.settleSent(1, 1, 9);
  push(session, 'a');
  const [first] = rig.flush();
  assert(first !== undefined);
  assert.deepEqual(
    framesOf(first).map((frame) => frame.slice(0, 2)),
    ['9 '],
  );
  session.settleSent(0, 1, 8);
  const [second] = rig.flush();
  assert(second !== undefined);
  assert.deepEqual(framesOf(second), ['19 v1 #1 000000000000000008', '19 v1 #2 000000000000000009']);
});

test('Replies of odd length keep their place among the others.', (t) => {
  const rig = new Rig(t);
  const session = rig.session(7);
  const { requests } = session;
  const ops = [Op.sendReply, 99, Op.heartbeatReply, Op.authReply, Op.groupSendReply];
  for (const [seq, op] of ops.entries()) {
    const error = op === 99 ? 'unknown_operation' : op === Op.authReply ? 'already_authenticated' : undefined;
    requests.settle(requests.add(op, seq, 1, -1), error === undefined ? 5 : -errorNumber(error));
  }
  push(session, 'a');
  const [write, ...others] = rig.flush();
  assert(write !== undefined && others.length === 0);
  assert.deepEqual(framesOf(write).slice(0, 5), [
    '19 v1 #0 000000000000000005',
    `99 v1 #1 ${asHex('{"ret":-1,"error":"unknown_operation"}')}`,
    '3 v1 #2 ',
    `8 v1 #3 ${asHex('{"ret":-1,"error":"already_authenticated"}')}`,
    '21 v1 #4 000000000000000005',
  ]);
  assert.equal(framesOf(write)[5]?.startsWith('9 v1'), true);
});

test('A JSON session gets a text for each reply and one for the batch, all in one write.', (t) => {
  const rig = new Rig(t);
  const session = rig.session(7, 'json');
  const { requests } = session;
  const results: [number, number][] = [
    [Op.sendReply, 12],
    [Op.heartbeatReply, 1],
    [Op.groupSendReply, -errorNumber('not_member')],
  ];
  for (const [seq, [op, result]] of results.entries()) requests.settle(requests.add(op, seq, 1, 0), result);
  session.say('{"op":8}');
  push(session, 'a', 'b');
  const outputs = rig.flush();
  assert.deepEqual(
    outputs.map(({ type, to, argument }) => [type, to, argument]),
    [['write', [7], 1]],
  );
  const message = (chatId: number, msg: string): object => ({
    ver: 1,
    op: 18,
    seq: 0,
    body: { chatId, from: 21, to: 22, msg },
  });
  assert.deepEqual(texts(outputs), [
    { op: 8 },
    { ver: 1, op: 19, seq: 0, body: { ret: 0, chatId: 12 } },
    { ver: 1, op: 3, seq: 1 },
    { ver: 1, op: 21, seq: 2, body: { ret: -1, chatId: 0, error: 'not_member' } },
    { ver: 1, op: 9, seq: 0, body: [message(1, 'a'), message(2, 'b')] },
  ]);
  assert.deepEqual([session.writes, session.prefix, rig.flush()], [1, undefined, []]);
});

test('Messaging hears only of what failed, by the id it gave, and gets its messages.', (t) => {
  const rig = new Rig(t);
  const session = rig.session(7, 'messaging');
  session.ids = new Map([
    [0, '"a"'],
    [1, '2'],
    [2, '"c"'],
  ]);
  for (let seq = 0; seq < 3; seq++) session.requests.add(Op.sendReply, seq, 1, 0);
  session.settleSent(0, 1, 1);
  session.refuse(1, 2, 'overloaded');
  const object = { id: 'x', sid: 'anna', rid: '21' };
  const delivery = session.delivery(pairOf('anna', 21), 0);
  session.push(messagingRun(JSON.stringify(object)), delivery, 1);
  const outputs = rig.flush();
  const [errors, messages] = texts(outputs) as [
    { errors: { id: unknown; error: unknown; section: unknown }[] },
    unknown,
  ];
  assert.deepEqual(
    errors.errors.map(({ id, error, section }) => [id, error, section]),
    [
      [2, 'overloaded', 'send'],
      ['c', 'overloaded', 'send'],
    ],
  );
  assert.deepEqual(messages, { messages: [object] });
  assert.equal(outputs.length, 1);
  assert.deepEqual([session.ids.size, session.requests.size], [0, 0]);
});

test('Messaging hears nothing of what went well.', (t) => {
  const rig = new Rig(t);
  const session = rig.session(7, 'messaging');
  session.requests.add(Op.sendReply, 0, 1, 0);
  session.settleSent(0, 1, 1);
  assert.deepEqual([rig.flush(), session.requests.size, session.writes], [[], 0, 0]);
});

test('A page of history keeps its place among the replies, in both encodings.', (t) => {
  const rig = new Rig(t);
  const page = { runs: [runOf(PayloadKind.text, ['old'])], last: 300, more: true };
  const ops = [Op.sendReply, Op.historyReply, Op.ackReply, Op.historyReply, Op.heartbeatReply];
  const results = [5, 1, 6, -errorNumber('not_member'), 1];
  const sessions = [rig.session(7), rig.session(8, 'json')];
  for (const { requests } of sessions) for (const [seq, op] of ops.entries()) requests.add(op, seq, 1, -1);
  for (const session of sessions) {
    session.answerPage(1, page);
    assert.deepEqual(rig.flush(), []); // it waits for the one before
    for (const [ticket, result] of results.entries()) session.requests.settle(ticket, result);
    rig.outbox.touch(session);
    const outputs = rig.flush();
    if (session.encoding === 'binary') {
      assert.deepEqual(framesOf(outputs[0] as Output), [
        '19 v1 #0 000000000000000005',
        `25 v1 #1 00000000000000012c01${page.runs[0]?.bytes.toString('hex')}`,
        '23 v1 #2 000000000000000006',
        '25 v1 #3 ff000000000000000000',
        '3 v1 #4 ',
      ]);
    } else {
      assert.deepEqual(
        texts(outputs).map((text) => {
          const { op, seq, body } = text as { op: number; seq: number; body?: { last?: number } };
          return [op, seq, body?.last];
        }),
        [
          [19, 0, undefined],
          [25, 1, 300],
          [23, 2, undefined],
          [25, 3, undefined],
          [3, 4, undefined],
        ],
      );
    }
    assert.equal(session.page, undefined);
  }
});

test('Messaging that asked for it hears what was accepted, at most 256 in one text, before its messages.', (t) => {
  const rig = new Rig(t);
  const session = rig.session(7, 'messaging', true);
  session.ids = new Map();
  for (let i = 0; i < 300; i++) {
    const ticket = session.requests.add(Op.sendReply, 0, 1, 0);
    session.ids.set(ticket, i % 2 === 0 ? `${i}` : `"${i}"`);
    if (i === 299) session.refuse(ticket, 1, 'overloaded');
    else session.settleSent(ticket, 1, i + 1);
  }
  const delivery = session.delivery(pairOf('anna', 21), 0);
  session.push(messagingRun('{"id":"x","sid":"anna","rid":"21"}'), delivery, 1);
  const told = texts(rig.flush()) as { accepted?: { id: unknown; chatId: number }[] }[];
  assert.deepEqual(
    told.map((text) => [Object.keys(text)[0], text.accepted?.length]),
    [
      ['errors', undefined],
      ['accepted', 256],
      ['accepted', 43],
      ['messages', undefined],
    ],
  );
  assert.deepEqual(told[1]?.accepted?.slice(0, 2), [
    { id: 0, chatId: 1 },
    { id: '1', chatId: 2 },
  ]);
  assert.equal(session.ids.size, 0);
});

test('A session is closed after everything that was to be written, and then nothing more is.', (t) => {
  const rig = new Rig(t);
  const session = rig.session(7);
  session.close(closes.replaced);
  const run = push(session, 'last');
  const [write, close, ...others] = rig.flush();
  assert(write !== undefined && close !== undefined && others.length === 0);
  assert.equal(framesOf(write)[0]?.endsWith(run.bytes.toString('hex')), true);
  assert.deepEqual(
    [close.type, close.to, close.argument, close.bytes.toString()],
    ['close', [7], 4409, closes.replaced.reason],
  );
  assert.equal(session.closed, true);
  push(session, 'too late');
  assert.deepEqual([rig.flush(), session.runs, session.runBytes], [[], [], 0]);
});

test('Nothing is written while the lane is full; all of it is, in one write, once there is room.', (t) => {
  const rig = new Rig(t);
  const session = rig.session(7);
  rig.out.fill();
  push(session, 'a');
  rig.outbox.flush();
  push(session, 'b');
  rig.outbox.flush();
  assert.deepEqual([rig.outbox.isEmpty, session.writes], [false, 0]);
  rig.out.take();
  const [write, ...others] = rig.flush();
  assert(write !== undefined && others.length === 0);
  assert.equal(rig.outbox.isEmpty, true);
  const body = Buffer.from(framesOf(write)[0]?.split(' ')[3] ?? '', 'hex');
  assert.deepEqual(messagesOf([{ ...runOf(PayloadKind.text, ['a']), bytes: body }]), [
    [1, 'a'],
    [2, 'b'],
  ]);
});

test('Whoever hears that a session was written may close it in the same tick.', (t) => {
  const rig = new Rig(t);
  const [leaving, staying] = [rig.session(7), rig.session(8)];
  rig.outbox.onWritten = (session) => {
    if (session === leaving) session.close(closes.goingAway);
  };
  for (const session of [leaving, staying]) push(session, 'a');
  assert.deepEqual(
    rig.flush().map(({ type, to }) => [type, to[0]]),
    [
      ['write', 7],
      ['write', 8],
      ['close', 7],
    ],
  );
  assert.deepEqual([leaving.closed, staying.closed], [true, false]);
});

test('Each session gets its own, in the order in which they were touched.', (t) => {
  const rig = new Rig(t);
  const sessions = [3, 1, 2].map((connection) => rig.session(connection));
  for (const session of sessions) push(session, `to ${session.connection}`);
  for (const session of sessions) push(session, 'more');
  const outputs = rig.flush();
  assert.deepEqual(
    outputs.map(({ to }) => to[0]),
    [3, 1, 2],
  );
  for (const output of outputs)
    assert.equal(framesOf(output)[0]?.includes(asHex(`to ${output.to[0]}`)), true);
});
