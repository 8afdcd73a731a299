import { isGroup } from '../store/conversation.ts';
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
export function acknowledge(state: UserState, request: Acknowledge, ctx: UserContext): void {
  const { session, ticket, chatId } = request;
  const { isGroup: ofGroup, id } = request.target;
  if (!state.listed) return session.refuse(ticket, 1, 'unavailable'); // it was gone before it was attached
  const conversation = ofGroup ? state.findGroup(Number(id)) : state.findPair(id);
  const head = conversation === undefined ? 0 : headOf(conversation, ctx);
  if (conversation === undefined || head === 0) {
    const isMember = !ofGroup || conversation !== undefined;
    return session.refuse(ticket, 1, isMember ? 'no_such_conversation' : 'not_member');
  }
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

/** The newest number that this shard knows of: nobody was sent more. */
function headOf({ conversation, head }: ConversationState, ctx: UserContext): number {
  return isGroup(conversation) ? Math.max(head, ctx.env.fanouts.head(conversation.group)) : head;
}
