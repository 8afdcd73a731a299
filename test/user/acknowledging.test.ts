import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorNumber, type ErrorCode } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import type { UserRecord } from '../../src/store/store.ts';
import { acknowledge, saveAcks } from '../../src/user/acknowledging.ts';
import type { UserContext } from '../../src/user/context.ts';
import { collect, saveDirty } from '../../src/user/cursors.ts';
import type { Session } from '../../src/user/session.ts';
import { UserState } from '../../src/user/user-state.ts';
import type { Opening } from '../../src/net/lane.ts';
import { Op } from '../../src/wire/op.ts';
import { textRun } from '../support/runs.ts';
import { FakeShard, sessionOf } from '../support/sessions.ts';

interface Save {
  readonly record: UserRecord;
  readonly done: () => void;
  readonly fail: () => void;
}

/** User 21 with a pair and a group of 10 messages each; saves are done when the test says. */
class Rig {
  readonly state = new UserState(21, undefined);
  readonly saves: Save[] = [];
  readonly marked: unknown[] = [];
  /** The newest message of the group in the log; undefined: it cannot be asked. */
  last: number | undefined = 12;
  /** Told to itself, not handled yet. */
  told = 0;
  #connections = 0;

  constructor() {
    this.state.listed = true;
    this.state.pair(22).head = 10;
    this.state.group(7, 4);
  }

  get ctx(): UserContext {
    const env = {
      store: {
        saveUser: (_user: unknown, record: UserRecord) =>
          new Promise<void>((resolve, reject) => {
            this.saves.push({ record, done: resolve, fail: () => reject(new Error('the disk is full')) });
          }),
        last: () =>
          this.last === undefined ? Promise.reject(new Error('lost')) : Promise.resolve(this.last),
      },
      fanouts: { head: () => 12 },
      logger: { warn: () => undefined },
      markCursors: (user: unknown) => this.marked.push(user),
    };
    const self = {
      tell: () => {
        this.told += 1;
        return true;
      },
    };
    return { id: 21, env, self } as unknown as UserContext;
  }

  session(opening: Partial<Opening> = {}): Session {
    const session = sessionOf(new FakeShard(), (this.#connections += 1), { ack: true, ...opening });
    this.state.sessions.push(session);
    return session;
  }

  /** Op 22 of a session; returns its ticket. */
  ack(session: Session, chatId: number, id: number | string = 22, isGroup = false): number {
    const ticket = session.requests.add(Op.ackReply, 1, 1, -1);
    void acknowledge(this.state, { session, ticket, target: { isGroup, id }, chatId }, this.ctx);
    return ticket;
  }

  save(): void {
    this.told = 0;
    saveAcks(this.state, undefined, this.ctx);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const failed = (code: ErrorCode): number => -errorNumber(code);

test('An acknowledgement is answered when its cursor is stored, and not before.', async () => {
  const rig = new Rig();
  const session = rig.session();
  const ticket = rig.ack(session, 6);
  rig.save();
  await turn();
  assert.deepEqual([rig.saves[0]?.record.cursors[0]?.delivered, session.requests.resultAt(ticket)], [6, 0]);
  rig.saves[0]?.done();
  await turn();
  assert.equal(session.requests.resultAt(ticket), 6);
});

test('What is acknowledged in one tick is one save, whoever said it, and answered together.', async () => {
  const rig = new Rig();
  const [one, two] = [rig.session(), rig.session({ device: 'phone' })];
  rig.state.useDevice('phone');
  const tickets = [rig.ack(one, 3), rig.ack(one, 5), rig.ack(two, 8, 7, true)];
  assert.equal(rig.told, 1);
  rig.save();
  assert.equal(rig.saves.length, 1);
  assert.deepEqual(
    rig.saves[0]?.record.cursors.map(({ key, delivered, devices }) => [key, delivered, devices]),
    [
      ['p:21:22', 5, {}],
      ['g:7', 8, { phone: 8 }],
    ],
  );
  rig.saves[0]?.done();
  await turn();
  assert.deepEqual(
    [one, one, two].map((session, i) => session.requests.resultAt(tickets[i] ?? -1)),
    [3, 5, 8],
  );
});

test('An acknowledgement that changes nothing waits for an earlier save that is open.', async () => {
  const rig = new Rig();
  const session = rig.session();
  rig.ack(session, 6);
  rig.save();
  const behind = rig.ack(session, 5);
  rig.save();
  await turn();
  assert.deepEqual([rig.saves.length, session.requests.resultAt(behind)], [1, 0]);
  rig.saves[0]?.done();
  await turn();
  assert.equal(session.requests.resultAt(behind), 6);
});

test('It waits for a save that was begun for another reason as well.', async () => {
  const rig = new Rig();
  const session = rig.session();
  rig.state.pair(22).deliver(null, 9);
  void saveDirty(rig.state, rig.ctx.env);
  const ticket = rig.ack(session, 9);
  rig.save();
  await turn();
  assert.deepEqual([rig.saves.length, session.requests.resultAt(ticket)], [1, 0]);
  rig.saves[0]?.done();
  await turn();
  assert.equal(session.requests.resultAt(ticket), 9);
});

test('A save that fails refuses its acknowledgements, and is made up for.', async () => {
  const rig = new Rig();
  const session = rig.session();
  const ticket = rig.ack(session, 6);
  rig.save();
  rig.saves[0]?.fail();
  await turn();
  assert.equal(session.requests.resultAt(ticket), failed('storage_unavailable'));
  assert.deepEqual(rig.marked, [21]);
  const again = rig.ack(session, 6);
  rig.save();
  assert.equal(rig.saves[1]?.record.cursors[0]?.delivered, 6);
  rig.saves[1]?.done();
  await turn();
  assert.equal(session.requests.resultAt(again), 6);
});

test('Nothing is acknowledged beyond the newest message.', async () => {
  const rig = new Rig();
  const session = rig.session();
  const tickets = [
    rig.ack(session, Number.MAX_SAFE_INTEGER),
    rig.ack(session, Number.MAX_SAFE_INTEGER, 7, true),
  ];
  await turn(); // the log is asked where the group stands
  rig.save();
  rig.saves[0]?.done();
  await turn();
  assert.deepEqual(
    tickets.map((ticket) => session.requests.resultAt(ticket)),
    [10, 12],
  );
});

test('Of a group more is acknowledged than its shard was told of, if the log has it.', async () => {
  const rig = new Rig();
  const session = rig.session();
  rig.last = 15;
  const ticket = rig.ack(session, 14, 7, true);
  await turn();
  rig.save();
  assert.equal(rig.saves[0]?.record.cursors[0]?.delivered, 14);
  rig.saves[0]?.done();
  await turn();
  assert.equal(session.requests.resultAt(ticket), 14);
  rig.last = undefined;
  const refused = rig.ack(session, 15, 7, true);
  await turn();
  assert.equal(session.requests.resultAt(refused), failed('unavailable'));
});

test('A conversation without messages and a group of others are refused at once, and nothing is remembered.', () => {
  const rig = new Rig();
  const session = rig.session();
  rig.state.pair(23);
  const tickets = [rig.ack(session, 1, 23), rig.ack(session, 1, 24), rig.ack(session, 1, 8, true)];
  assert.deepEqual(
    tickets.map((ticket) => session.requests.resultAt(ticket)),
    [failed('no_such_conversation'), failed('no_such_conversation'), failed('not_member')],
  );
  assert.deepEqual([rig.told, rig.state.acks, rig.state.findPair(24)], [0, [], undefined]);
});

test('A named device acknowledges for itself and for the user, another device stays where it is.', () => {
  const rig = new Rig();
  for (const device of ['phone', 'laptop']) rig.state.useDevice(device);
  rig.ack(rig.session({ device: 'phone' }), 6);
  const pair = rig.state.pair(22);
  assert.deepEqual([pair.delivered, pair.deliveredTo('phone'), pair.deliveredTo('laptop')], [6, 6, 0]);
});

test('A device that was forgotten acknowledges for the user alone.', async () => {
  const rig = new Rig();
  rig.state.useDevice('phone');
  const session = rig.session({ device: 'phone' });
  for (let i = 0; i < limits.userDevicesMax; i++) rig.state.useDevice(`device ${i}`);
  rig.state.pair(22).deliver(null, 4);
  const ticket = rig.ack(session, 3);
  rig.save();
  assert.deepEqual(rig.saves[0]?.record.cursors[0]?.devices, {});
  rig.saves[0]?.done();
  await turn();
  assert.equal(session.requests.resultAt(ticket), 4);
});

test('What the kernel took of a session moves its cursor only if it does not acknowledge.', () => {
  for (const [opening, delivered] of [
    [{ ack: true }, 0],
    [{ ack: true, device: 'phone' }, 0],
    [{ ack: false }, 1],
    [{ ack: true, encoding: 'messaging' }, 1],
  ] as const) {
    const rig = new Rig();
    rig.state.useDevice('phone');
    const session = rig.session(opening);
    const pair = rig.state.pair(22);
    session.push(textRun('a'), session.delivery(pair.conversation, 0), 1);
    session.writes = 1;
    collect(rig.state, session);
    assert.deepEqual([pair.delivered, pair.deliveredTo('phone')], [delivered, 0], JSON.stringify(opening));
  }
});
