import type { Logger } from 'pino';
import type { ActorSystem } from '../actor/index.ts';
import { Fanout, type FanoutMessage } from '../group/fanout.ts';
import type { GroupEnv } from '../group/env.ts';
import type { MemoryEngine } from '../store/memory-engine.ts';
import { MemoryStore, type StorePeers } from '../store/memory.ts';
import { StorePeer } from '../store/peer.ts';
import type { Store } from '../store/store.ts';
import type { UserPort } from '../user/messages.ts';
import type { Session } from '../user/session.ts';
import { User } from '../user/user.ts';
import type { UserId } from '../wire/user-id.ts';
import type { ShardCommits } from './commit-queue.ts';
import type { CursorTimer } from './cursor-timer.ts';
import type { Fanouts } from './fanouts.ts';
import type { Sessions } from './sessions.ts';

/** Users on any shard, told through the actor system. */
export class Users implements UserPort {
  system!: ActorSystem;
  readonly tell: UserPort['tell'] = (user, name, ...payload) =>
    this.system.tell(User, user, name, ...(payload as [never]));
  readonly tellIfActive: UserPort['tellIfActive'] = (user, name, ...payload) =>
    this.system.tellIfActive(User, user, name, ...(payload as [never]));
}

/** The other shards' parts of the memory store, asked through the actor system. */
export function peersOf(system: () => ActorSystem): StorePeers {
  return {
    read: (shard, key, after, messagesMax, bytesMax) =>
      system().ask(StorePeer, shard, 'read', { key, after, messagesMax, bytesMax }),
    last: (shard, key) => system().ask(StorePeer, shard, 'last', key),
    participations: (shard, user) => system().ask(StorePeer, shard, 'participations', user),
    user: async (shard, user) => (await system().ask(StorePeer, shard, 'user', user)) ?? undefined,
  };
}

interface Parts {
  readonly shard: number;
  readonly shards: number;
  readonly logger: Logger;
  readonly engine: MemoryEngine;
  readonly sessions: Sessions;
  readonly commits: ShardCommits;
  readonly fanouts: Fanouts;
  readonly users: Users;
  readonly cursors: CursorTimer;
  readonly store: Store;
  readonly opened: (session: Session) => void;
  readonly whenWritten: (session: Session) => void;
  readonly isFull: () => boolean;
  readonly now: () => number;
}

/** What the actors of a shard share (`ctx.env`). */
export class Services implements GroupEnv {
  readonly shard: number;
  readonly shards: number;
  readonly logger: Logger;
  readonly engine: MemoryEngine;
  readonly store: Store;
  readonly sessions: Sessions;
  readonly commits: ShardCommits;
  readonly fanouts: Fanouts;
  readonly users: Users;
  readonly opened: (session: Session) => void;
  readonly whenWritten: (session: Session) => void;
  readonly isFull: () => boolean;
  readonly now: () => number;
  readonly #cursors: CursorTimer;

  constructor(parts: Parts) {
    this.shard = parts.shard;
    this.shards = parts.shards;
    this.logger = parts.logger;
    this.engine = parts.engine;
    this.store = parts.store;
    this.sessions = parts.sessions;
    this.commits = parts.commits;
    this.fanouts = parts.fanouts;
    this.users = parts.users;
    this.opened = parts.opened;
    this.whenWritten = parts.whenWritten;
    this.isFull = parts.isFull;
    this.now = parts.now;
    this.#cursors = parts.cursors;
  }

  markCursors(user: UserId): void {
    this.#cursors.mark(user);
  }

  watching(shard: number, group: number, head: number): void {
    this.users.system.tell(Fanout, shard, 'watching', { group, head });
  }

  fanOut(shard: number, message: FanoutMessage): void {
    this.users.system.tell(Fanout, shard, 'deliver', message);
  }
}

export const storeOf = (
  engine: MemoryEngine,
  shard: number,
  shards: number,
  system: () => ActorSystem,
): Store => new MemoryStore(engine, shard, shards, peersOf(system));
