import type { Delivery } from './delivery.ts';
import { messageIdOf } from '../wire/messaging.ts';
import { nextFrame, runLast, type Run } from '../wire/run.ts';
import { feederOf } from './feeding.ts';
import type { UserContext } from './context.ts';
import type { ConversationState, PairState } from './conversation-state.ts';
import type { Behind, Deliver, Moved, Refused, Retried, Sent } from './messages.ts';
import type { Session } from './session.ts';
import type { UserState } from './user-state.ts';

/** Messages to this user, committed: to every connection, into the mailbox. */
export function deliver(state: UserState, { other, run }: Deliver, ctx: UserContext): void {
  const pair = state.pair(other);
  const last = runLast(run);
  if (last <= pair.head) return; // told again after a shard came back
  const before = pair.head;
  pair.head = last;
  if (state.mailbox !== undefined) indexRun(state, pair, run);
  for (const session of state.sessions) offer(state, session, pair, before, run, run.first, last, ctx);
}

/** This user's own messages, committed: the reply to who sent them, a copy to the others. */
export function sent(state: UserState, message: Sent, ctx: UserContext): void {
  const { replyTo, first, run } = message;
  const last = first + replyTo.count - 1;
  const origin = ctx.env.sessions.get(replyTo.connection);
  origin?.settleSent(replyTo.ticket, replyTo.count, first);
  if (message.isGroup) return; // what else there is to do, the group's fan-out does in order
  const conversation = state.pair(message.to);
  const before = conversation.head;
  if (last > before) conversation.head = last;
  if (message.to === state.id && state.mailbox !== undefined && run !== null) {
    indexRun(state, conversation, run);
  } else if (state.mailbox !== undefined) {
    for (let number = first; number <= last; number++) conversation.marks.add(number);
  }
  for (const session of state.sessions) {
    if (session !== origin) offer(state, session, conversation, before, run, first, last, ctx);
  }
  if (origin?.takesPairs) settleOwn(state, origin, conversation, before, first, last, ctx);
}

export function refused(_state: UserState, { replyTo, error }: Refused, ctx: UserContext): void {
  ctx.env.sessions.get(replyTo.connection)?.refuse(replyTo.ticket, replyTo.count, error);
}

/** The message is stored already and waits to be read: answered as the first one was. */
export function retried(_state: UserState, { replyTo, chatId }: Retried, ctx: UserContext): void {
  ctx.env.sessions.get(replyTo.connection)?.settleSent(replyTo.ticket, 1, chatId);
}

/** The sending connection has its own messages by having sent them. */
function settleOwn(
  state: UserState,
  session: Session,
  conversation: ConversationState,
  before: number,
  first: number,
  last: number,
  ctx: UserContext,
): void {
  const delivery = session.delivery(conversation.conversation, before);
  if (last <= delivery.sent) return;
  if (!delivery.behind && first === delivery.sent + 1) session.advance(delivery, last);
  else {
    const own = (delivery.own ??= new Set());
    for (let number = first; number <= last; number++) own.add(number);
    if (!delivery.behind) fallBehind(state, session, conversation, delivery, ctx);
  }
  ctx.env.markCursors(state.id);
}

/** A conversation stands at `head`: what was told of it got lost on the way, the log has it. */
export function moved(state: UserState, { other, head }: Moved, ctx: UserContext): void {
  const pair = state.pair(other);
  const before = pair.head;
  if (head <= before) return;
  pair.head = head;
  for (const session of state.sessions) offer(state, session, pair, before, null, before + 1, head, ctx);
}

/** A session misses messages of a group. */
export function behind(state: UserState, { connection, group }: Behind, ctx: UserContext): void {
  const session = state.sessions.find((one) => one.connection === connection);
  const conversation = state.findGroup(group);
  if (session === undefined || conversation === undefined) return;
  const delivery = session.delivery(conversation.conversation, conversation.delivered);
  fallBehind(state, session, conversation, delivery, ctx);
}

/** Gives a session what is new in a conversation, or leaves it to be fed from the log. */
export function offer(
  state: UserState,
  session: Session,
  conversation: ConversationState,
  before: number,
  run: Run | null,
  first: number,
  last: number,
  ctx: UserContext,
): void {
  if (session.closing !== undefined || !session.takesPairs) return;
  const delivery = session.delivery(conversation.conversation, before);
  if (delivery.behind || last <= delivery.sent) return;
  if (run === null || first !== delivery.sent + 1 || !session.canTake(run.bytes.length)) {
    fallBehind(state, session, conversation, delivery, ctx);
    return;
  }
  session.push(run, delivery, last);
  ctx.env.markCursors(state.id);
}

/** Stops feeding a session live in this conversation: the log has what it misses. */
function fallBehind(
  state: UserState,
  session: Session,
  conversation: ConversationState,
  delivery: Delivery,
  ctx: UserContext,
): void {
  const feeder = feederOf(state, session, ctx);
  feeder.add(conversation, delivery, delivery.sent);
  feeder.advance();
}

function indexRun(state: UserState, pair: PairState, run: Run): void {
  for (let i = 0, at = 0; i < run.count; i++, at = nextFrame(run.bytes, at)) {
    const { id, sid } = messageIdOf(run, at);
    state.mailbox?.add(id, sid, pair, run.first + i);
  }
}
