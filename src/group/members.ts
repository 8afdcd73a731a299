import { limits } from '../limits.ts';
import { groupOf, type GroupConversation } from '../store/conversation.ts';
import type { GroupChange, GroupRecord } from '../store/store.ts';
import type { GroupChanged, GroupContext, GroupRefusal } from './group.ts';

/** The state of a group's actor. */
export class GroupState {
  readonly group: number;
  readonly conversation: GroupConversation;
  exists: boolean;
  /** Member -> the number that was last when it joined. */
  readonly members: Map<number, number>;
  /** Newest number committed, and newest given out. */
  head: number;
  assigned: number;
  /** Runs handed to the store whose outcome is open. */
  pending = 0;
  /** One of these was not stored, so those behind it will not be: nothing new until they are back. */
  failed = false;
  lastTime = 0;
  readonly watchers = new Set<number>();

  constructor(group: number, record: GroupRecord | undefined, last: number) {
    this.group = group;
    this.conversation = groupOf(group);
    this.exists = record?.exists ?? false;
    this.members = new Map(record?.members);
    this.head = last;
    this.assigned = last;
  }
}

/** Creates the group, or makes these its members. */
export async function replaceMembers(
  state: GroupState,
  members: readonly number[],
  ctx: GroupContext,
): Promise<GroupChanged | GroupRefusal> {
  const created = !state.exists;
  const wanted = new Set(members);
  const add = [...wanted].filter((mid) => !state.members.has(mid));
  const remove = [...state.members.keys()].filter((mid) => !wanted.has(mid));
  const changed = await apply(state, add, remove, ctx);
  return 'refused' in changed ? changed : { ...changed, created };
}

export async function changeMembers(
  state: GroupState,
  add: readonly number[],
  remove: readonly number[],
  ctx: GroupContext,
): Promise<GroupChanged | GroupRefusal> {
  const left = new Set(remove);
  const joined = [...new Set(add)].filter((mid) => !state.members.has(mid) && !left.has(mid));
  return apply(
    state,
    joined,
    [...left].filter((mid) => state.members.has(mid)),
    ctx,
  );
}

/** The log of a removed group stays, so that no number is given twice if it is created again. */
export async function removeGroup(state: GroupState, ctx: GroupContext): Promise<boolean | GroupRefusal> {
  if (!state.exists) return false;
  const left = [...state.members.keys()];
  const change = { exists: false, joined: [], joinedAt: 0, left };
  if (!(await save(state, change, ctx))) return { refused: 'storage_unavailable' };
  state.exists = false;
  state.members.clear();
  for (const mid of left) ctx.env.users.tellIfActive(mid, 'left', { group: state.group, head: state.head });
  return true;
}

/** Whoever joins starts at the head (docs/protocol.md "Groups"). */
async function apply(
  state: GroupState,
  joined: readonly number[],
  left: readonly number[],
  ctx: GroupContext,
): Promise<GroupChanged | GroupRefusal> {
  const count = state.members.size + joined.length - left.length;
  // An answer, not an exception: the actor is well and keeps its state.
  if (count > limits.groupMembersMax) return { refused: 'group_too_large' };
  const joinedAt = state.head;
  const change = { exists: true, joined, joinedAt, left };
  if (!(await save(state, change, ctx))) return { refused: 'storage_unavailable' };
  state.exists = true;
  for (const mid of left) state.members.delete(mid);
  for (const mid of joined) state.members.set(mid, joinedAt);
  const { group } = state;
  for (const mid of left) ctx.env.users.tellIfActive(mid, 'left', { group, head: state.head });
  for (const mid of joined) ctx.env.users.tellIfActive(mid, 'joined', { group, joinedAt });
  return {
    created: false,
    members: count,
    added: joined.length,
    removed: left.length,
    lastChatId: state.head,
  };
}

/** Whether it is stored. If it is not, nothing has changed. */
async function save(state: GroupState, change: GroupChange, { env }: GroupContext): Promise<boolean> {
  const { group, exists } = state;
  const event = env.webhooks?.groupChanged(group, change, !exists);
  try {
    await env.store.saveGroup(group, change, event);
    if (event !== undefined) env.webhooks?.stored(event);
    return true;
  } catch (error) {
    env.logger.warn({ err: error, group }, 'a change of a group could not be stored: refused');
    return false;
  }
}
