import { isGroup, type Conversation } from '../store/conversation.ts';
import type { ConversationState } from './conversation-state.ts';
import type { ShardEnv } from './env.ts';
import type { Session } from './session.ts';
import type { UserState } from './user-state.ts';

/** Takes over what the kernel took of a session's output; true when some of it is still open. */
export function collect(state: UserState, session: Session): boolean {
  const writesTaken = session.writesTaken;
  const { device } = session;
  // A device that was forgotten in favour of others is not remembered by what it still gets.
  const known = device === null || device === '' || state.devices.includes(device) ? device : null;
  let open = false;
  for (const delivery of session.deliveries()) {
    delivery.confirm(writesTaken);
    if (!delivery.isConfirmed) open = true;
    conversationOf(state, delivery.conversation)?.deliver(known, delivery.taken);
  }
  return open;
}

/** Writes the cursors that moved. They are behind the truth by at most limits.cursorFlushMs. */
export function saveCursors(state: UserState, env: ShardEnv): void | Promise<void> {
  let open = false;
  for (const session of state.sessions) {
    session.cursorsDirty = false;
    if (collect(state, session) && !session.closed) open = true;
  }
  if (open) env.markCursors(state.id);
  return saveDirty(state, env);
}

export function saveDirty(state: UserState, env: ShardEnv): void | Promise<void> {
  const moved = [...state.conversations()].filter((conversation) => conversation.dirty);
  if (moved.length === 0 && !state.devicesDirty) return undefined;
  state.devicesDirty = false;
  for (const conversation of moved) conversation.dirty = false;
  const saving = env.store.saveUser(state.id, state.toRecord(moved));
  if (!(saving instanceof Promise)) return undefined;
  return saving.catch((error: unknown) => {
    state.devicesDirty = true;
    for (const conversation of moved) conversation.dirty = true;
    throw error;
  });
}

/** What could not be saved is marked again: it is saved later, and until then the user stays in memory. */
export const orLater = (
  saving: void | Promise<void>,
  state: UserState,
  env: ShardEnv,
): void | Promise<void> =>
  saving?.catch((error: unknown) => {
    env.logger.warn({ err: error, user: state.id }, 'cursors could not be saved: later');
    env.markCursors(state.id);
  });

function conversationOf(state: UserState, conversation: Conversation): ConversationState | undefined {
  if (isGroup(conversation)) return state.findGroup(conversation.group);
  return state.findPair(conversation.low === state.id ? conversation.high : conversation.low);
}
