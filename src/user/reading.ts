import { errorReasons } from '../errors.ts';
import { limits } from '../limits.ts';
import { encodeErrors, messageIdOf } from '../wire/messaging.ts';
import { frameFrom, nextFrame, runLast } from '../wire/run.ts';
import { list } from './attaching.ts';
import type { UserContext } from './context.ts';
import type { PairState } from './conversation-state.ts';
import type { Found, ReadByOther, ReadMarks } from './messages.ts';
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
  if (!state.listed) return list(state, ctx).then(() => read(state, { connection, items }, ctx));
  const marked = new Map<PairState, number[]>();
  const refused: Item[] = [];
  for (const item of items) {
    const entries = mailbox.take(item.id, item.sid);
    for (const { pair, number, sid } of entries) {
      if (pair.marks.add(number)) push(marked, pair, number);
      else {
        mailbox.add(item.id, sid, pair, number); // it stays unread, and can be read later
        refused.push(item);
      }
    }
    if (!mailbox.complete && mailbox.lookups.length < limits.mailboxIndexMax) mailbox.lookups.push(item);
  }
  if (refused.length > 0) refuse(connection, refused, ctx);
  if (mailbox.lookups.length > 0 && !mailbox.looking) lookUp(state, ctx);
  return finish(state, marked, ctx);
}

/** What the search in the log found. */
export function found(state: UserState, { pairs }: Found, ctx: UserContext): void | Promise<void> {
  if (state.mailbox === undefined) return undefined;
  state.mailbox.looking = false;
  const marked = new Map<PairState, number[]>();
  for (const { pair, numbers } of pairs) {
    for (const number of numbers) if (pair.marks.add(number)) push(marked, pair, number);
  }
  if (state.mailbox.lookups.length > 0) lookUp(state, ctx);
  return finish(state, marked, ctx);
}

/** The owner of a pair is told, so that the same id is not taken for a retry any more. */
export function readByOther(state: UserState, { other, numbers }: ReadByOther): void {
  const retries = state.findPair(other)?.retries;
  for (const number of numbers) retries?.forget(number);
}

function finish(state: UserState, marked: Map<PairState, number[]>, ctx: UserContext): void | Promise<void> {
  if (marked.size === 0) return undefined;
  for (const [pair, numbers] of marked) {
    const { conversation } = pair;
    for (const number of numbers) pair.retries?.forget(number);
    if ('low' in conversation && conversation.low !== state.id) {
      ctx.env.users.tellIfActive(conversation.low, 'readByOther', { other: state.id, numbers });
    }
  }
  return ctx.env.store.saveUser(state.id, state.toRecord(marked.keys()));
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

function push(map: Map<PairState, number[]>, pair: PairState, number: number): void {
  const numbers = map.get(pair);
  if (numbers === undefined) map.set(pair, [number]);
  else numbers.push(number);
}

function refuse(connection: number, items: readonly Item[], ctx: UserContext): void {
  const code = 'mailbox_full';
  const reason = errorReasons[code];
  const entries = items.map(({ idText }) => ({ section: 'read', idText, code, reason }) as const);
  ctx.env.sessions.get(connection)?.say(encodeErrors(entries));
}
