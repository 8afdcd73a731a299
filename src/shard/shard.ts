import { threadId } from 'node:worker_threads';
import type { Logger } from 'pino';
import type { ActorFailure, ActorSystem } from '../actor/index.ts';
import { Fanout } from '../group/fanout.ts';
import { Group } from '../group/group.ts';
import { closes } from '../errors.ts';
import { createLogger } from '../log.ts';
import { counters, levels } from '../metrics/counters.ts';
import { ThreadMonitor } from '../metrics/thread-monitor.ts';
import { ToGateway, ToShard, type KickRecord, type Lane, type Opening } from '../net/lane.ts';
import type { SlabReader } from '../net/slab.ts';
import type { Session } from '../user/session.ts';
import { User } from '../user/user.ts';
import { authReplyBody, authReplyText, noticeText } from '../wire/comet-json.ts';
import { frameWithText } from '../wire/frame.ts';
import { goimReply } from '../wire/goim.ts';
import { expiringText } from '../wire/messaging.ts';
import { Op } from '../wire/op.ts';
import { shardOf } from '../wire/shard-of.ts';
import type { ShardCommits } from './commit-queue.ts';
import type { FromShardControl, ShardTask, ToShardControl } from './control.ts';
import type { Fanouts } from './fanouts.ts';
import type { Outbox } from './outbox.ts';
import { assemble, type Parts, type PartsHost } from './parts.ts';
import type { Services } from './services.ts';
import type { Sessions } from './sessions.ts';

/**
 * One shard: the users, groups and conversations of a thread, between the lane to the gateway and
 * the links to the other shards. A tick runs from what came in to one slab and one batch a link
 * going out: input → actors → commit → outcomes → actors → outbox.
 */
export class Shard implements PartsHost {
  readonly #task: ShardTask;
  readonly #logger: Logger;
  readonly #lane: Lane;
  readonly #system: ActorSystem<Services>;
  readonly #sessions: Sessions;
  readonly #commits: ShardCommits;
  readonly #fanouts: Fanouts;
  readonly #outbox: Outbox;
  readonly #parts: Parts;
  readonly #monitor = new ThreadMonitor();
  /** Sessions whose feeder, or history, goes on when the gateway has taken in the slab. */
  readonly #fedIn = new Map<Session, number>();
  #tickScheduled = false;
  #draining = false;
  #drainedTold = false;
  #stopped: (() => void) | undefined;

  constructor(task: ShardTask) {
    this.#task = task;
    this.#logger = createLogger(task.logLevel).child({ shard: task.shard });
    this.#parts = assemble(task, this.#logger, this);
    this.#lane = this.#parts.lane;
    this.#system = this.#parts.system;
    this.#sessions = this.#parts.sessions;
    this.#commits = this.#parts.commits;
    this.#fanouts = this.#parts.fanouts;
    this.#outbox = this.#parts.outbox;
    task.control.on('message', (message: ToShardControl) => {
      this.#onControl(message);
    });
  }

  /** Serves until the main thread says stop. */
  run(): Promise<void> {
    this.tellMain({ type: 'ready', threadId });
    this.#parts.webhooks?.start();
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
    this.scheduleTick();
  }

  whenWritten(session: Session): void {
    // Nothing is to be written when the lane was found full: any slab on its way will do.
    const written = Math.max(session.lastSlab, this.#lane.writing - 1);
    this.#fedIn.set(session, session.touched ? this.#lane.writing : written);
    this.#lane.out.wantAck();
  }

  // The tick

  scheduleTick(): void {
    if (this.#tickScheduled) return;
    this.#tickScheduled = true;
    setImmediate(this.#tick);
  }

  readonly #tick = (): void => {
    this.#tickScheduled = false;
    this.afterDrain();
    this.#system.flush();
  };

  /** The actors have run: commit, then write. Outcomes and parked input make actors ready again. */
  afterDrain(): void {
    // Outcomes were told: the actors go on with them, and what they write belongs to this tick.
    const told = this.#commits.flush();
    this.#parts.engine.flush();
    if (told) return;
    this.#sessions.handleResumed();
    this.#fanouts.flush();
    this.#outbox.flush();
    this.#parts.goim.flush();
    this.#tellDrained();
    this.#lane.flush();
    // A full lane is looked at again when the gateway has taken something in.
    const more = this.#commits.hasUntold || this.#sessions.hasResumable || !this.#outbox.isEmpty;
    if (more && !this.#lane.isFull) this.scheduleTick();
  }

  takeIn(reader: SlabReader): void {
    while (reader.next()) {
      const { type, connection } = reader;
      if (type === ToShard.bytes || type === ToShard.text || type === ToShard.binary) {
        this.#sessions.input(connection, type, reader.buf, reader.start, reader.end);
        continue;
      }
      this.#sessions.endInput();
      switch (type) {
        case ToShard.open:
          this.#open(connection, reader.buf.toString('utf8', reader.start, reader.end));
          break;
        case ToShard.ended:
          this.#sessions.ended(connection);
          break;
        case ToShard.kick:
          this.#kick(reader.buf.toString('utf8', reader.start, reader.end));
          break;
        case ToShard.drain:
          this.#draining = true;
          this.#sessions.drain();
          break;
        default:
          this.#onOutput(type, connection, reader.argument);
      }
    }
    this.#sessions.endInput();
    this.scheduleTick();
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
      this.#parts.goim.closed(session);
      this.#fedIn.delete(session);
      this.#parts.expiry.delete(session);
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

  #kick(text: string): void {
    const kick = JSON.parse(text) as KickRecord;
    for (const session of this.#sessions.ofUser(kick.user)) session.close(kick);
  }

  /** The user's actor has it. Op 8 goes before everything else (docs/protocol.md "Operation 8"). */
  opened(session: Session): void {
    session.attached = true;
    const opening = session.openedWith;
    session.openedWith = undefined;
    if (opening !== undefined && session.goim !== undefined) {
      session.say(goimReply(Op.authReply, opening.version, opening.seq));
      this.#parts.goim.opened(session);
    } else if (opening !== undefined && session.encoding !== 'messaging') {
      const { version, seq } = opening;
      const mid = Number(session.user);
      if (session.encoding === 'json') session.say(authReplyText(version, seq, mid));
      else session.say(frameWithText(Op.authReply, version, seq, authReplyBody(mid)));
    }
    this.#parts.expiry.add(session);
    this.#sessions.resume(session);
    this.#sessions.closeIfIdle(session);
    this.scheduleTick();
  }

  /** docs/protocol.md "Notices". */
  warn(session: Session, seconds: number): void {
    if (!session.wantsNotices) return;
    const notice = expiringText(seconds);
    if (session.encoding === 'messaging') session.say(notice);
    else if (session.encoding === 'json') session.say(noticeText(notice));
    else session.say(frameWithText(Op.notice, 1, 0, notice));
  }

  expire(session: Session): void {
    this.#sessions.dismiss(session, { ...closes.notAuthenticated, reason: 'the credentials have run out' });
  }

  #wakeFeeder(session: Session): void {
    const { user, connection, feeder, history } = session;
    if (feeder !== undefined || history !== undefined)
      this.#system.tellIfActive(User, user, 'feed', { connection });
  }

  onAcknowledged(): void {
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
    if (!this.#outbox.isEmpty || !this.#fanouts.isEmpty || !this.#lane.out.isEmpty) this.scheduleTick();
    else if (!this.#parts.goim.isEmpty) this.scheduleTick();
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
        this.#parts.goim.lost(message.node);
        for (const session of this.#sessions.values()) session.refuseShard(message.node);
        break;
      case 'back':
        this.#resync(message.node);
        this.#parts.goim.back(message.node);
        break;
      case 'figures':
        this.#tellFigures();
        break;
      case 'stop':
        void this.#stop();
        break;
    }
  }

  #tellFigures(): void {
    const { engine, system } = this.#parts;
    const figures = {
      threadId,
      counters,
      levels,
      laneBytes: this.#lane.pendingBytes,
      actors: { ...system.stats(), deadLetters: system.deadLetters },
      storeBytes: engine.bytes,
      thread: this.#monitor.read(),
    };
    this.tellMain({ type: 'figures', figures });
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
    this.#parts.sweep.stop();
    this.#monitor.stop();
    this.#parts.cursors.stop();
    this.#parts.goim.stop();
    this.#parts.expiry.stop();
    await this.#parts.beforeSend?.stop();
    await this.#system.stop();
    await this.#parts.webhooks?.stop();
    await this.#parts.engine.close();
    this.#lane.close();
    this.#task.control.close();
    this.#stopped?.();
  }

  onFailure({ kind, id, error, action, message }: ActorFailure): void {
    this.#logger.error({ err: error, kind, id, action, message }, 'an actor failed');
    if (action === 'keep' || action === 'resume') return;
    if (kind === User.name) {
      this.#parts.lost.closeUser(id);
      this.#parts.webhooks?.went(id);
    }
    if (kind !== Group.name) return;
    for (let shard = 0; shard < this.#task.shards; shard++)
      this.#system.tell(Fanout, shard, 'rewatch', Number(id));
  }

  tellMain(message: FromShardControl): void {
    this.#task.control.postMessage(message);
  }
}
