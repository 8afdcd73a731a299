import { ask, env, kind, type ActorSystem } from '../actor/index.ts';
import type {
  Kick,
  Missing,
  OnlineConnection,
  OnlineCount,
  OnlineTotals,
  PageQuery,
} from '../admin/presence-api.ts';
import type { ShardFigures } from '../admin/stats-api.ts';
import type { Given } from '../group/fanout.ts';
import { Group } from '../group/group.ts';
import { limits } from '../limits.ts';
import type { Session } from '../user/session.ts';
import { User } from '../user/user.ts';
import type { UserId } from '../wire/user-id.ts';
import { LowestConnections } from './lowest-connections.ts';

/** What presence is made of: the sessions of the shard, and who of them follows which group. */
export interface PresenceEnv {
  readonly sessions: {
    readonly users: number;
    readonly size: number;
    values(): Iterable<Session>;
    ofUser(user: UserId): Iterable<Session>;
  };
  readonly fanouts: { readonly size: number; followers(group: number): Iterable<Session> };
  /** Bytes on their way to the gateway. */
  outputBytes(): number;
}

export interface GroupPageQuery extends PageQuery {
  readonly group: number;
}

export interface GroupPage extends OnlineCount {
  readonly page: readonly OnlineConnection[];
}

/** A message in the conversation of that key, to a user of this shard. */
export interface GivenQuery {
  readonly user: UserId;
  readonly key: string;
  readonly chatId: number;
}

export type ShardTotals = Omit<OnlineTotals, keyof Missing>;

/**
 * Who is connected to a shard: one actor, its id is the shard's number. It keeps nothing: each answer
 * is read from the sessions that there are, in one pass that keeps no more than a page.
 */
export const Presence = kind({
  name: 'presence',
  env: env<PresenceEnv>(),
  messages: {
    user: ask<UserId, readonly OnlineConnection[]>(),
    page: ask<PageQuery, readonly OnlineConnection[]>(),
    group: ask<GroupPageQuery, GroupPage>(),
    totals: ask<void, ShardTotals>(),
    kick: ask<Kick, number>(),
    figures: ask<void, ShardFigures>(),
    /** Who was given a message, all that its user was told before counted. */
    given: ask<readonly GivenQuery[], readonly Given[]>(),
  },
  // It has no state: a failure says nothing about the next question.
  supervise: { strategy: 'resume' },
  load: () => null,
  on: {
    user: (_state, user, ctx) => viewsOf(online(ctx.env.sessions.ofUser(user))),
    page: (_state, query, ctx) => pageOf(online(ctx.env.sessions.values()), query),
    group: (_state, query, ctx) => groupPage(ctx.env, query),
    totals: (_state, _none, ctx) => totals(ctx.env),
    kick: (_state, request, ctx) => kick(ctx.env, request),
    figures: (_state, _none, ctx) => figures(ctx.env, ctx.system),
    given: (_state, queries, ctx) => Promise.all(queries.map((query) => given(ctx.env, query, ctx.system))),
  },
});

/** A connection is online from its op 8 on until the server begins to close it. */
export const isOnline = (session: Session): boolean => session.attached && session.closing === undefined;

function* online(sessions: Iterable<Session>): Generator<Session> {
  for (const session of sessions) if (isOnline(session)) yield session;
}

const viewsOf = (sessions: Iterable<Session>): OnlineConnection[] =>
  Array.from(sessions, viewOf).sort((a, b) => a.connection - b.connection);

function viewOf(session: Session): OnlineConnection {
  const { connection, user, device, encoding, webSocket, address, connectedAt, congested } = session;
  return {
    connection,
    user,
    device,
    protocol: encoding === 'messaging' ? 'messaging' : 'comet',
    encoding: encoding === 'binary' ? 'binary' : 'json',
    transport: webSocket ? 'websocket' : 'tcp',
    address,
    connectedAt,
    slow: congested,
  };
}

function pageOf(sessions: Iterable<Session>, query: PageQuery): OnlineConnection[] {
  const { after, limit, connectedUntil = Infinity } = query;
  const page = new LowestConnections(limit);
  for (const session of sessions) {
    if (session.connection > after && session.connectedAt <= connectedUntil) page.offer(session);
  }
  return page.take().map(viewOf);
}

function groupPage({ fanouts }: PresenceEnv, { group, ...query }: GroupPageQuery): GroupPage {
  const users = new Set<UserId>();
  let connections = 0;
  for (const { user } of online(fanouts.followers(group))) {
    users.add(user);
    connections += 1;
  }
  return { users: users.size, connections, page: pageOf(online(fanouts.followers(group)), query) };
}

function totals({ sessions }: PresenceEnv): ShardTotals {
  const counts = { connections: 0, tcp: 0, webSocket: 0, comet: 0, messaging: 0, slow: 0 };
  for (const session of online(sessions.values())) {
    counts.connections += 1;
    counts[session.webSocket ? 'webSocket' : 'tcp'] += 1;
    counts[session.encoding === 'messaging' ? 'messaging' : 'comet'] += 1;
    if (session.congested) counts.slow += 1;
  }
  return { users: sessions.users, ...counts };
}

function figures(presence: PresenceEnv, system: ActorSystem): ShardFigures {
  const { sessions, fanouts } = presence;
  return {
    connections: sessions.size,
    users: sessions.users,
    usersInMemory: system.residents(User),
    groupsInMemory: system.residents(Group),
    groupsFollowed: fanouts.size,
    outputBytes: presence.outputBytes(),
  };
}

/** Also connections that are not online yet: who is shut out must not slip in. */
function kick({ sessions }: PresenceEnv, { user, device, connection, code, reason }: Kick): number {
  let closed = 0;
  for (const session of sessions.ofUser(user)) {
    if (session.closing !== undefined) continue;
    if (device !== undefined && session.device !== device) continue;
    if (connection !== undefined && session.connection !== connection) continue;
    session.close({ code, reason });
    closed += 1;
  }
  return closed;
}

/** Whoever is online is in memory: its actor is asked for a turn if it has not had the message yet. */
async function given({ sessions }: PresenceEnv, query: GivenQuery, system: ActorSystem): Promise<Given> {
  const first = countGiven(sessions.ofUser(query.user), query);
  if (first.open === 0) return { now: first.now, later: first.later };
  await system.ask(User, query.user, 'connections', undefined, turn).catch(() => 0); // it counts as later
  const { now, later, open } = countGiven(sessions.ofUser(query.user), query);
  return { now, later: later + open };
}

const turn = { timeoutMs: limits.presenceTimeoutMs / 2 } as const;

function countGiven(sessions: Iterable<Session>, { key, chatId }: GivenQuery): Given & { open: number } {
  const counts = { now: 0, later: 0, open: 0 };
  for (const session of online(sessions)) {
    const delivery = session.findDelivery(key);
    if (delivery !== undefined && delivery.sent >= chatId) counts.now += 1;
    else counts[delivery?.behind === true ? 'later' : 'open'] += 1;
  }
  return counts;
}
