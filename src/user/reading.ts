import { errorNumber, errorReasons } from '../errors.ts';
import { limits } from '../limits.ts';
import { countErrors } from '../metrics/counters.ts';
import { encodeErrors, messageIdOf } from '../wire/messaging.ts';
import { frameFrom, nextFrame, runLast } from '../wire/run.ts';
import { list } from './attaching.ts';
import type { UserContext } from './context.ts';
import type { PairState } from './conversation-state.ts';
import type { Entry, Mailbox } from './mailbox.ts';
import type { Found, ReadByOther, ReadMarks } from './messages.ts';
import type { ReadMarks as Marks } from './read-marks.ts';
import { isToSelf, type UserState } from './user-state.ts';

type Item = ReadMarks['items'][number];

/** docs/protocol.md "read": every unread message with the id leaves the reader's mailbox. */
export function read(
  state: UserState,
  { connection, items }: ReadMarks,
  ctx: UserContext,
): void | Promise<void> {
  const { mailbox } = state;
  if (mailbox === undefined) return undefined;
  // The connection may be gone already, before its turn to be attached came.
  if (!state.listed) {
    return list(state, ctx).then(
      () => read(state, { connection, items }, ctx),
      (error: unknown) => {
        ctx.env.logger.warn({ err: error, user: state.id }, 'read marks could not be set: refused');
        refuse(connection, items, 'unavailable', ctx);
      },
    );
  }
  const marking = new Marking();
  const taken: Taken[] = [];
  const refused: Item[] = [];
  for (const item of items) {
    for (const entry of mailbox.take(item.id, item.sid)) {
      if (marking.add(entry.pair, entry.number)) taken.push({ item, entry });
      else {
        putBack(mailbox, { item, entry });
        refused.push(item);
      }
    }
    if (!mailbox.complete && mailbox.lookups.length < limits.mailboxIndexMax) mailbox.lookups.push(item);
  }
  if (refused.length > 0) refuse(connection, refused, 'mailbox_full', ctx);
  if (mailbox.lookups.length > 0 && !mailbox.looking) lookUp(state, ctx);
  return finish(state, marking, ctx, () => {
    for (const each of taken) putBack(mailbox, each);
    refuse(connection, [...new Set(taken.map(({ item }) => item))], 'storage_unavailable', ctx);
  });
}

/** An unread message that was taken out of the index. */
interface Taken {
  readonly item: Item;
  readonly entry: Entry;
}

/** It stays unread, and can be read later. */
function putBack(mailbox: Mailbox, { item, entry: { sid, pair, number } }: Taken): void {
  mailbox.add(item.id, sid, pair, number);
}

/** Marks that are set now, and can be taken back as long as they are not stored. */
class Marking {
  readonly numbers = new Map<PairState, number[]>();
  readonly #before = new Map<PairState, Marks>();

  /** False when the pair has no room for another gap. */
  add(pair: PairState, number: number): boolean {
    if (!this.#before.has(pair)) this.#before.set(pair, pair.marks.snapshot());
    if (!pair.marks.add(number)) return false;
    const numbers = this.numbers.get(pair);
    if (numbers === undefined) this.numbers.set(pair, [number]);
    else numbers.push(number);
    return true;
  }

  undo(): void {
    for (const [pair, marks] of this.#before) pair.marks.restore(marks);
  }
}

/** What the search in the log found. */
export function found(state: UserState, { pairs }: Found, ctx: UserContext): void | Promise<void> {
  if (state.mailbox === undefined) return undefined;
  state.mailbox.looking = false;
  const marking = new Marking();
  for (const { pair, numbers } of pairs) {
    for (const number of numbers) marking.add(pair, number);
  }
  if (state.mailbox.lookups.length > 0) lookUp(state, ctx);
  // Who asked for it is not known any more: the messages come again at the next connection.
  return finish(state, marking, ctx, () => {});
}

/** The owner of a pair is told, so that the same id is not taken for a retry any more. */
export function readByOther(state: UserState, { other, numbers }: ReadByOther): void {
  const retries = state.findPair(other)?.retries;
  for (const number of numbers) retries?.forget(number);
}

/** Stored, then told: the marks, or `onFailure` and no marks. */
function finish(
  state: UserState,
  marking: Marking,
  ctx: UserContext,
  onFailure: () => void,
): void | Promise<void> {
  if (marking.numbers.size === 0) return undefined;
  const saving = ctx.env.store.saveUser(state.id, state.toRecord(marking.numbers.keys()));
  if (!(saving instanceof Promise)) return tellRead(state, marking.numbers, ctx);
  return saving.then(
    () => tellRead(state, marking.numbers, ctx),
    (error: unknown) => {
      ctx.env.logger.warn({ err: error, user: state.id }, 'read marks could not be stored');
      marking.undo();
      onFailure();
    },
  );
}

function tellRead(state: UserState, marked: ReadonlyMap<PairState, number[]>, ctx: UserContext): void {
  for (const [pair, numbers] of marked) {
    const { conversation } = pair;
    for (const number of numbers) pair.retries?.forget(number);
    if ('low' in conversation && conversation.low !== state.id) {
      ctx.env.users.tellIfActive(conversation.low, 'readByOther', { other: state.id, numbers });
    }
  }
}

/** Ids that did not pass through memory yet are searched for in what is unread, all at once. */
function lookUp(state: UserState, ctx: UserContext): void {
  const { mailbox } = state;
  if (mailbox === undefined) return;
  const items = mailbox.lookups;
  mailbox.lookups = [];
  mailbox.looking = true;
  search(state, items, ctx).then(
    (pairs) => ctx.self.tell('found', { pairs }),
    (error: unknown) => {
      ctx.env.logger.warn({ err: error }, 'read marks could not be looked up: dropped');
      ctx.self.tell('found', { pairs: [] });
    },
  );
}

/** Unread messages to this user with one of these ids. */
async function search(state: UserState, items: readonly Item[], ctx: UserContext): Promise<Found['pairs']> {
  const wanted = new Map<string, Item[]>();
  for (const item of items) {
    const same = wanted.get(item.id);
    if (same === undefined) wanted.set(item.id, [item]);
    else same.push(item);
  }
  const hits: { pair: PairState; numbers: number[] }[] = [];
  for (const pair of state.pairs()) {
    const numbers: number[] = [];
    const last = pair.head;
    for (let after = pair.marks.readTo; after < last;) {
      const { runs } = await ctx.env.store.read(
        pair.conversation,
        after,
        limits.feedMessagesMax,
        limits.feedBytesMax,
      );
      if (runs.length === 0) break;
      for (const run of runs) {
        for (let i = 0, at = 0; i < run.count; i++, at = nextFrame(run.bytes, at)) {
          const { id, sid } = messageIdOf(run, at);
          const match = wanted.get(id)?.some((item) => item.sid === undefined || item.sid === sid);
          const number = run.first + i;
          if (match !== true || number > last || pair.marks.has(number)) continue;
          if (isToSelf(state, pair, frameFrom(run.bytes, at), sid)) numbers.push(number);
        }
        after = runLast(run);
      }
    }
    if (numbers.length > 0) hits.push({ pair, numbers });
  }
  return hits;
}

function refuse(
  connection: number,
  items: readonly Item[],
  code: 'mailbox_full' | 'storage_unavailable' | 'unavailable',
  ctx: UserContext,
): void {
  const reason = errorReasons[code];
  countErrors(errorNumber(code), items.length);
  const entries = items.map(({ idText }) => ({ section: 'read', idText, code, reason }) as const);
  ctx.env.sessions.get(connection)?.say(encodeErrors(entries));
}
