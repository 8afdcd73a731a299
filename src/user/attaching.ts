import { closes } from '../errors.ts';
import { limits } from '../limits.ts';
import { isGroup } from '../store/conversation.ts';
import type { UserContext } from './context.ts';
import type { FollowedGroup, PairState } from './conversation-state.ts';
import { collect, saveBehind, saveDirty } from './cursors.ts';
import { feederOf } from './feeding.ts';
import { Mailbox } from './mailbox.ts';
import type { Attach, ConnectionMessage, Left, Membership } from './messages.ts';
import { offer } from './receiving.ts';
import type { Session } from './session.ts';
import type { UserState } from './user-state.ts';

/** A connection was authenticated: op 8, then what the user was not sent, then live. */
export async function attach(
  state: UserState,
  { connection, messaging }: Attach,
  ctx: UserContext,
): Promise<void> {
  const { env } = ctx;
  const session = env.sessions.get(connection);
  if (session === undefined && !messaging) return; // gone before its turn came
  if (state.sessions.length >= limits.userConnectionsMax) {
    session?.close({
      ...closes.tooFast,
      reason: `over ${limits.userConnectionsMax} connections of one user`,
    });
    return;
  }
  try {
    if (!state.listed) await list(state, ctx);
    if (messaging) await openMailbox(state, ctx);
    if (session === undefined) return;
    for (const other of state.sessions) collect(state, other);
    if (session.device !== null && session.device !== '') await openDevice(state, session.device, ctx);
  } catch (error) {
    env.logger.warn({ err: error, user: state.id }, 'a connection could not be opened');
    session?.close(closes.restart);
    return;
  }
  if (session.closed) return;
  for (const other of state.sessions) {
    if (session.device !== null && other.device === session.device) other.close(closes.replaced);
  }
  state.sessions.push(session);
  noteSiblings(state);
  if (state.sessions.length === 1) env.webhooks?.came(state.id);
  env.opened(session);
  for (const pair of state.pairs()) catchUp(state, session, pair, ctx);
  for (const group of state.groups()) follow(state, session, group, ctx);
  session.feeder?.advance();
  if (session.feeder?.isIdle !== false && session.encoding === 'messaging') state.mailbox?.setComplete();
}

/** A connection is gone: what it took is the user's cursor now. */
export function detach(state: UserState, { connection }: ConnectionMessage, ctx: UserContext): void {
  const i = state.sessions.findIndex((session) => session.connection === connection);
  const [session] = i < 0 ? [] : state.sessions.splice(i, 1);
  if (session === undefined) return;
  noteSiblings(state);
  if (state.sessions.length === 0) ctx.env.webhooks?.went(state.id);
  collect(state, session);
  saveBehind(state, ctx.env);
}

function noteSiblings(state: UserState): void {
  for (const session of state.sessions) session.hasSiblings = state.sessions.length > 1;
}

/** The user became a member of a group. */
export function join(state: UserState, { group, joinedAt }: Membership, ctx: UserContext): void {
  if (!state.listed || state.findGroup(group) !== undefined) return;
  const conversation = state.group(group, joinedAt);
  for (const session of state.sessions) follow(state, session, conversation, ctx);
}

export function leave(state: UserState, { group, head }: Left, ctx: UserContext): void {
  const conversation = state.findGroup(group);
  if (conversation === undefined) return;
  state.leave(group);
  for (const session of state.sessions) {
    ctx.env.fanouts.leave(group, session, head);
    session.dropDelivery(conversation.conversation);
    session.feeder?.delete(conversation.conversation.key);
  }
}

/** Another shard restarted and may have told this user something that got lost: look it up. */
export async function resync(state: UserState, _none: void, ctx: UserContext): Promise<void> {
  // That others read a message may be lost: which retries are known is asked of the store again.
  for (const pair of state.pairs()) if (pair.pending === 0) pair.retries = undefined;
  if (!state.listed) return;
  const heads = new Map([...state.pairs()].map((pair) => [pair, pair.head]));
  const followed = new Set(state.groups());
  let groups: Set<number>;
  try {
    groups = await list(state, ctx);
  } catch (error) {
    // Another shard is lost: when it is back there is another resync.
    ctx.env.logger.warn({ err: error, user: state.id }, 'a resync has to wait');
    return;
  }
  for (const pair of state.pairs()) {
    const head = heads.get(pair) ?? 0;
    if (pair.head === head) continue;
    for (const session of state.sessions) offer(state, session, pair, head, null, head + 1, pair.head, ctx);
  }
  for (const group of state.groups()) {
    const number = group.conversation.group;
    if (!groups.has(number)) leave(state, { group: number, head: 0 }, ctx);
    else if (!followed.has(group)) for (const session of state.sessions) follow(state, session, group, ctx);
  }
}

/** Asks the store for all conversations; returns the groups among them. */
export async function list(state: UserState, ctx: UserContext): Promise<Set<number>> {
  const groups = new Set<number>();
  for (const { conversation, last, joinedAt } of await ctx.env.store.participations(state.id)) {
    if (isGroup(conversation)) {
      groups.add(conversation.group);
      const group = state.group(conversation.group, joinedAt);
      if (!state.listed) {
        group.endAt(last);
        group.head = last;
      }
      group.head = Math.max(group.head, last);
    } else {
      const pair = state.pair(conversation.low === state.id ? conversation.high : conversation.low);
      pair.head = Math.max(pair.head, last);
      if (!state.listed) pair.endAt(pair.head);
    }
  }
  state.listed = true;
  return groups;
}

/** The first messaging connection of a mid gives it a mailbox, with what is undelivered now. */
async function openMailbox(state: UserState, ctx: UserContext): Promise<void> {
  if (state.mailbox !== undefined) return;
  for (const session of state.sessions) collect(state, session);
  state.mailbox = new Mailbox();
  for (const pair of state.pairs()) pair.marks.readUpTo(pair.delivered);
  try {
    await ctx.env.store.saveUser(state.id, state.toRecord(state.pairs()));
  } catch (error) {
    state.mailbox = undefined; // a mailbox is there when it is stored
    throw error;
  }
}

/** What a named device is sent is counted from its first connection on. */
async function openDevice(state: UserState, device: string, ctx: UserContext): Promise<void> {
  if (state.devices.at(-1) === device && !state.devicesDirty) return;
  state.useDevice(device);
  try {
    await saveDirty(state, ctx.env);
  } catch (error) {
    // The user may connect all the same: it is saved when the store takes something again.
    ctx.env.logger.warn({ err: error, user: state.id }, 'a new device could not be saved: later');
    ctx.env.markCursors(state.id);
  }
}

/** What of a pair a new connection has to be fed. */
function catchUp(state: UserState, session: Session, pair: PairState, ctx: UserContext): void {
  if (!session.takesPairs) return;
  const after = session.encoding === 'messaging' ? pair.marks.readTo : pair.deliveredTo(session.device);
  if (after >= pair.head) return;
  feederOf(state, session, ctx).add(pair, session.delivery(pair.conversation, after), after);
}

/** A new connection, or one of a new member, gets what is missing of a group and then all of it. */
function follow(state: UserState, session: Session, group: FollowedGroup, ctx: UserContext): void {
  if (!session.takesGroups) return;
  const after = group.deliveredTo(session.device);
  const delivery = session.delivery(group.conversation, after);
  const { fanouts } = ctx.env;
  fanouts.join(group.conversation.group, session, delivery);
  // The user's actor does not see what a group sends: others on this shard may be further.
  const head = Math.max(group.head, fanouts.head(group.conversation.group));
  if (after < head) feederOf(state, session, ctx).add(group, delivery, after);
}
