import type { Connection } from './connection.ts';
import type { Conversation } from './conversation.ts';
import type { GrowingUint32 } from './growing.ts';
import type { History } from './history.ts';
import { isOwnOrAbsent } from './order.ts';
import type { Scope } from './scope.ts';

/** The rest of what can be said of a history, once it has ended: see history.facts. */
export function judge(history: History): void {
  judgeNumbers(history);
  judgeScopes(history);
  for (const connection of history.connections) {
    judgeMissed(history, connection);
    for (const [index, sequence] of connection.sequences) {
      const conversation = history.conversations[index];
      if (conversation !== undefined) judgeSequence(history, connection, conversation, sequence);
    }
  }
}

/** Numbers are dense: for each that nobody was told there is a message that came without one. */
function judgeNumbers({ ledger, facts, conversations }: History): void {
  const unnumbered = new Map<number, number>();
  for (let serial = 0; serial < ledger.length; serial++) {
    if (!ledger.isSeen(serial) || ledger.numberOf(serial) !== 0) continue;
    const index = ledger.conversationOf(serial);
    unnumbered.set(index, (unnumbered.get(index) ?? 0) + 1);
  }
  for (const conversation of conversations) {
    let left = unnumbered.get(conversation.index) ?? 0;
    for (let number = 1; number <= conversation.last; number++) {
      if (conversation.serialAt(number) !== undefined) continue;
      if (left > 0) left -= 1;
      else
        facts.add(
          'lost',
          () => `${conversation.name} ${number} is nowhere, the last is ${conversation.last}`,
        );
    }
  }
}

/** Whoever has to get a stored message has got it. */
function judgeScopes(history: History): void {
  const { ledger, conversations } = history;
  for (let serial = 0; serial < ledger.length; serial++) {
    if (!ledger.isStored(serial)) continue;
    const conversation = conversations[ledger.conversationOf(serial)] as Conversation;
    for (const scope of conversation.scopes) judgeReceived(history, conversation, scope, serial);
  }
}

function judgeReceived(history: History, conversation: Conversation, scope: Scope, serial: number): void {
  const { ledger, facts, connections } = history;
  const { index, name, isGroup } = conversation;
  if (serial < scope.since || !conversation.member(scope.user).isDue(serial)) return;
  const inMailbox = scope.kind === 'mailbox';
  if (inMailbox && isGroup) return;
  const sender = connections[ledger.connectionOf(serial)] as Connection;
  if (scope.kind === 'ack' && (scope.got.has(serial) || sender.scopes.includes(scope)))
    judgeLast(history, conversation, scope, serial);
  if (sender.user === scope.user && (!scope.getsOwn || sender.scopes.includes(scope))) return;
  const number = ledger.numberOf(serial);
  const what = (): string =>
    `${scope.name} did not get ${name} ${number}, message ${serial} of ${sender.name}`;
  if (!scope.got.has(serial)) {
    if (!scope.explains(index, serial, number)) facts.add('lost', what);
  } else if (inMailbox && !ledger.isRead(serial) && !scope.gotLast.has(serial)) {
    facts.add('lost', () => `${what()} again, though it is unread`);
  }
}

/** What a device has not acknowledged comes again on its last connection, own messages of before included. */
function judgeLast(
  { ledger, facts }: History,
  { index, name }: Conversation,
  scope: Scope,
  serial: number,
): void {
  const { lastConnection, gotLast, acked } = scope;
  if (lastConnection < 0 || gotLast.has(serial) || ledger.connectionOf(serial) === lastConnection) return;
  const number = ledger.numberOf(serial);
  if (number === 0 || number <= (acked.get(index) ?? 0)) return;
  facts.add(
    'lost',
    () => `${scope.name} did not get ${name} ${number}, message ${serial}, again: it is not acknowledged`,
  );
}

/** Numbers that a comet connection jumped over are messages that it sent itself. */
function judgeMissed({ ledger, facts, conversations }: History, connection: Connection): void {
  for (const [index, numbers] of connection.missed) {
    const conversation = conversations[index] as Conversation;
    for (const [number, next] of numbers) {
      const serial = conversation.serialAt(number);
      if (serial === undefined) continue; // nobody has it: that was said already
      if (isOwnOrAbsent(ledger, connection, conversation, serial, next)) continue;
      facts.add('lost', () => `${connection.name} jumped over ${conversation.name} ${number}`);
    }
  }
}

/**
 * What a messaging connection got of one conversation: in order, none twice. What it jumps over in a
 * pair is own or read, from number 1 on; in a group it sent it itself.
 */
function judgeSequence(
  history: History,
  connection: Connection,
  conversation: Conversation,
  sequence: GrowingUint32,
): void {
  const { ledger, facts } = history;
  const { name, isGroup } = conversation;
  const came = new Set<number>();
  const floor = isGroup ? 0 : explainedTo(history, connection, conversation);
  let last: number | undefined;
  for (let i = 0; i < sequence.length; i++) {
    const serial = sequence.at(i);
    const number = ledger.numberOf(serial);
    const what = (): string => `${connection.name} got ${name} ${number}, message ${serial},`;
    if (came.has(serial)) facts.add('duplicated', () => `${what()} twice`);
    else if (number !== 0 && number < (last ?? 0)) facts.add('reordered', () => `${what()} after ${last}`);
    came.add(serial);
    if (number <= (last ?? 0)) continue; // not told, or told as a fact already
    const first = last ?? (isGroup ? number : 0);
    for (let between = Math.max(first, floor) + 1; between < number; between++) {
      const other = conversation.serialAt(between);
      if (other === undefined || came.has(other)) continue;
      if (isExplained(history, connection, conversation, other, number)) continue;
      facts.add('lost', () => `${connection.name} jumped over ${name} ${between}`);
    }
    last = number;
  }
}

/** All up to this number are own messages or read, by now. */
function explainedTo(history: History, connection: Connection, conversation: Conversation): number {
  let number = 0;
  for (;;) {
    const serial = conversation.serialAt(number + 1);
    if (serial === undefined || !isExplained(history, connection, conversation, serial, number + 1))
      return number;
    number += 1;
  }
}

function isExplained(
  { ledger, connections }: History,
  connection: Connection,
  conversation: Conversation,
  serial: number,
  next: number,
): boolean {
  if (conversation.isGroup) return isOwnOrAbsent(ledger, connection, conversation, serial, next);
  const sender = connections[ledger.connectionOf(serial)];
  return sender?.user === connection.user || ledger.isRead(serial);
}
