import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { pairOf } from '../../src/store/conversation.ts';
import { PairState } from '../../src/user/conversation-state.ts';
import { Mailbox } from '../../src/user/mailbox.ts';

const pairWith = (other: number | string): PairState => new PairState(pairOf(21, other), undefined, 0);
const [a, b] = [pairWith('a'), pairWith('b')];

const numbers = (taken: ReturnType<Mailbox['take']>): number[] => taken.map(({ number }) => number);

test('All messages with an id are taken, whoever sent them, and only once.', () => {
  const mailbox = new Mailbox();
  mailbox.add('x', 'a', a, 1);
  mailbox.add('x', 'b', b, 1);
  mailbox.add('y', 'a', a, 2);
  assert.deepEqual(mailbox.take('x', undefined), [
    { pair: a, number: 1, sid: 'a' },
    { pair: b, number: 1, sid: 'b' },
  ]);
  assert.deepEqual(mailbox.take('x', undefined), []);
  assert.deepEqual(numbers(mailbox.take('y', undefined)), [2]);
});

test('A sender narrows what is taken.', () => {
  const mailbox = new Mailbox();
  mailbox.add('x', 'a', a, 1);
  mailbox.add('x', 'b', b, 2);
  assert.deepEqual(mailbox.take('x', 'c'), []);
  assert.deepEqual(numbers(mailbox.take('x', 'b')), [2]);
  assert.deepEqual(numbers(mailbox.take('x', undefined)), [1]);
  mailbox.add('x', 'a', a, 1);
  assert.deepEqual(numbers(mailbox.take('x', 'a')), [1]);
});

test('A message that is indexed again, by another connection that is fed, is there once.', () => {
  const mailbox = new Mailbox();
  for (let i = 0; i < 2; i++) {
    mailbox.add('x', 'a', a, 1);
    mailbox.add('x', 'b', b, 1);
  }
  assert.deepEqual(numbers(mailbox.take('x', undefined)), [1, 1]);
});

test('The index is complete once all unread messages passed through it, unless some had to be forgotten.', () => {
  const mailbox = new Mailbox();
  assert.equal(mailbox.complete, false);
  mailbox.setComplete();
  assert.equal(mailbox.complete, true);
  for (let number = 1; number <= limits.mailboxIndexMax; number++)
    mailbox.add(`id ${number}`, 'a', a, number);
  assert.equal(mailbox.complete, true);
  mailbox.add('one more', 'a', a, 0);
  assert.equal(mailbox.complete, false);
  mailbox.setComplete();
  assert.equal(mailbox.complete, false);
  assert.deepEqual(mailbox.take('id 1', undefined), []);
  assert.deepEqual(numbers(mailbox.take('id 2', undefined)), [2]);
});

test('What was taken makes room in the index.', () => {
  const mailbox = new Mailbox();
  mailbox.setComplete();
  for (let number = 1; number <= limits.mailboxIndexMax; number++)
    mailbox.add(`id ${number % 9}`, `s${number % 2}`, a, number);
  const room = mailbox.take('id 3', 's1').length + mailbox.take('id 4', undefined).length;
  for (let i = 0; i < room; i++) mailbox.add(`new ${i}`, 'a', a, 1_000_000 + i);
  assert.equal(mailbox.complete, true);
  mailbox.add('one more', 'a', a, 0);
  assert.equal(mailbox.complete, false);
});
