import { AskRefused, AskTimeout } from '../actor/index.ts';
import type { ErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Cursor } from '../store/store.ts';
import { messageIdOf } from '../wire/messaging.ts';
import { frameFrom, nextFrame, numberRun, Origin, runLast } from '../wire/run.ts';
import type { UserId } from '../wire/user-id.ts';
import type { UserContext } from './context.ts';
import type { PairState } from './conversation-state.ts';
import { PUBLISHED, type Committed, type SendRequest } from './messages.ts';
import { tellRefused, tellRetried, tellSent } from './outcome.ts';
import { ReadMarks } from './read-marks.ts';
import { deliver, refused, sent } from './receiving.ts';
import { RetryIndex } from './retry-index.ts';
import type { UserState } from './user-state.ts';

const otherOf = (state: UserState, request: SendRequest): UserId =>
  request.from === state.id ? request.to : request.from;

/** The owner of a pair numbers a run and hands it to the store. */
export function send(state: UserState, request: SendRequest, ctx: UserContext): void | Promise<void> {
  const pair = state.pair(otherOf(state, request));
  if (pair.failed) return refuse(state, request, 'storage_unavailable', ctx);
  if (pair.assigned >= 0 && request.id === null) return accept(pair, request, ctx);
  return loadAndAccept(state, pair, request, ctx);
}

/** What is asked of the store may be on a shard that is lost: the request is refused, nobody is to blame. */
async function loadAndAccept(
  state: UserState,
  pair: PairState,
  request: SendRequest,
  ctx: UserContext,
): Promise<void> {
  try {
    await load(state, pair, request, ctx);
  } catch (error) {
    ctx.env.logger.warn({ err: error, user: state.id }, 'a message could not be numbered: refused');
    const isAway = error instanceof AskRefused || error instanceof AskTimeout;
    refuse(state, request, isAway ? 'unavailable' : 'storage_unavailable', ctx);
  }
}

async function load(
  state: UserState,
  pair: PairState,
  request: SendRequest,
  ctx: UserContext,
): Promise<void> {
  if (pair.assigned < 0) {
    pair.assigned = await ctx.env.store.last(pair.conversation);
    pair.head = Math.max(pair.head, pair.assigned);
  }
  if (request.id !== null && (await hasMailbox(state, request.to, ctx))) {
    pair.retries ??= await loadRetries(state, pair, ctx);
    const chatId = pair.retries.find(request.from, request.id);
    if (chatId !== undefined) {
      if (chatId > pair.head) (pair.retrying ??= []).push({ chatId, request });
      else tellRetried(ctx.env, request.replyTo, chatId);
      return;
    }
    pair.retries.add(request.from, request.id, pair.assigned + 1);
  }
  accept(pair, request, ctx);
}

function accept(pair: PairState, request: SendRequest, ctx: UserContext): void {
  const { run } = request;
  const { env } = ctx;
  // A clock that was set back must not break the order of a conversation.
  pair.lastTime = run.time = Math.max(run.time, pair.lastTime);
  numberRun(run, pair.assigned + 1);
  env.commits.add({ conversation: pair.conversation, expectedLast: pair.assigned, run }, request, ctx.self);
  pair.assigned += run.count;
  pair.pending += 1;
}

/** Durable, then told: the reply and the deliveries of a run that the store has. */
export function committed(state: UserState, outcome: Committed, ctx: UserContext): void {
  const { request, error } = outcome;
  const { run, from, to, replyTo } = request;
  const pair = state.pair(otherOf(state, request));
  pair.pending = Math.max(0, pair.pending - 1); // 0: from before the actor failed and was loaded again
  if (error !== null) {
    if (request.id !== null) pair.retries?.forget(run.first);
    // The numbers behind it cannot be used either: nothing new until all of them came back.
    pair.failed = pair.pending > 0;
    if (!pair.failed) pair.assigned = outcome.last >= 0 ? outcome.last : pair.head;
    refuse(state, request, error, ctx);
    if (pair.retrying !== undefined) settleRetries(state, pair, run.first, error, ctx);
    return;
  }
  if (pair.failed && pair.pending === 0) {
    pair.failed = false;
    pair.assigned = runLast(run);
  }
  const first = run.first;
  const isGroup = false;
  if (from === state.id) {
    sent(state, { replyTo, to, isGroup, first, run }, ctx);
    if (replyTo.connection === PUBLISHED) ctx.env.publications.settle(replyTo.ticket, first);
  } else {
    deliver(state, { from, other: from, run }, ctx);
    tellSent(ctx.env, { replyTo, to, isGroup, first, run: request.echo ? run : null });
  }
  if (to !== state.id) ctx.env.users.tellIfActive(to, 'deliver', { from, other: from, run });
  if (pair.retrying !== undefined) settleRetries(state, pair, first, null, ctx);
}

function refuse(state: UserState, { from, replyTo }: SendRequest, error: ErrorCode, ctx: UserContext): void {
  if (from === state.id && replyTo.connection !== PUBLISHED) refused(state, { replyTo, error }, ctx);
  else tellRefused(ctx.env, replyTo, error);
}

/** Retries of a message that was on its way to the store share its outcome. */
function settleRetries(
  state: UserState,
  pair: PairState,
  number: number,
  error: ErrorCode | null,
  ctx: UserContext,
): void {
  const waiting = pair.retrying ?? [];
  const rest = waiting.filter(({ chatId }) => chatId !== number);
  pair.retrying = rest.length === 0 ? undefined : rest;
  for (const { chatId, request } of waiting) {
    if (chatId !== number) continue;
    if (error !== null) refuse(state, request, error, ctx);
    else tellRetried(ctx.env, request.replyTo, chatId);
  }
}

/** Whether unread messages to this user are kept. A mid that never used messaging has no mailbox. */
async function hasMailbox(state: UserState, user: UserId, ctx: UserContext): Promise<boolean> {
  if (typeof user === 'string') return true;
  if (user === state.id) return state.mailbox !== undefined;
  return (await ctx.env.store.user(user))?.mailbox === true;
}

/** The unread messaging messages of a pair, as far back as limits.retryIdsMax. */
async function loadRetries(state: UserState, pair: PairState, ctx: UserContext): Promise<RetryIndex> {
  const index = new RetryIndex();
  const { store } = ctx.env;
  const { low, high, key } = pair.conversation;
  const other = low === state.id ? high : low;
  const saved = (await store.user(other))?.cursors.find((cursor: Cursor) => cursor.key === key);
  const marksOfOther = new ReadMarks(saved?.readTo, saved?.read);
  let after = Math.max(
    Math.min(pair.marks.readTo, marksOfOther.readTo),
    pair.assigned - limits.retryIdsMax,
    0,
  );
  while (after < pair.assigned) {
    const { runs } = await store.read(pair.conversation, after, limits.feedMessagesMax, limits.feedBytesMax);
    if (runs.length === 0) break;
    for (const run of runs) {
      after = runLast(run);
      if (run.origin !== Origin.messaging) continue;
      for (let i = 0, at = 0; i < run.count; i++, at = nextFrame(run.bytes, at)) {
        const { id, sid } = messageIdOf(run, at);
        const sender = senderOf(frameFrom(run.bytes, at), sid);
        const marks = sender === state.id && other !== state.id ? marksOfOther : pair.marks;
        if (!marks.has(run.first + i)) index.add(sender, id, run.first + i);
      }
    }
  }
  return index;
}

/** Frames hold 0 for a string client: its name is in the message. */
function senderOf(from: number, sid: string): UserId {
  return from > 0 ? from : sid;
}
