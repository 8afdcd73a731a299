import type { Logger } from 'pino';
import { ActorSystem, type ActorFailure } from '../actor/index.ts';
import { GoimInput } from '../goim/input.ts';
import { Goim } from '../goim/messages.ts';
import { GoimPart } from '../goim/part.ts';
import { Group } from '../group/group.ts';
import { limits } from '../limits.ts';
import { Lane } from '../net/lane.ts';
import type { SlabReader } from '../net/slab.ts';
import type { StoreEngine } from '../store/engine.ts';
import type { Session, SessionHost } from '../user/session.ts';
import { User } from '../user/user.ts';
import { CometInput } from './comet-input.ts';
import { ShardCommits } from './commit-queue.ts';
import type { FromShardControl, ShardTask } from './control.ts';
import { CursorTimer } from './cursor-timer.ts';
import { LostMessages } from './dead-letters.ts';
import { openEngine } from './engines.ts';
import { Expiry } from './expiry.ts';
import { Fanouts, type FanoutHost } from './fanouts.ts';
import { kinds, placeOn } from './kinds.ts';
import { MessagingInput } from './messaging-input.ts';
import { Outbox } from './outbox.ts';
import { Publications } from './publications.ts';
import { Rates } from './rates.ts';
import { forward, Requests, type RequestHost } from './requests.ts';
import { fanoutPort, storeOf, Users, type Services } from './services.ts';
import { Sessions } from './sessions.ts';
import { Sweep } from './sweep.ts';
import { openBeforeSend, openWebhooks } from './webhooks.ts';
import type { BeforeSend } from '../webhook/before-send.ts';
import type { Webhooks } from '../webhook/webhooks.ts';

/** What the parts of a shard tell it. */
export interface PartsHost extends SessionHost {
  takeIn(reader: SlabReader): void;
  onAcknowledged(): void;
  scheduleTick(): void;
  afterDrain(): void;
  /** The user's actor has the session. */
  opened(session: Session): void;
  /** Wake the session's feeder once the gateway took in what is written. */
  whenWritten(session: Session): void;
  /** The session's credentials run out in so many seconds; they have run out. */
  warn(session: Session, seconds: number): void;
  expire(session: Session): void;
  onFailure(failure: ActorFailure): void;
  tellMain(message: FromShardControl): void;
}

export interface Parts {
  readonly lane: Lane;
  readonly engine: StoreEngine;
  readonly system: ActorSystem<Services>;
  readonly sessions: Sessions;
  readonly commits: ShardCommits;
  readonly fanouts: Fanouts;
  readonly goim: GoimPart;
  readonly outbox: Outbox;
  readonly sweep: Sweep;
  readonly cursors: CursorTimer;
  readonly expiry: Expiry;
  readonly lost: LostMessages;
  /** Undefined: there is nowhere to post to. */
  readonly webhooks: Webhooks | undefined;
  readonly beforeSend: BeforeSend | undefined;
}

const now = (): number => Date.now();

/** Puts a shard together: every part is made here, once, and knows only what it needs. */
export function assemble(task: ShardTask, logger: Logger, host: PartsHost): Parts {
  const { shard, shards } = task;
  const users = new Users();
  const lane = new Lane(task.lane, limits.laneOutBytesMax, (reader) => {
    host.takeIn(reader);
    return true; // what outlives the call was copied
  });
  lane.onAcknowledged = () => host.onAcknowledged();
  const engine = openEngine(task, logger, (message) => host.tellMain(message));
  const store = storeOf(engine, shard, shards, () => users.system);
  const commits = new ShardCommits(store);
  commits.onOutcomes = () => host.scheduleTick();
  const webhooks = openWebhooks(task, engine, logger, () => users.system, host);
  commits.events = webhooks;
  const cursors = new CursorTimer((user) => users.tellIfActive(user, 'saveCursors'));
  const fanouts = new Fanouts(fanoutHost(shard, users, cursors), lane);
  const goim = new GoimPart(
    {
      shard,
      shards,
      scheduleTick: () => host.scheduleTick(),
      tellCounts: (to, counts) => users.system.tell(Goim, to, 'counts', counts),
    },
    lane,
  );
  const owners: Pick<RequestHost, 'sendToUser' | 'sendToGroup'> = {
    sendToUser: (owner, request) => users.system.tell(User, owner, 'send', request),
    sendToGroup: (group, request) => users.system.tell(Group, group, 'send', request),
  };
  const beforeSend = openBeforeSend(task, logger, (request, isGroup) => forward(owners, request, isGroup));
  const sessions = openSessions(task, lane, users, goim, host, { ...owners, beforeSend });
  const outbox = new Outbox(lane);
  outbox.onWritten = (session) => {
    // Replies have left, so there is room for requests that were parked.
    sessions.resume(session);
    sessions.closeIfIdle(session);
  };
  const lost = new LostMessages(sessions);
  const system = new ActorSystem<Services>({
    node: shard,
    kinds,
    env: {
      shard,
      shards,
      logger,
      engine,
      store,
      sessions,
      commits,
      fanouts,
      publications: openPublications(shard, users),
      goim: goim.env,
      users,
      webhooks,
      ...fanoutPort(users),
      markCursors: (user) => cursors.mark(user),
      opened: (session) => host.opened(session),
      whenWritten: (session) => host.whenWritten(session),
      isFull: () => lane.isFull,
      outputBytes: () => lane.pendingBytes,
      now,
    },
    place: placeOn(shards),
    afterDrain: () => host.afterDrain(),
    onDeadLetter: lost.onDeadLetter,
    onFailure: (failure) => host.onFailure(failure),
    linkBytesMax: limits.linkBytesMax,
  });
  users.system = system;
  lost.system = system;
  const sweep = new Sweep(() => sessions.values(), task.idleTimeoutMs, now);
  const expiry = new Expiry({
    warn: (session, seconds) => host.warn(session, seconds),
    expire: (session) => host.expire(session),
    now,
  });
  return {
    lane,
    engine,
    system,
    sessions,
    commits,
    fanouts,
    goim,
    outbox,
    sweep,
    cursors,
    expiry,
    lost,
    webhooks,
    beforeSend,
  };
}

function openSessions(
  { shard, shards, packageBytesMax, rates }: ShardTask,
  lane: Lane,
  users: Users,
  goim: GoimPart,
  host: PartsHost,
  owners: Pick<RequestHost, 'sendToUser' | 'sendToGroup' | 'beforeSend'>,
): Sessions {
  const requests = new Requests({
    shard,
    shards,
    now,
    tellUser: users.tell,
    ...owners,
  });
  return new Sessions({
    host,
    lane,
    requests,
    comet: new CometInput(requests, new GoimInput(requests, goim)),
    messaging: new MessagingInput(requests, (session, marks) => users.tell(session.user, 'read', marks)),
    rates: new Rates(rates),
    packageBytesMax,
    now,
  });
}

const openPublications = (shard: number, users: Users): Publications =>
  new Publications({
    shard,
    now,
    sendToUser: (owner, request) => users.system.tell(User, owner, 'send', request),
    sendToGroup: (group, request) => users.system.tell(Group, group, 'send', request),
  });

function fanoutHost(shard: number, users: Users, cursors: CursorTimer): FanoutHost {
  return {
    shard,
    watch: (group) => users.system.tell(Group, group, 'watch', { shard }),
    unwatch: (group) => users.system.tell(Group, group, 'unwatch', { shard }),
    fallBehind: ({ user, connection }, group) => users.tellIfActive(user, 'behind', { connection, group }),
    markCursors: (session) => {
      if (session.cursorsDirty) return;
      session.cursorsDirty = true;
      cursors.mark(session.user);
    },
  };
}
