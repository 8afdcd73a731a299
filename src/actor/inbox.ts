import type { RefusedReason } from './errors.ts';
import * as frames from './frames.ts';
import { Op } from './frames.ts';
import type { Host } from './host.ts';
import type { Link } from './link.ts';
import type { Runtime } from './runtime.ts';
import type { ActorId, EndReason } from './types.ts';

/** A kind of the peer, with this node's own numbers for it. `host` is undefined if it is unknown here. */
interface PeerKind {
  readonly name: string;
  readonly host: Host | undefined;
  readonly messageNames: readonly string[];
  readonly messages: readonly (number | undefined)[];
}

/**
 * The receiving end of a link. It only moves frames into mailboxes and settles asks: Node hands a
 * port's waiting messages over in one go, so the actors' work must not be done here.
 */
export class Inbox {
  readonly #link: Link;
  readonly #runtime: Runtime;
  readonly #hosts: ReadonlyMap<string, Host>;
  #kinds: readonly PeerKind[] = [];
  #received = 0;
  #acknowledged = 0;
  #ackWanted = false;

  constructor(link: Link, runtime: Runtime, hosts: ReadonlyMap<string, Host>) {
    this.#link = link;
    this.#runtime = runtime;
    this.#hosts = hosts;
  }

  /** Frames that came over the present connection. */
  get received(): number {
    return this.#received;
  }

  /** The peer waits for an acknowledgement that no batch of ours has carried yet. */
  get owesAck(): boolean {
    return this.#ackWanted && this.#received > this.#acknowledged;
  }

  /** The count for the header of the next batch. */
  acknowledge(): number {
    this.#ackWanted = false;
    this.#acknowledged = this.#received;
    return this.#received;
  }

  reset(): void {
    this.#kinds = [];
    this.#received = 0;
    this.#acknowledged = 0;
    this.#ackWanted = false;
  }

  receive(batch: readonly unknown[]): void {
    if (((batch[1] as number) & frames.wantsAck) !== 0) this.#ackWanted = true;
    if (batch[2] !== null) this.#kinds = (batch[2] as frames.Names).map((names) => this.#meet(names));
    for (let at = frames.headerSlots; at < batch.length; at += frames.frameSlots) {
      this.#received++;
      const head = batch[at] as number;
      const op = frames.frameOp(head);
      const id = batch[at + 1] as ActorId;
      const token = batch[at + 3] as number;
      if (op <= Op.ask) {
        this.#deliver(head, id, batch[at + 2], token, batch[at + 4] as frames.Deadline);
      } else if (op <= Op.refused) {
        this.#link.settle(op, token, batch[at + 1] as string | number | null, batch[at + 2]);
      } else {
        this.#watch(head, id, batch[at + 2], token);
      }
    }
  }

  #watch(head: number, id: ActorId, body: unknown, token: number): void {
    const { watches } = this.#link;
    const op = frames.frameOp(head);
    if (op === Op.watch) watches.begin(this.#kinds[frames.frameKind(head)]?.host, id, token);
    else if (op === Op.unwatch) watches.end(token);
    else watches.ended(token, body as EndReason);
  }

  #meet([name, messageNames]: frames.Names[number]): PeerKind {
    const host = this.#hosts.get(name);
    const messages = messageNames.map((message) => host?.messages.get(message));
    return { name, host, messageNames, messages };
  }

  #deliver(head: number, id: ActorId, payload: unknown, token: number, deadline: frames.Deadline): void {
    const op = frames.frameOp(head);
    const kind = this.#kinds[frames.frameKind(head)];
    const message = kind?.messages[frames.frameMessage(head)];
    const ask = op === Op.ask ? this.#link.replyTo(token, deadline) : undefined;
    if (kind?.host === undefined || message === undefined) {
      const reason: RefusedReason = kind?.host === undefined ? 'unknown_kind' : 'unknown_message';
      const name = kind?.messageNames[frames.frameMessage(head)] ?? '';
      this.#runtime.deadLetters.publish(reason, kind?.name ?? '', id, name, payload, this.#link.node);
      ask?.refuse(reason);
    } else if (op === Op.tellIfActive) {
      kind.host.deliverIfActive(id, message, payload, this.#link.node);
    } else {
      kind.host.deliver(id, message, payload, ask, this.#link.node);
    }
  }
}
