import { env, kind } from '../actor/index.ts';
import { limits } from '../limits.ts';
import { acknowledge, saveAcks } from './acknowledging.ts';
import { attach, detach, join, leave, resync } from './attaching.ts';
import type { UserContext } from './context.ts';
import { saveBehind, saveCursors } from './cursors.ts';
import type { ShardEnv } from './env.ts';
import { continueFeeding, fed } from './feeding.ts';
import { history } from './history.ts';
import { userMessages } from './messages.ts';
import { found, read, readByOther } from './reading.ts';
import { behind, deliver, moved, refused, retried, sent } from './receiving.ts';
import { committed, send } from './sending.ts';
import { UserState } from './user-state.ts';

/**
 * A user: the connections, the mailbox, how far each has come, and the numbers of the pairs that
 * this user owns (as the lower of the two). One file for each group of messages.
 */
export const User = kind({
  name: 'user',
  env: env<ShardEnv>(),
  messages: userMessages,
  mailbox: { capacity: limits.mailboxCapacityMax, overflow: 'reject' },
  passivateAfterMs: limits.passivateAfterMs,
  residentsMax: limits.residentsMax,
  load: async (ctx: UserContext): Promise<UserState> =>
    new UserState(ctx.id, await ctx.env.store.user(ctx.id)),
  save: (state, ctx) => saveCursors(state, ctx.env),
  busy: (state) => state.sessions.length > 0 || state.isCommitting,
  on: {
    attach,
    detach,
    send,
    committed,
    deliver,
    sent,
    refused,
    moved,
    behind,
    retried,
    feed: continueFeeding,
    fed,
    read,
    found,
    readByOther,
    acknowledge,
    saveAcks,
    history,
    joined: join,
    left: leave,
    saveCursors: (state, _none, ctx) => saveBehind(state, ctx.env),
    resync,
    connections: (state) => state.sessions.length,
  },
});
