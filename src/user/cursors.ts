import { isGroup, type Conversation } from '../store/conversation.ts';
import type { ConversationState } from './conversation-state.ts';
import type { ShardEnv } from './env.ts';
import type { Session } from './session.ts';
import type { UserState } from './user-state.ts';

/** A device that was forgotten in favour of others is not remembered by what it still gets. */
export function knownDevice(state: UserState, device: string | null): string | null {
  return device === null || device === '' || state.devices.includes(device) ? device : null;
}

/**
 * Takes over what the kernel took of a session's output; true when some of it is still open. A
 * session that acknowledges says itself what it has.
 */
export function collect(state: UserState, session: Session): boolean {
  if (session.acknowledges) return false;
  const writesTaken = session.writesTaken;
  const known = knownDevice(state, session.device);
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
  if (saving === undefined) return undefined;
  state.noteSaving(saving);
  saving.catch(() => {
    for (const conversation of moved) conversation.dirty = true; // to be saved the next time
    state.devicesDirty = true;
  });
  return saving;
}

/** For who does not wait for it. What could not be saved is saved later. */
export function saveBehind(state: UserState, env: ShardEnv): void {
  saveCursors(state, env)?.catch((error: unknown) => {
    env.logger.warn({ err: error, user: state.id }, 'cursors could not be saved: later');
    env.markCursors(state.id);
  });
}

function conversationOf(state: UserState, conversation: Conversation): ConversationState | undefined {
  if (isGroup(conversation)) return state.findGroup(conversation.group);
  return state.findPair(conversation.low === state.id ? conversation.high : conversation.low);
}
