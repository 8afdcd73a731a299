import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FactKind } from '../support/history/facts.ts';
import { History } from '../support/history/history.ts';
import { Reading } from '../support/history/reading.ts';
import type { Scope, ScopeKind } from '../support/history/scope.ts';
import { judge } from '../support/history/verdict.ts';

/** Three users, their pairs and a group of all; what each of them gets is what a test says. */
class World {
  readonly history = new History();
  readonly a = this.history.addUser('a');
  readonly b = this.history.addUser('b');
  readonly c = this.history.addUser('c');
  readonly pair = this.history.addConversation('pair a b', false, [this.a, this.b]);
  readonly group = this.history.addConversation('group', true, [this.a, this.b], [this.c]);
  #numbers = new Map<number, number>();

  scope(kind: ScopeKind, user: number): Scope {
    return this.history.addScope(kind, user, kind);
  }

  comet(user: number, ...scopes: Scope[]): number {
    return this.history.open(user, 'comet', `comet of ${user}`, scopes);
  }

  messaging(user: number, ...scopes: Scope[]): number {
    return this.history.open(user, 'messaging', `messaging of ${user}`, scopes);
  }

  /** So many messages, acknowledged; their serials. */
  send(connection: number, conversation: number, count = 1): number[] {
    return Array.from({ length: count }, () => {
      const serial = this.history.send(connection, conversation);
      const number = (this.#numbers.get(conversation) ?? 0) + 1;
      this.#numbers.set(conversation, number);
      this.history.acknowledge(serial, number);
      return serial;
    });
  }

  /** The connection gets these messages, with their numbers. */
  give(connection: number, conversation: number, serials: readonly number[]): void {
    for (const serial of serials)
      this.history.receive(connection, conversation, serial, this.history.ledger.numberOf(serial));
  }

  /** What is found, `kind: words` each; all of it has to match. */
  finds(...wanted: [FactKind, RegExp][]): void {
    judge(this.history);
    const found = this.history.facts.first.map(({ kind, text }) => `${kind}: ${text}`);
    assert.equal(found.length, wanted.length, found.join('\n'));
    for (const [i, [kind, words]] of wanted.entries()) {
      assert.ok(found[i]?.startsWith(`${kind}: `) && words.test(found[i] ?? ''), found[i]);
    }
  }
}

test('A history in which everything came, in order, is good.', () => {
  const world = new World();
  const mailbox = world.scope('mailbox', world.b);
  const device = world.scope('ack', world.a);
  const a = world.comet(world.a, device);
  const phone = world.comet(world.a);
  const b = world.messaging(world.b, mailbox);
  const early = world.send(phone, world.pair, 5);
  world.give(b, world.pair, early);
  world.give(b, world.group, world.send(phone, world.group, 3));
  const own = world.send(a, world.pair, 2);
  const late = world.send(phone, world.pair, 1);
  // Own messages are jumped over.
  world.give(a, world.pair, [...early, ...late]);
  world.give(a, world.group, [5, 6, 7]);
  world.give(phone, world.pair, own);
  world.give(b, world.pair, [...own, ...late]);
  for (const serial of early) world.history.read(b, serial);
  world.history.acknowledge(world.history.send(b, world.pair), 9);
  world.give(a, world.pair, [11]);
  world.history.acked(a, world.pair, 5);
  world.history.ackAnswered(a, world.pair, 5, 5);
  world.history.close(b, false);
  // What is unread comes again, and so does what is not acknowledged.
  const again = world.messaging(world.b, mailbox);
  world.history.openedLast(again);
  world.give(again, world.pair, [...own, ...late]);
  world.give(world.comet(world.a, device), world.pair, [...own, ...late]);
  world.finds();
});

test('A number with two messages, and a message with two numbers, are found.', () => {
  const world = new World();
  const a = world.comet(world.a);
  const [first = 0] = world.send(a, world.pair, 2);
  const lost = world.history.send(a, world.pair);
  world.history.acknowledge(lost, 2);
  world.history.receive(world.comet(world.b), world.pair, first, 3);
  world.finds(
    ['duplicated', /pair a b 2 is two messages: 1 and 2/],
    ['reordered', /sent pair a b 2 after 2/],
    ['duplicated', /message 0 is both 1 and 3/],
  );
});

test('A number that nobody has is found, and so is one that cannot be.', () => {
  const world = new World();
  const a = world.comet(world.a);
  const serials = Array.from({ length: 4 }, () => world.history.send(a, world.pair));
  for (const [i, number] of [1, 3, 4_000_000_000].entries())
    world.history.acknowledge(serials[i] ?? 0, number);
  world.finds(
    ['wrong', /pair a b 4000000000, when 4 messages were sent/],
    ['lost', /pair a b 2 is nowhere, the last is 3/],
  );
});

test('A message of messaging whose number is not told fills the gap of the numbers.', () => {
  const world = new World();
  const a = world.messaging(world.a);
  world.history.acknowledge(world.history.send(a, world.pair), 1);
  const untold = world.history.send(a, world.pair);
  world.history.acknowledge(world.history.send(a, world.pair), 3);
  world.history.receive(world.messaging(world.b), world.pair, untold, 0);
  world.finds();
});

test('What comes twice, late or not at all on a comet connection is found.', () => {
  const world = new World();
  const a = world.comet(world.a);
  const b = world.comet(world.b);
  const serials = world.send(a, world.pair, 6);
  world.give(b, world.pair, [0, 1, 1, 4, 2]);
  assert.equal(serials.length, 6);
  world.finds(
    ['duplicated', /comet of 1 got pair a b 2 again, behind 2/],
    ['reordered', /comet of 1 got pair a b 3 after 5/],
    ['lost', /comet of 1 jumped over pair a b 4/],
  );
});

test('A jump over own messages is found to be none, even if their replies come later or never.', () => {
  const world = new World();
  const a = world.comet(world.a);
  const b = world.comet(world.b);
  const late = world.history.send(b, world.pair);
  const never = world.history.send(b, world.pair);
  const [early, last] = [world.history.send(a, world.pair), world.history.send(a, world.pair)];
  world.history.acknowledge(early, 1);
  world.history.acknowledge(last, 4);
  world.give(b, world.pair, [early, last]);
  world.history.acknowledge(late, 2);
  world.history.receive(a, world.pair, never, 3);
  world.finds();
});

test('What comes twice, late or not at all on a messaging connection is found, whenever numbers are told.', () => {
  const world = new World();
  const a = world.messaging(world.a);
  const b = world.messaging(world.b);
  const serials = Array.from({ length: 6 }, () => world.history.send(a, world.pair));
  for (const serial of [1, 1, 4, 2, 5]) world.history.receive(b, world.pair, serial, 0);
  for (const serial of serials) world.history.acknowledge(serial, serial + 1);
  world.finds(
    ['lost', /messaging of 1 jumped over pair a b 1/],
    ['duplicated', /messaging of 1 got pair a b 2, message 1, twice/],
    ['lost', /messaging of 1 jumped over pair a b 3/],
    ['lost', /messaging of 1 jumped over pair a b 4/],
    ['reordered', /messaging of 1 got pair a b 3, message 2, after 5/],
  );
});

test('A message that was read does not come again once a later message is acknowledged, before it may.', () => {
  for (const settled of [false, true]) {
    const world = new World();
    const mailbox = world.scope('mailbox', world.b);
    const a = world.comet(world.a);
    const b = world.messaging(world.b, mailbox);
    const [serial = 0] = world.send(a, world.pair);
    world.give(b, world.pair, [serial]);
    const before = world.history.send(b, world.pair);
    world.history.read(b, serial);
    const after = world.history.send(b, world.pair);
    world.history.acknowledge(before, 2);
    const early = world.messaging(world.b, mailbox); // its unread messages may be on their way
    if (settled) world.history.acknowledge(after, 3);
    world.give(early, world.pair, [serial]);
    world.give(world.messaging(world.b, mailbox), world.pair, [serial]);
    if (settled) world.finds(['duplicated', /messaging of 1 got pair a b 1, message 0: it was read/]);
    else world.finds();
  }
});

test('An unread message that does not come again is found.', () => {
  const world = new World();
  const mailbox = world.scope('mailbox', world.b);
  const a = world.comet(world.a);
  const b = world.messaging(world.b, mailbox);
  world.give(b, world.pair, world.send(a, world.pair, 3));
  world.history.read(b, 0);
  const last = world.messaging(world.b, mailbox);
  world.history.openedLast(last);
  world.give(last, world.pair, [1]);
  world.finds(['lost', /mailbox did not get pair a b 3, message 2 of .* again, though it is unread/]);
});

test('A message that a mailbox or an acknowledging device never got is found, broken connections or not.', () => {
  for (const kind of ['mailbox', 'ack'] as const) {
    const world = new World();
    const scope = world.scope(kind, world.b);
    const a = world.comet(world.a);
    const b = kind === 'ack' ? world.comet(world.b, scope) : world.messaging(world.b, scope);
    world.give(b, world.pair, world.send(a, world.pair).slice(0, 1));
    world.history.read(b, 0);
    world.send(a, world.pair);
    world.history.close(b, false);
    world.finds(['lost', /did not get pair a b 2, message 1 of comet of 0/]);
  }
});

test('What a device has not acknowledged has to come again, from where it has to come.', () => {
  const world = new World();
  const scope = world.scope('ack', world.b);
  const a = world.comet(world.a);
  const first = world.comet(world.b, scope);
  world.give(first, world.pair, world.send(a, world.pair, 3));
  world.send(first, world.pair); // 4, of the device itself
  world.give(first, world.pair, world.send(a, world.pair, 2));
  world.history.acked(first, world.pair, 2); // it may count, or not
  world.history.close(first, false);
  const second = world.comet(world.b, scope);
  world.give(second, world.pair, [1, 4]); // 3 and 4 are left out
  world.history.close(second, true);
  const last = world.comet(world.b, scope);
  world.history.openedLast(last);
  world.give(last, world.pair, [2, 3, 4]); // 6 does not come again
  world.finds(
    ['lost', /ack did not get pair a b 6, message 5, again: it is not acknowledged/],
    ['lost', /comet of 1 jumped over pair a b 3/],
    ['lost', /comet of 1 jumped over pair a b 4/],
  );
});

test('What a device was told to be acknowledged does not come again on a later connection.', () => {
  const world = new World();
  const scope = world.scope('ack', world.b);
  const a = world.comet(world.a);
  const first = world.comet(world.b, scope);
  world.give(first, world.pair, world.send(a, world.pair, 3));
  const own = world.send(first, world.pair);
  world.history.acked(first, world.pair, 4);
  const early = world.comet(world.b, scope);
  world.history.ackAnswered(first, world.pair, 4, 4);
  world.give(early, world.pair, [2]); // its own messages may be on their way
  world.give(world.comet(world.b, scope), world.pair, own);
  world.finds(['duplicated', /comet of 1 got pair a b 4, message 3: it was acknowledged/]);
});

test('An answer that says less than was acknowledged, or more than ever was, is found.', () => {
  const world = new World();
  const a = world.comet(world.a, world.scope('ack', world.a));
  world.give(a, world.pair, world.send(world.comet(world.b), world.pair, 9));
  for (const [number, stands] of [
    [5, 4],
    [6, 7],
    [3, 6],
  ] as const) {
    world.history.acked(a, world.pair, number);
    world.history.ackAnswered(a, world.pair, number, stands);
  }
  world.finds(
    ['wrong', /acknowledged pair a b 5, 5 at most, and is told that it stands at 4/],
    ['wrong', /acknowledged pair a b 6, 6 at most, and is told that it stands at 7/],
  );
});

test('A log that leaves something out, repeats it, or has another message at a number is found.', () => {
  for (const oldestFirst of [true, false]) {
    const world = new World();
    world.send(world.comet(world.a), world.pair, 6);
    const read = (...numbers: number[]): void => {
      const reading = new Reading(world.history, world.pair, oldestFirst, 'reader');
      for (const number of oldestFirst ? numbers : numbers.toReversed()) reading.take(number - 1, number);
      reading.end();
    };
    read(1, 2, 3, 4, 5, 6);
    world.finds();
    read(1, 2, 4, 5, 6);
    read(1, 2, 3, 3, 4, 5, 6);
    read(2, 3, 4, 5);
    new Reading(world.history, world.pair, oldestFirst, 'reader').take(0, oldestFirst ? 1 : 6);
    const { counts } = world.history.facts;
    assert.deepEqual(counts, {
      lost: oldestFirst ? 3 : 2,
      duplicated: oldestFirst ? 1 : 3,
      reordered: 0,
      wrong: 0,
    });
  }
});

test('A comet connection that broke explains what was on its way, and nothing else.', () => {
  const world = new World();
  const scope = world.scope('device', world.b);
  const a = world.comet(world.a);
  const [before = 0] = world.send(a, world.pair);
  const first = world.comet(world.b, scope);
  const sent = world.send(a, world.pair, 3);
  world.give(first, world.pair, sent.slice(0, 1)); // 1 was skipped
  world.history.close(first, false); // 3 and 4 are lost with it
  world.send(a, world.pair); // 5 never comes
  const second = world.comet(world.b, scope);
  const [later = 0] = world.send(a, world.pair);
  world.give(second, world.pair, [later]);
  world.history.close(second, true);
  assert.equal(before, 0);
  world.finds(['lost', /device did not get pair a b 1,/], ['lost', /device did not get pair a b 5,/]);
});

test('A comet connection that was closed in good order explains nothing.', () => {
  const world = new World();
  const scope = world.scope('user', world.b);
  const a = world.comet(world.a);
  const b = world.comet(world.b, scope);
  world.give(b, world.pair, world.send(a, world.pair, 2).slice(0, 1));
  world.history.close(b, true);
  world.finds(['lost', /user did not get pair a b 2/]);
});

test('A message that nobody sent, that was refused or that was for others is found.', () => {
  const world = new World();
  const a = world.comet(world.a);
  const b = world.comet(world.b);
  world.give(b, world.pair, world.send(a, world.pair));
  world.history.receive(b, world.pair, 77, 2);
  world.history.receive(b, -1, 0, 1);
  const refused = world.history.send(a, world.pair);
  world.history.refuse(refused);
  world.history.receive(b, world.pair, refused, 2);
  world.history.receive(world.comet(world.c), world.pair, 0, 1);
  world.finds(
    ['wrong', /got pair a b 2, message 77: it was not sent there/],
    ['wrong', /got something 1, message 0: it was not sent there/],
    ['wrong', /got pair a b 2, message 1: it was refused/],
    ['wrong', /comet of 2 got pair a b 1, message 0: it was not sent there/],
  );
});

test('Who is no member of a group gets nothing; who joins starts at the head, who leaves need not get the rest.', () => {
  const world = new World();
  const { history, group, b, c } = world;
  const scopes = [world.scope('ack', b), world.scope('ack', c)] as const;
  const a = world.comet(world.a);
  const [ofB, ofC] = [world.comet(b, scopes[0]), world.comet(c, scopes[1])];
  const first = world.send(a, group, 3);
  world.give(ofB, group, first.slice(0, 1));
  history.member('leaving', b, group);
  world.give(ofB, group, world.send(a, group)); // it may or may not be one
  history.member('left', b, group);
  history.member('joining', c, group);
  const between = world.send(a, group);
  history.member('joined', c, group);
  const after = world.send(a, group, 3);
  world.give(ofC, group, after.slice(1));
  world.give(ofB, group, between);
  history.member('joining', b, group);
  history.member('joined', b, group);
  world.give(ofB, group, world.send(a, group));
  world.finds(
    ['wrong', /comet of 1 got group 5, message 4: it is no member/],
    ['lost', /ack did not get group 6/],
    ['lost', /ack did not get group 9/],
    ['lost', /comet of 2 jumped over group 6/],
  );
});

test('Answers in another order than the requests are found.', () => {
  const world = new World();
  const a = world.comet(world.a);
  const [first, second] = [world.history.send(a, world.pair), world.history.send(a, world.group)];
  world.history.acknowledge(second, 1);
  world.history.acknowledge(first, 1);
  world.finds(['reordered', /comet of 0: message 0 was answered after 1/]);
});

test('Facts are counted without an end, and the first ones are told.', () => {
  const history = new History({ factsMax: 2 });
  const [a, b] = [history.addUser('a'), history.addUser('b')];
  const pair = history.addConversation('pair', false, [a, b]);
  const connection = history.open(a, 'comet', 'comet', []);
  for (let i = 0; i < 5; i++) history.receive(connection, pair, 100 + i, 1);
  assert.deepEqual([history.facts.counts.wrong, history.facts.first.length], [5, 2]);
});
