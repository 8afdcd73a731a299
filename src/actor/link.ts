import type { AskToken, PendingAsk } from './asks.ts';
import { flatten, unflatten } from './cycles.ts';
import { AskFailed, AskRefused, callHost, describeError, type RefusedReason } from './errors.ts';
import * as frames from './frames.ts';
import { Op } from './frames.ts';
import type { Host } from './host.ts';
import { Inbox } from './inbox.ts';
import { LinkWatches } from './link-watches.ts';
import { actorLimits } from './limits.ts';
import { type LinkLimits, Outbox } from './outbox.ts';
import { RoomQueue } from './room.ts';
import type { Runtime } from './runtime.ts';
import type { ActorId, RoomOptions } from './types.ts';

/** What a link needs of a port. A MessagePort is one. */
export interface LinkPort {
  postMessage(value: ArrayBuffer, transfer: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (value: ArrayBuffer) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  close(): void;
}

/** Told when a node comes and goes. */
export type PeerListener = (node: number, what: 'connected' | 'lost') => void;

/**
 * The way to one other node: what is told there is queued, and leaves as one batch a flush. Without
 * a port (the node was never connected, or was lost) it queues just the same, within the same bound.
 */
export class Link {
  readonly node: number;
  readonly watches: LinkWatches;
  /** Called after each batch that came, and when the connection is lost. */
  onReceived: () => void = () => {};
  readonly #runtime: Runtime;
  readonly #hosts: readonly Host[];
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #onPeer: PeerListener | undefined;
  /** This node's asks that are queued or on their way, by token. */
  readonly #asks = new Map<number, PendingAsk>();
  readonly #room = new RoomQueue();
  #nextToken = 1;
  #port: LinkPort | undefined = undefined;
  #greeted = false;

  constructor(
    node: number,
    runtime: Runtime,
    hosts: ReadonlyMap<string, Host>,
    limits: LinkLimits,
    onPeer: PeerListener | undefined,
  ) {
    this.node = node;
    this.#runtime = runtime;
    this.#hosts = [...hosts.values()];
    this.#outbox = new Outbox(limits);
    this.#inbox = new Inbox(this, runtime, hosts);
    this.watches = new LinkWatches(runtime, this.#outbox);
    this.#onPeer = onPeer;
  }

  get connected(): boolean {
    return this.#port !== undefined;
  }

  /** Frames of this connection that left or wait. */
  get sent(): number {
    return this.#outbox.total;
  }

  /** Frames that wait to leave, and bytes of these and of those on their way. */
  get queued(): { readonly frames: number; readonly bytes: number } {
    return { frames: this.#outbox.waiting, bytes: this.#outbox.bytes };
  }

  /** Frames of this connection that came. */
  get received(): number {
    return this.#inbox.received;
  }

  /** Queues a tell. Returns why not, if there is no room. */
  tell(
    host: Host,
    id: ActorId,
    message: number,
    payload: unknown,
    ifActive: boolean,
  ): RefusedReason | undefined {
    const refused = this.#refused(host, id, message, payload);
    if (refused !== undefined) return refused;
    const op = ifActive ? Op.tellIfActive : Op.tell;
    this.#outbox.push(frames.packFrameHead(op, host.index, message), id, payload, 0, 0);
    this.#runtime.scheduler.wake();
    return undefined;
  }

  /** Queues an ask, or refuses it. */
  ask(host: Host, id: ActorId, message: number, payload: unknown, ask: PendingAsk): void {
    const refused = this.#refused(host, id, message, payload);
    if (refused !== undefined) {
      ask.refuse(refused);
      return;
    }
    const token = this.#nextToken++;
    this.#asks.set(token, ask);
    ask.link = this;
    ask.token = token;
    const { deadline, via } = ask;
    const head = frames.packFrameHead(Op.ask, host.index, message);
    this.#outbox.push(head, id, payload, token, via === undefined ? deadline : [deadline, ...flatten(via)]);
    this.#runtime.scheduler.wake();
  }

  /** An ask of this node is settled. */
  forget(token: number): void {
    this.#asks.delete(token);
  }

  /** Resolves when there is room in the queue. */
  room([kind, id]: readonly [string, ActorId], options: RoomOptions): Promise<void> {
    if (!this.#outbox.full) return Promise.resolve();
    if (this.#room.waiting >= actorLimits.roomWaitersMax) {
      return Promise.reject(new AskRefused(kind, id, 'room', 'mailbox_full'));
    }
    return this.#room.wait(this.#runtime, [kind, id], options);
  }

  /** The way back for an ask that came from the peer. Lost with the connection that it came by. */
  replyTo(token: number, deadline: frames.Deadline): AskToken {
    const port = this.#port;
    const chained = typeof deadline !== 'number';
    // Not bounded here, but by the asks that the peer may have waiting.
    const reply = (op: number, code: string | number | null, body: unknown): void => {
      if (port === undefined || this.#port !== port) return;
      this.#outbox.push(op, code, body, token, 0);
      this.#runtime.scheduler.wake();
    };
    return {
      deadline: chained ? deadline[0] : deadline,
      settled: false,
      via: chained ? unflatten(deadline, 1) : undefined,
      answer: (value) => reply(Op.answer, 0, value),
      fail: (error) => {
        const { message, code } = describeError(error);
        reply(Op.failed, code ?? null, message);
      },
      refuse: (reason) => reply(Op.refused, 0, reason),
    };
  }

  /** The peer answered an ask. One that waits no more is not known here. */
  settle(op: number, token: number, code: string | number | null, body: unknown): void {
    const ask = this.#asks.get(token);
    if (ask === undefined) return;
    if (op === Op.answer) ask.answer(body);
    else if (op === Op.failed) ask.failWith(new AskFailed(String(body), code ?? undefined));
    else ask.refuse(body as RefusedReason);
  }

  connect(port: LinkPort): void {
    if (this.#port !== undefined) this.disconnect();
    this.#port = port;
    port.on('message', (batch) => {
      if (this.#port === port) this.#receive(batch);
    });
    port.on('close', () => {
      if (this.#port === port) this.disconnect();
    });
    this.#runtime.scheduler.wake();
    callHost(this.#onPeer, this.node, 'connected');
  }

  /** The peer died, or this system stops: nothing of the old connection is kept. */
  disconnect(reason: 'unreachable' | 'stopped' = 'unreachable'): void {
    const port = this.#port;
    this.#port = undefined;
    this.#greeted = false;
    this.#inbox.reset();
    port?.close();
    const waiting = this.#outbox.reset();
    this.#room.wake();
    for (const ask of this.#asks.values()) ask.refuse(reason);
    this.watches.lost();
    // Last: a listener of dead letters may tell or ask this node again, for its next connection.
    this.#discard(waiting, reason);
    if (port !== undefined) callHost(this.#onPeer, this.node, 'lost');
    this.onReceived();
  }

  /** Sends what may be sent, in batches: waiting frames, an acknowledgement, or both. */
  flush(): void {
    if (this.#port === undefined) return;
    while (this.#outbox.sendable > 0) this.#post(this.#port);
    if (this.#inbox.owesAck || !this.#greeted) this.#post(this.#port);
    this.#wakeIfRoom();
  }

  #post(port: LinkPort): void {
    const batch = this.#outbox.take();
    batch[0] = this.#inbox.acknowledge();
    batch[1] = this.#outbox.wantsAck ? frames.wantsAck : 0;
    batch[2] = this.#greeted ? null : this.#hosts.map((host) => [host.kind.name, host.names]);
    this.#greeted = true;
    const bytes = this.#encode(batch);
    port.postMessage(bytes, [bytes]);
  }

  #receive(bytes: ArrayBuffer): void {
    const batch = frames.decodeBatch(bytes, this.#runtime.refOf);
    const acknowledged = this.#outbox.acknowledge(batch[0] as number);
    if (acknowledged) this.#wakeIfRoom();
    this.#inbox.receive(batch);
    this.onReceived();
    if ((acknowledged && this.#outbox.waiting > 0) || this.#inbox.owesAck) this.#runtime.scheduler.wake();
  }

  #wakeIfRoom(): void {
    if (this.#room.waiting > 0 && !this.#outbox.full) this.#room.wake();
  }

  #refused(host: Host, id: ActorId, message: number, payload: unknown): RefusedReason | undefined {
    if (!this.#outbox.full) return undefined;
    const reason = this.#port === undefined ? 'unreachable' : 'mailbox_full';
    host.deadLetter(reason, id, message, payload, this.#runtime.node);
    return reason;
  }

  /** Encodes a batch. Should a payload not be encodable, the other frames do not suffer. */
  #encode(batch: unknown[]): ArrayBuffer {
    try {
      return frames.encodeBatch(batch);
    } catch {
      for (let at = frames.headerSlots; at < batch.length; at += frames.frameSlots) {
        try {
          frames.encodeBatch([batch[at + 2]]);
        } catch (error) {
          this.#discard(batch.slice(at, at + frames.frameSlots), 'dropped', error);
          // The frame keeps its place, or the counts of the two sides would differ. An answer becomes
          // the failure that it is; of a tell or ask, this is the failure of an ask nobody has.
          if (frames.frameOp(batch[at] as number) <= Op.ask) batch[at + 3] = 0;
          batch[at] = Op.failed;
          batch[at + 1] = null;
          batch[at + 2] = describeError(error).message;
        }
      }
      return frames.encodeBatch(batch);
    }
  }

  /** Frames that will not leave. Answers among them are lost: their askers time out or know of the loss. */
  #discard(slots: readonly unknown[], reason: 'unreachable' | 'stopped' | 'dropped', error?: unknown): void {
    for (let at = 0; at < slots.length; at += frames.frameSlots) {
      const head = slots[at] as number;
      const host = this.#hosts[frames.frameKind(head)];
      if (host === undefined || frames.frameOp(head) > Op.ask) continue;
      const [id, payload, token] = slots.slice(at + 1) as [ActorId, unknown, number];
      host.deadLetter(reason, id, frames.frameMessage(head), payload, this.#runtime.node);
      if (error !== undefined) this.#asks.get(token)?.fail(error);
    }
  }
}
