import type { UserContext } from './context.ts';
import type { ConversationState } from './conversation-state.ts';
import { knownDevice, saveDirty } from './cursors.ts';
import type { Acknowledge } from './messages.ts';
import type { Session } from './session.ts';
import type { UserState } from './user-state.ts';

/** An op 22 whose answer waits until the cursor is stored. */
export interface OpenAck {
  readonly session: Session;
  readonly ticket: number;
  /** Where the cursor is now. */
  readonly chatId: number;
}

/** A client has everything of a conversation up to a number (docs/protocol.md "Operation 22"). */
export function acknowledge(state: UserState, request: Acknowledge, ctx: UserContext): void | Promise<void> {
  const { session, ticket, chatId } = request;
  const { isGroup: ofGroup, id } = request.target;
  if (!state.listed) return session.refuse(ticket, 1, 'unavailable'); // it was gone before it was attached
  if (!ofGroup) {
    const pair = state.findPair(id);
    if (pair === undefined) return session.refuse(ticket, 1, 'no_such_conversation');
    return move(state, request, pair, pair.head, ctx);
  }
  const group = state.findGroup(Number(id));
  if (group === undefined) return session.refuse(ticket, 1, 'not_member');
  const head = Math.max(group.head, ctx.env.fanouts.head(group.conversation.group));
  if (chatId <= head) return move(state, request, group, head, ctx);
  // The client can know more than this shard was told: by an earlier connection, or by having sent it.
  return ctx.env.store.last(group.conversation).then(
    (last) => move(state, request, group, Math.max(head, last), ctx),
    (error: unknown) => {
      ctx.env.logger.warn({ err: error, user: state.id }, 'a group could not be looked up: op 22 is refused');
      session.refuse(ticket, 1, 'unavailable');
    },
  );
}

/** `head`: the newest message of the conversation. */
function move(
  state: UserState,
  { session, ticket, chatId }: Acknowledge,
  conversation: ConversationState,
  head: number,
  ctx: UserContext,
): void {
  if (head === 0) return session.refuse(ticket, 1, 'no_such_conversation');
  const device = knownDevice(state, session.device);
  conversation.deliver(device, Math.min(chatId, head));
  state.acks.push({ session, ticket, chatId: conversation.deliveredTo(device) });
  // Behind whatever else was acknowledged in this tick: all of it is one save.
  if (state.acks.length === 1) ctx.self.tell('saveAcks');
}

/** Durable, then told: cursors that moved are stored before they are answered. */
export function saveAcks(state: UserState, _none: void, ctx: UserContext): void {
  const acks = state.acks;
  state.acks = [];
  // Also one that an earlier save, which may be open still, took along.
  void saveDirty(state, ctx.env);
  if (state.saving === undefined) return answer(acks);
  state.saving.then(
    () => answer(acks),
    (error: unknown) => {
      ctx.env.logger.warn({ err: error, user: state.id }, 'acknowledged cursors could not be stored');
      for (const { session, ticket } of acks) session.refuse(ticket, 1, 'storage_unavailable');
      ctx.env.markCursors(state.id);
    },
  );
}

function answer(acks: readonly OpenAck[]): void {
  for (const { session, ticket, chatId } of acks) session.answer(ticket, chatId);
}
