import type { FanoutMessage, Given, GroupMessage } from '../group/fanout.ts';
import { limits } from '../limits.ts';
import { countBatch, Encoding } from '../metrics/counters.ts';
import { ToGateway, type Lane } from '../net/lane.ts';
import { isGroup } from '../store/conversation.ts';
import type { Delivery } from '../user/delivery.ts';
import type { GroupFanouts } from '../user/env.ts';
import type { Session } from '../user/session.ts';
import { batchByteLength, writeBatch, writeRuns } from '../wire/comet-binary.ts';
import { beginMulticast, multicastTexts } from './output.ts';
import { encodeBatch } from '../wire/comet-json.ts';
import { encodeNotifications } from '../wire/messaging.ts';
import { runLast, type Run } from '../wire/run.ts';

interface Fanout {
  readonly group: number;
  readonly members: Map<Session, Delivery>;
  /** The newest number that went through here. */
  head: number;
  /** Of this tick, and their bytes. Past limits.sessionOutBytesMax nobody could take them. */
  pending: FanoutMessage[];
  pendingBytes: number;
  /** Those who left, with the group's last number then: what was sent before may still be on its way. */
  leaving: Map<Session, number> | undefined;
}

/** What fan-out needs of its shard. */
export interface FanoutHost {
  readonly shard: number;
  watch(group: number): void;
  unwatch(group: number): void;
  /** The session misses messages of the group: feed it from the log. */
  fallBehind(session: Session, group: number): void;
  markCursors(session: Session): void;
}

/**
 * Groups as this shard's connections follow them. What a group sent in a tick is encoded once for
 * each encoding and multicast; a connection that has something else to be written in the same tick
 * gets it all in its own write.
 */
export class Fanouts implements GroupFanouts {
  readonly #host: FanoutHost;
  readonly #lane: Lane;
  readonly #fanouts = new Map<number, Fanout>();
  #dirty: Fanout[] = [];

  constructor(host: FanoutHost, lane: Lane) {
    this.#host = host;
    this.#lane = lane;
  }

  head(group: number): number {
    const fanout = this.#fanouts.get(group);
    if (fanout === undefined) return 0;
    // What waits to be spread comes live: only then is it noted who sent it himself.
    return (fanout.pending[0]?.run.first ?? fanout.head + 1) - 1;
  }

  join(group: number, session: Session, delivery: Delivery): void {
    let fanout = this.#fanouts.get(group);
    if (fanout === undefined) {
      fanout = { group, members: new Map(), head: 0, pending: [], pendingBytes: 0, leaving: undefined };
      this.#fanouts.set(group, fanout);
      this.#host.watch(group);
    }
    fanout.members.set(session, delivery);
    fanout.leaving?.delete(session);
  }

  leave(group: number, session: Session, head: number): void {
    const fanout = this.#fanouts.get(group);
    if (fanout === undefined || !fanout.members.has(session)) return;
    // News of the group and of the member take different ways through the actors of this shard.
    if (head > fanout.head) (fanout.leaving ??= new Map()).set(session, head);
    else this.#leaveNow(fanout, session);
  }

  /** Whoever left before message `number` goes. */
  #leaveBefore(fanout: Fanout, number: number): void {
    for (const [session, head] of fanout.leaving ?? []) {
      if (head < number) this.#leaveNow(fanout, session);
    }
  }

  #leaveNow(fanout: Fanout, session: Session): void {
    const { pending } = fanout;
    const delivery = fanout.members.get(session);
    if (delivery !== undefined && pending.length > 0 && takesNext(delivery, pending)) {
      if (session.closing === undefined && session.canTake(fanout.pendingBytes)) {
        this.#push(session, delivery, pending);
      }
    }
    this.#remove(fanout, session);
  }

  #remove(fanout: Fanout, session: Session): void {
    fanout.leaving?.delete(session);
    if (!fanout.members.delete(session) || fanout.members.size > 0) return;
    this.#fanouts.delete(fanout.group);
    this.#host.unwatch(fanout.group);
  }

  /** The groups that are followed here. */
  groups(): Iterable<number> {
    return this.#fanouts.keys();
  }

  /** Groups that somebody here follows. */
  get size(): number {
    return this.#fanouts.size;
  }

  /** The sessions here that follow a group. */
  followers(group: number): Iterable<Session> {
    return this.#fanouts.get(group)?.members.keys() ?? [];
  }

  /** What waits to be spread counts as given: it leaves with this tick. */
  given({ group, chatId }: GroupMessage): Given {
    const counts = { now: 0, later: 0 };
    for (const [session, delivery] of this.#fanouts.get(group)?.members ?? []) {
      if (session.closing !== undefined) continue;
      counts[delivery.behind && delivery.sent < chatId ? 'later' : 'now'] += 1;
    }
    return counts;
  }

  rewatch(group: number): void {
    if (this.#fanouts.has(group)) this.#host.watch(group);
  }

  /** The session is gone. */
  forget(session: Session): void {
    for (const { conversation } of session.deliveries()) {
      const fanout = isGroup(conversation) ? this.#fanouts.get(conversation.group) : undefined;
      if (fanout !== undefined) this.#remove(fanout, session);
    }
  }

  /** The group's owner says where it stands: whoever is not there is fed from the log. */
  watching(group: number, head: number): void {
    const fanout = this.#fanouts.get(group);
    if (fanout === undefined || head <= fanout.head) return;
    fanout.head = head;
    this.#leaveBefore(fanout, head + 1);
    for (const [session, delivery] of fanout.members) {
      if (delivery.behind || delivery.sent >= head) continue;
      delivery.behind = true;
      this.#host.fallBehind(session, group);
    }
  }

  deliver(message: FanoutMessage): void {
    const fanout = this.#fanouts.get(message.group);
    if (fanout === undefined || message.run.first <= fanout.head) return;
    if (fanout.leaving !== undefined) this.#leaveBefore(fanout, message.run.first);
    fanout.head = runLast(message.run);
    if (fanout.pending.length === 0) this.#dirty.push(fanout);
    fanout.pending.push(message);
    fanout.pendingBytes += message.run.bytes.length;
    if (fanout.pendingBytes > limits.sessionOutBytesMax) this.#leaveToLog(fanout);
    if (fanout.leaving !== undefined) this.#leaveBefore(fanout, fanout.head + 1);
  }

  /** More than a connection can take at once: everybody is fed from the log, nothing is kept here. */
  #leaveToLog(fanout: Fanout): void {
    for (const [session, delivery] of fanout.members) {
      this.#noteOwn(session, delivery, fanout.pending);
      if (delivery.behind || delivery.sent >= fanout.head) continue;
      delivery.behind = true;
      this.#host.fallBehind(session, fanout.group);
    }
    fanout.pending = [];
    fanout.pendingBytes = 0;
    this.#dirty = this.#dirty.filter((dirty) => dirty !== fanout);
  }

  get isEmpty(): boolean {
    return this.#dirty.length === 0;
  }

  flush(): void {
    if (this.#dirty.length === 0 || this.#lane.isFull) return;
    const dirty = this.#dirty;
    this.#dirty = [];
    // Two groups in one tick: whoever is in both gets one batch of both.
    if (dirty.length > 1)
      for (const fanout of dirty) for (const session of fanout.members.keys()) session.fanouts += 1;
    for (const fanout of dirty) {
      const pending = fanout.pending;
      fanout.pending = [];
      fanout.pendingBytes = 0;
      this.#spread(fanout, pending);
    }
    if (dirty.length > 1)
      for (const fanout of dirty) for (const session of fanout.members.keys()) session.fanouts = 0;
  }

  #spread(fanout: Fanout, pending: readonly FanoutMessage[]): void {
    const runs = pending.map(({ run }) => run);
    const first = runs[0]?.first ?? 0;
    const last = fanout.head;
    // Else a run was lost on the way, or the group stands further than what came: the log has it.
    const isWhole = endOf(pending) === last;
    const bytes = runs.reduce((sum, run) => sum + run.bytes.length, 0);
    const binary: Session[] = [];
    const framed: Session[] = [];
    const bare: Session[] = [];
    const json: Session[] = [];
    const messaging: Session[] = [];
    for (const [session, delivery] of fanout.members) {
      if (delivery.behind) {
        this.#noteOwn(session, delivery, pending);
        continue;
      }
      if (last <= delivery.sent || session.closing !== undefined) continue;
      const takes = isWhole && delivery.sent === first - 1;
      if (!takes || !session.canTake(bytes)) {
        this.#noteOwn(session, delivery, pending);
        delivery.behind = true;
        this.#host.fallBehind(session, fanout.group);
        continue;
      }
      this.#host.markCursors(session);
      if (session.touched || session.fanouts > 1 || this.#isSender(session, pending)) {
        this.#push(session, delivery, pending);
        continue;
      }
      session.advance(delivery, last);
      if (session.isBare) bare.push(session);
      else if (session.encoding === 'binary') (session.webSocket ? framed : binary).push(session);
      else if (session.encoding === 'json') json.push(session);
      else messaging.push(session);
    }
    if (binary.length > 0) this.#multicastBatch(binary, runs);
    if (framed.length > 0) this.#multicastBatch(framed, runs);
    if (bare.length > 0) this.#multicastBare(bare, runs, bytes);
    if (json.length > 0) {
      this.#multicastTexts(json, [encodeBatch(runs)]);
      countBatch(runs, Encoding.json, json.length);
    }
    if (messaging.length > 0) {
      const { notificationMessagesMax, notificationBytesMax } = limits;
      this.#multicastTexts(
        messaging,
        encodeNotifications(runs, notificationMessagesMax, notificationBytesMax),
      );
      countBatch(runs, Encoding.messaging, messaging.length);
    }
  }

  #isSender(session: Session, pending: readonly FanoutMessage[]): boolean {
    for (const { connection, shard } of pending) {
      if (connection === session.connection && shard === this.#host.shard) return true;
    }
    return false;
  }

  #push(session: Session, delivery: Delivery, pending: readonly FanoutMessage[]): void {
    for (const { run, connection, shard } of pending) {
      const own = connection === session.connection && shard === this.#host.shard;
      if (own) session.advance(delivery, runLast(run));
      else session.push(run, delivery, runLast(run));
    }
  }

  /** What a connection sent itself is not fed to it later either. */
  #noteOwn(session: Session, delivery: Delivery, pending: readonly FanoutMessage[]): void {
    if (!this.#isSender(session, pending)) return;
    const own = (delivery.own ??= new Set());
    for (const { run, connection, shard } of pending) {
      if (connection !== session.connection || shard !== this.#host.shard) continue;
      for (let number = run.first; number <= runLast(run); number++) own.add(number);
    }
  }

  #multicastBatch(sessions: readonly Session[], runs: readonly Run[]): void {
    const { out } = this.#lane;
    const at = beginMulticast(out, ToGateway.multicast, sessions, batchByteLength(runs));
    writeBatch(out.buf, at, runs);
    this.#wrote(sessions);
    countBatch(runs, Encoding.binary, sessions.length);
  }

  /** Packages without an op 9 around them. */
  #multicastBare(sessions: readonly Session[], runs: readonly Run[], bytes: number): void {
    const { out } = this.#lane;
    const at = beginMulticast(out, ToGateway.multicast, sessions, bytes);
    writeRuns(out.buf, at, runs);
    this.#wrote(sessions);
    countBatch(runs, Encoding.binary, sessions.length);
  }

  #multicastTexts(sessions: readonly Session[], texts: readonly string[]): void {
    multicastTexts(this.#lane.out, sessions, texts);
    this.#wrote(sessions);
  }

  #wrote(sessions: readonly Session[]): void {
    const slab = this.#lane.writing;
    for (const session of sessions) {
      session.writes += 1;
      session.lastSlab = slab;
    }
  }
}

/** The last number of runs that are numbered one behind the other; NaN if they are not. */
function endOf(pending: readonly FanoutMessage[]): number {
  let next = pending[0]?.run.first ?? Number.NaN;
  for (const { run } of pending) {
    if (run.first !== next) return Number.NaN;
    next += run.count;
  }
  return next - 1;
}

const takesNext = (delivery: Delivery, pending: readonly FanoutMessage[]): boolean =>
  !delivery.behind && delivery.sent === (pending[0]?.run.first ?? 0) - 1 && endOf(pending) > 0;
