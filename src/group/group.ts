import { ask, env, kind, tell } from '../actor/index.ts';
import type { ErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { groupOf } from '../store/conversation.ts';
import type { Committed, SendRequest } from '../user/messages.ts';
import { tellRefused, tellSent } from '../user/outcome.ts';
import { numberRun, runLast } from '../wire/run.ts';
import { SYSTEM } from '../wire/user-id.ts';
import type { GroupEnv } from './env.ts';
import { changeMembers, GroupState, removeGroup, replaceMembers } from './members.ts';

export interface GroupInfo {
  readonly members: readonly number[];
  readonly lastChatId: number;
}

/** The answer to a change that was made. */
export interface GroupChanged {
  readonly created: boolean;
  readonly members: number;
  readonly added: number;
  readonly removed: number;
  readonly lastChatId: number;
}

export interface GroupChange {
  readonly add: readonly number[];
  readonly remove: readonly number[];
}

export interface GroupRefusal {
  readonly refused: ErrorCode;
}

/** What the handlers need of their context. */
export interface GroupContext {
  readonly env: GroupEnv;
  readonly id: number | string;
  readonly self: { tell(name: 'committed', outcome: Committed): boolean };
}

/** A group: its members, its numbers, and the shards on which somebody follows it. */
export const Group = kind({
  name: 'group',
  env: env<GroupEnv>(),
  messages: {
    send: tell<SendRequest>(),
    committed: tell<Committed>(),
    /** A shard has connections of members. */
    watch: tell<{ readonly shard: number }>(),
    unwatch: tell<{ readonly shard: number }>(),
    replace: ask<{ readonly members: readonly number[] }, GroupChanged | GroupRefusal>(),
    /** Null: there is no such group, here and below. */
    change: ask<GroupChange, GroupChanged | GroupRefusal | null>(),
    get: ask<void, GroupInfo | null>(),
    /** How many members there are. */
    count: ask<void, number | null>(),
    remove: ask<void, boolean | GroupRefusal>(),
  },
  mailbox: { capacity: limits.mailboxCapacityMax, overflow: 'reject' },
  passivateAfterMs: limits.passivateAfterMs,
  residentsMax: limits.residentsMax,
  load: async (ctx: GroupContext): Promise<GroupState> => {
    const group = Number(ctx.id);
    const conversation = groupOf(group);
    const [record, last] = await Promise.all([ctx.env.store.group(group), ctx.env.store.last(conversation)]);
    return new GroupState(group, record, last);
  },
  busy: (state) => state.watchers.size > 0 || state.pending > 0,
  on: {
    send,
    committed,
    watch: (state, { shard }, ctx) => {
      state.watchers.add(shard);
      ctx.env.watching(shard, state.group, state.head);
    },
    unwatch: (state, { shard }) => {
      state.watchers.delete(shard);
    },
    replace: (state, { members }, ctx) => replaceMembers(state, members, ctx),
    change: (state, { add, remove }, ctx) => (state.exists ? changeMembers(state, add, remove, ctx) : null),
    get: (state) =>
      state.exists
        ? { members: [...state.members.keys()].sort((a, b) => a - b), lastChatId: state.head }
        : null,
    count: (state) => (state.exists ? state.members.size : null),
    remove: (state, _none, ctx) => removeGroup(state, ctx),
  },
});

/** Numbers a run of a member and hands it to the store. */
function send(state: GroupState, request: SendRequest, ctx: GroupContext): void {
  const { run, from, replyTo } = request;
  const { env: services } = ctx;
  if (!state.exists || !(state.members.has(Number(from)) || from === SYSTEM)) {
    tellRefused(services, replyTo, state.exists ? 'not_member' : 'no_such_group');
    return;
  }
  if (state.failed) {
    tellRefused(services, replyTo, 'storage_unavailable');
    return;
  }
  state.lastTime = run.time = Math.max(run.time, state.lastTime);
  numberRun(run, state.assigned + 1);
  services.commits.add(
    { conversation: state.conversation, expectedLast: state.assigned, run },
    request,
    ctx.self,
  );
  state.assigned += run.count;
  state.pending += 1;
}

/** Durable, then told: the reply, and the run once for each shard with members on it. */
function committed(state: GroupState, { request, error, last }: Committed, ctx: GroupContext): void {
  const { run, replyTo } = request;
  const { env: services } = ctx;
  state.pending = Math.max(0, state.pending - 1); // 0: from before the actor failed and was loaded again
  if (error !== null) {
    // The numbers behind it cannot be used either: nothing new until all of them came back.
    state.failed = state.pending > 0;
    if (!state.failed) state.assigned = last >= 0 ? last : state.head;
    tellRefused(services, replyTo, error);
    return;
  }
  if (state.failed && state.pending === 0) {
    state.failed = false;
    state.assigned = runLast(run);
  }
  state.head = Math.max(state.head, runLast(run));
  const message = { group: state.group, run, shard: replyTo.shard, connection: replyTo.connection };
  for (const shard of state.watchers) services.fanOut(shard, message);
  tellSent(services, { replyTo, to: state.group, isGroup: true, first: run.first, run: null });
}
