import { threadId } from 'node:worker_threads';
import type { Logger } from 'pino';
import { ActorSystem, type ActorFailure } from '../actor/index.ts';
import { Fanout } from '../group/fanout.ts';
import { Group } from '../group/group.ts';
import { limits } from '../limits.ts';
import { createLogger } from '../log.ts';
import { Lane, ToGateway, ToShard, type Opening } from '../net/lane.ts';
import type { SlabReader } from '../net/slab.ts';
import { MemoryEngine } from '../store/memory-engine.ts';
import type { Session, SessionHost } from '../user/session.ts';
import { User } from '../user/user.ts';
import { authReplyBody, authReplyText } from '../wire/comet-json.ts';
import { frameWithText } from '../wire/frame.ts';
import { Op } from '../wire/op.ts';
import { shardOf } from '../wire/shard-of.ts';
import { CometInput } from './comet-input.ts';
import { ShardCommits } from './commit-queue.ts';
import type { FromShardControl, ShardTask, ToShardControl } from './control.ts';
import { CursorTimer } from './cursor-timer.ts';
import { LostMessages } from './dead-letters.ts';
import { Fanouts } from './fanouts.ts';
import { kinds, placeOn } from './kinds.ts';
import { MessagingInput } from './messaging-input.ts';
import { Outbox } from './outbox.ts';
import { Requests } from './requests.ts';
import { Services, storeOf, Users } from './services.ts';
import { Sessions } from './sessions.ts';
import { Sweep } from './sweep.ts';

/**
 * One shard: the users, groups and conversations of a thread, between the lane to the gateway and
 * the links to the other shards. A tick runs from what came in to one slab and one batch a link
 * going out: input → actors → commit → outcomes → actors → outbox.
 */
export class Shard implements SessionHost {
  readonly #task: ShardTask;
  readonly #logger: Logger;
  readonly #lane: Lane;
  readonly #system: ActorSystem<Services>;
  readonly #sessions: Sessions;
  readonly #commits: ShardCommits;
  readonly #fanouts: Fanouts;
  readonly #outbox: Outbox;
  readonly #sweep: Sweep;
  readonly #cursors: CursorTimer;
  readonly #lost: LostMessages;
  /** Sessions whose feeder goes on when the gateway has taken in the slab. */
  #fedIn = new Map<Session, number>();
  #tickScheduled = false;
  #draining = false;
  #drainedTold = false;
  #stopped: (() => void) | undefined;

  constructor(task: ShardTask) {
    const { shard, shards, control, packageBytesMax } = task;
    this.#task = task;
    this.#logger = createLogger(task.logLevel).child({ shard });
    this.#lane = new Lane(task.lane, limits.laneOutBytesMax, (reader) => {
      this.#takeIn(reader);
    });
    this.#lane.onAcknowledged = () => {
      this.#onAcknowledged();
    };
    const now = (): number => Date.now();
    const users = new Users();
    const engine = this.#openEngine();
    const store = storeOf(engine, shard, shards, () => this.#system);
    this.#commits = new ShardCommits(store);
    this.#commits.onOutcomes = () => {
      this.#scheduleTick();
    };
    this.#outbox = new Outbox(this.#lane);
    this.#fanouts = new Fanouts(this.#fanoutHost(), this.#lane);
    this.#cursors = new CursorTimer((user) => users.tellIfActive(user, 'saveCursors'));
    const requests = new Requests({
      shard,
      shards,
      now,
      sendToUser: (owner, request) => this.#system.tell(User, owner, 'send', request),
      sendToGroup: (group, request) => this.#system.tell(Group, group, 'send', request),
    });
    this.#sessions = new Sessions({
      host: this,
      lane: this.#lane,
      requests,
      comet: new CometInput(requests),
      messaging: new MessagingInput(requests, (session, marks) => users.tell(session.user, 'read', marks)),
      packageBytesMax,
      now,
    });
    this.#outbox.onWritten = (session) => {
      // Replies have left, so there is room for requests that were parked.
      this.#sessions.resume(session);
      this.#sessions.closeIfIdle(session);
    };
    this.#lost = new LostMessages(this.#sessions);
    const services = new Services({
      shard,
      shards,
      logger: this.#logger,
      engine,
      store,
      sessions: this.#sessions,
      commits: this.#commits,
      fanouts: this.#fanouts,
      users,
      cursors: this.#cursors,
      opened: (session) => {
        this.#opened(session);
      },
      whenWritten: (session) => {
        // Nothing is to be written when the lane was found full: any slab on its way will do.
        this.#fedIn.set(session, session.touched ? this.#lane.writing : this.#lane.writing - 1);
        this.#lane.out.wantAck();
      },
      isFull: () => this.#lane.isFull,
      now,
    });
    this.#system = new ActorSystem<Services>({
      node: shard,
      kinds,
      env: services,
      place: placeOn(shards),
      afterDrain: () => {
        this.#afterDrain();
      },
      onDeadLetter: this.#lost.onDeadLetter,
      onFailure: (failure) => {
        this.#onFailure(failure);
      },
      linkBytesMax: limits.linkBytesMax,
    });
    users.system = this.#system;
    this.#lost.system = this.#system;
    this.#sweep = new Sweep(() => this.#sessions.values(), task.idleTimeoutMs, now);
    control.on('message', (message: ToShardControl) => {
      this.#onControl(message);
    });
  }

  /** Serves until the main thread says stop. */
  run(): Promise<void> {
    this.#tell({ type: 'ready', threadId });
    return new Promise((resolve) => {
      this.#stopped = resolve;
    });
  }

  // SessionHost

  get acknowledgedSlab(): number {
    return this.#lane.acknowledged;
  }

  touch(session: Session): void {
    this.#outbox.touch(session);
    this.#scheduleTick();
  }

  // The tick

  #scheduleTick(): void {
    if (this.#tickScheduled) return;
    this.#tickScheduled = true;
    setImmediate(this.#tick);
  }

  readonly #tick = (): void => {
    this.#tickScheduled = false;
    this.#afterDrain();
    this.#system.flush();
  };

  /** The actors have run: commit, then write. Outcomes and parked input make actors ready again. */
  #afterDrain(): void {
    // Outcomes were told: the actors go on with them, and what they write belongs to this tick.
    if (this.#commits.flush()) return;
    this.#sessions.handleResumed();
    this.#fanouts.flush();
    this.#outbox.flush();
    this.#tellDrained();
    this.#lane.flush();
    // A full lane is looked at again when the gateway has taken something in.
    const more = this.#commits.hasUntold || this.#sessions.hasResumable || !this.#outbox.isEmpty;
    if (more && !this.#lane.isFull) this.#scheduleTick();
  }

  #takeIn(reader: SlabReader): void {
    while (reader.next()) {
      const { type, connection } = reader;
      switch (type) {
        case ToShard.bytes:
        case ToShard.text:
        case ToShard.binary:
          this.#sessions.input(connection, type, reader.buf, reader.start, reader.end);
          break;
        case ToShard.open:
          this.#open(connection, reader.buf.toString('utf8', reader.start, reader.end));
          break;
        case ToShard.ended:
          this.#sessions.ended(connection);
          break;
        case ToShard.drain:
          this.#draining = true;
          this.#sessions.drain();
          break;
        default:
          this.#onOutput(type, connection, reader.argument);
      }
    }
    this.#scheduleTick();
  }

  /** News about what a client took. */
  #onOutput(type: number, connection: number, taken: number): void {
    const session = this.#sessions.get(connection);
    if (session === undefined) return;
    if (type === ToShard.congested) session.congest(taken);
    else if (type === ToShard.drained) {
      session.drain();
      this.#sessions.resume(session);
      this.#wakeFeeder(session);
    } else if (type === ToShard.closed) {
      this.#sessions.finish(session);
      session.end(taken);
      this.#sessions.remove(session);
      this.#fanouts.forget(session);
      this.#fedIn.delete(session);
      this.#system.tellIfActive(User, session.user, 'detach', { connection });
    }
  }

  #open(connection: number, text: string): void {
    const opening = JSON.parse(text) as Opening;
    const session = this.#sessions.open(connection, opening);
    session.openedWith = opening;
    const messaging = opening.encoding === 'messaging';
    this.#system.tell(User, opening.user, 'attach', { connection, messaging });
  }

  /** The user's actor has it. Op 8 goes before everything else (docs/protocol.md "Operation 8"). */
  #opened(session: Session): void {
    session.attached = true;
    const opening = session.openedWith;
    session.openedWith = undefined;
    if (opening !== undefined && session.encoding !== 'messaging') {
      const { version, seq } = opening;
      const mid = Number(session.user);
      if (session.encoding === 'json') session.say(authReplyText(version, seq, mid));
      else session.say(frameWithText(Op.authReply, version, seq, authReplyBody(mid)));
    }
    this.#sessions.resume(session);
    this.#sessions.closeIfIdle(session);
    this.#scheduleTick();
  }

  #wakeFeeder(session: Session): void {
    const { user, connection, feeder } = session;
    if (feeder !== undefined) this.#system.tellIfActive(User, user, 'feed', { connection });
  }

  #onAcknowledged(): void {
    const { acknowledged } = this.#lane;
    for (const [session, slab] of this.#fedIn) {
      if (slab > acknowledged) continue;
      if (session.touched) {
        this.#fedIn.set(session, this.#lane.writing); // it was held back
        continue;
      }
      this.#fedIn.delete(session);
      this.#wakeFeeder(session);
    }
    if (!this.#outbox.isEmpty || !this.#fanouts.isEmpty || !this.#lane.out.isEmpty) this.#scheduleTick();
  }

  #tellDrained(): void {
    if (!this.#draining || this.#drainedTold || this.#sessions.size > 0) return;
    this.#drainedTold = true;
    this.#lane.out.begin(ToGateway.drained, 0, 0, 0);
  }

  // The other threads

  #onControl(message: ToShardControl): void {
    switch (message.type) {
      case 'connect':
        this.#system.connect(message.node, message.port);
        break;
      case 'lost':
        this.#system.disconnect(message.node);
        for (const session of this.#sessions.values()) session.refuseShard(message.node);
        break;
      case 'back':
        this.#resync(message.node);
        break;
      case 'stop':
        void this.#stop();
        break;
    }
  }

  /** A shard that was lost told us things that did not arrive: its groups and pairs are looked up. */
  #resync(node: number): void {
    for (const group of this.#fanouts.groups()) {
      if (shardOf(group, this.#task.shards) === node) this.#fanouts.rewatch(group);
    }
    const users = new Set([...this.#sessions.values()].map((session) => session.user));
    for (const user of users) this.#system.tellIfActive(User, user, 'resync');
  }

  async #stop(): Promise<void> {
    this.#sweep.stop();
    this.#cursors.stop();
    await this.#system.stop();
    this.#lane.close();
    this.#task.control.close();
    this.#stopped?.();
  }

  #onFailure({ kind, id, error, action, message }: ActorFailure): void {
    this.#logger.error({ err: error, kind, id, action, message }, 'an actor failed');
    if (action === 'keep' || action === 'resume') return;
    if (kind === User.name) this.#lost.closeUser(id);
    if (kind !== Group.name) return;
    for (let shard = 0; shard < this.#task.shards; shard++)
      this.#system.tell(Fanout, shard, 'rewatch', Number(id));
  }

  // Parts

  #openEngine(): MemoryEngine {
    const { memoryStoreBytesMax, shards, segments } = this.#task;
    const bytesMax = Math.floor(memoryStoreBytesMax / shards);
    const segmentBytes = Math.min(limits.memorySegmentBytes, Math.max(65_536, Math.floor(bytesMax / 8)));
    const keeper = {
      keep: (segment: (typeof segments)[number]) => {
        this.#tell({ type: 'keep', segment });
      },
      drop: (number: number) => {
        this.#tell({ type: 'drop', number });
      },
    };
    return new MemoryEngine(keeper, segmentBytes, bytesMax, segments);
  }

  #fanoutHost(): ConstructorParameters<typeof Fanouts>[0] {
    const { shard } = this.#task;
    return {
      shard,
      watch: (group) => this.#system.tell(Group, group, 'watch', { shard }),
      unwatch: (group) => this.#system.tell(Group, group, 'unwatch', { shard }),
      fallBehind: (session, group) => {
        this.#system.tellIfActive(User, session.user, 'behind', { connection: session.connection, group });
      },
      markCursors: (session) => {
        if (session.cursorsDirty) return;
        session.cursorsDirty = true;
        this.#cursors.mark(session.user);
      },
    };
  }

  #tell(message: FromShardControl): void {
    this.#task.control.postMessage(message);
  }
}
