/*
 * A session follows some conversations while messages are committed, reads of the log are answered
 * late and in any order, writes take their time, the client stops reading, and live traffic finds
 * no room. Whatever the order: of every conversation it gets each message once, in order, without
 * a gap, its own ones left out; and in the end everything is live.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairOf, type Conversation } from '../../src/store/conversation.ts';
import { runLast, type Run } from '../../src/wire/run.ts';
import { Feeding } from '../support/feeding.ts';
import { seededRandom, type Random } from '../support/random.ts';

const CONVERSATIONS = [1, 2, 3, 4].map((other) => pairOf(other, 21));

/** What a client should have got, by the key of a conversation. */
type Expected = Map<string, string[]>;

/** Live traffic as the user's actor handles it (src/user/receiving.ts, `offer` and `settleOwn`). */
function offer(feeding: Feeding, conversation: Conversation, run: Run, isOwn: boolean, lost: boolean): void {
  const { session } = feeding;
  const delivery = feeding.delivery(conversation);
  if (isOwn && !delivery.behind && run.first === delivery.sent + 1) {
    delivery.advance(runLast(run), session.writes + 1);
    return;
  }
  if (isOwn) {
    delivery.own ??= new Set();
    for (let number = run.first; number <= runLast(run); number++) delivery.own.add(number);
  }
  if (delivery.behind) return;
  const room = !lost && session.canTake(run.bytes.length);
  if (!isOwn && room && run.first === delivery.sent + 1) session.push(run, delivery, runLast(run));
  else {
    feeding.feed(conversation, delivery.sent);
    feeding.feeder.advance();
  }
}

function say(random: Random, feeding: Feeding, expected: Expected, label: () => string): void {
  const conversation = random.pick(CONVERSATIONS);
  const texts = Array.from({ length: random.int(1, 4) }, label);
  const isOwn = random.chance(0.2);
  offer(feeding, conversation, feeding.commit(conversation, texts), isOwn, random.chance(0.1));
  if (!isOwn) expected.get(conversation.key)?.push(...texts);
}

function step(random: Random, feeding: Feeding, expected: Expected, label: () => string): void {
  const { session } = feeding;
  const dice = random.int(0, 9);
  if (dice < 4) say(random, feeding, expected, label);
  else if (dice < 6) feeding.answer(random.int(0, Math.max(0, feeding.readings.length - 1)));
  else if (dice === 6) feeding.flush();
  else if (dice === 7) feeding.written();
  else if (dice === 8) session.congest(session.writes);
  else {
    session.drain();
    feeding.feeder.written();
  }
}

test('Whatever happens between, a session gets every message once, in order, and ends up live.', () => {
  const random = seededRandom('feeder');
  for (let round = 0; round < 300; round++) {
    const feeding = new Feeding();
    const expected: Expected = new Map(CONVERSATIONS.map(({ key }) => [key, []]));
    let labels = 0;
    const label = (): string => `m${(labels += 1)}${'x'.repeat(random.chance(0.01) ? 30_000 : 0)}`;
    // What it was not sent while away.
    for (const conversation of CONVERSATIONS) {
      for (let runs = random.int(0, 5); runs > 0; runs--) {
        const texts = Array.from({ length: random.int(1, 3) }, label);
        feeding.commit(conversation, texts);
        expected.get(conversation.key)?.push(...texts);
      }
      if (feeding.state(conversation).head > 0) feeding.feed(conversation);
    }
    feeding.feeder.advance();
    for (let i = random.int(5, 150); i > 0; i--) step(random, feeding, expected, label);
    feeding.session.drain();
    feeding.feeder.written();
    feeding.settle();
    const conversationOf = new Map(
      [...expected].flatMap(([key, texts]) => texts.map((text) => [text, key] as const)),
    );
    const got: Expected = new Map(CONVERSATIONS.map(({ key }) => [key, []]));
    for (const text of feeding.writes.flat()) got.get(conversationOf.get(text) ?? 'its own')?.push(text);
    assert.equal(
      feeding.writes.flat().every((text) => conversationOf.has(text)),
      true,
      'its own messages are left out',
    );
    assert.deepEqual(got, expected);
    assert.equal(feeding.feeder.isIdle, true);
    for (const conversation of CONVERSATIONS) {
      const { behind, sent } = feeding.delivery(conversation);
      assert.deepEqual([behind, sent], [false, feeding.state(conversation).head]);
    }
  }
});
