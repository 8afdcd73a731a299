import { randomUUID } from 'node:crypto';
import { errorNumber } from '../errors.ts';
import { limits } from '../limits.ts';
import type { PublishedOutcomes } from '../user/env.ts';
import { PUBLISHED, type SendRequest } from '../user/messages.ts';
import { contentMembers } from '../wire/notifications.ts';
import { Op } from '../wire/op.ts';
import { Origin, PayloadKind, type Run } from '../wire/run.ts';
import { RunBuilder } from '../wire/run-builder.ts';
import { SYSTEM, type UserId } from '../wire/user-id.ts';
import { lower, numberOf, type RequestHost } from './requests.ts';

/** One message to many users, or to many groups, whose conversations this shard owns. */
export interface PublishBatch {
  /** SYSTEM, or a user. */
  readonly from: UserId;
  readonly isGroup: boolean;
  readonly to: readonly UserId[];
  readonly kind: PayloadKind;
  readonly content: Uint8Array;
  /** Of the message as messaging knows it, where it has that form. Null: each gets one of its own. */
  readonly id: string | null;
}

interface Open {
  readonly results: number[];
  left: number;
  readonly done: (results: number[]) => void;
}

type Host = Pick<RequestHost, 'shard' | 'now' | 'sendToUser' | 'sendToGroup'>;

/**
 * Messages that the admin port sends, on the way of all messages: told to the owner of the
 * conversation, numbered, stored, delivered. Their outcomes come back here by ticket. Bounded by
 * limits.publishersPerShard batches of limits.publishBatchMessagesMax each.
 */
export class Publications implements PublishedOutcomes {
  readonly #host: Host;
  readonly #builder = new RunBuilder();
  readonly #open = new Map<number, { readonly batch: Open; readonly at: number }>();
  #lastTicket = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Messages whose outcome is open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * For each receiver a chatId, or an error number below 0; `unavailable` when its owner did not say
   * in time, and the message may be stored or not.
   */
  publish(batch: PublishBatch, timeoutMs: number = limits.publishTimeoutMs): Promise<readonly number[]> {
    const { to, from, isGroup } = batch;
    if (isGroup && typeof from === 'string' && from !== SYSTEM) {
      return Promise.resolve(to.map(() => -errorNumber('not_supported')));
    }
    if (to.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const first = this.#lastTicket + 1;
      const timer = setTimeout(() => this.#giveUp(first, to.length), timeoutMs);
      const done = (results: number[]): void => {
        clearTimeout(timer);
        resolve(results);
      };
      const open: Open = { results: to.map(() => 0), left: to.length, done };
      for (const at of to.keys()) this.#open.set((this.#lastTicket += 1), { batch: open, at });
      for (const [at, receiver] of to.entries()) this.#send(batch, receiver, first + at);
    });
  }

  settle(ticket: number, result: number): void {
    const open = this.#open.get(ticket);
    if (open === undefined) return;
    this.#open.delete(ticket);
    const { batch, at } = open;
    batch.results[at] = result;
    batch.left -= 1;
    if (batch.left === 0) batch.done(batch.results);
  }

  #giveUp(first: number, count: number): void {
    for (let i = 0; i < count; i++) this.settle(first + i, -errorNumber('unavailable'));
  }

  #send(batch: PublishBatch, to: UserId, ticket: number): void {
    const { from, isGroup, id } = batch;
    const replyTo = { user: from, shard: this.#host.shard, connection: PUBLISHED, ticket, count: 1 };
    const run = this.#runOf(batch, to);
    const retryId = run.origin === Origin.messaging ? id : null;
    // Connections of the sender get it too, as if another of them had sent it.
    const request: SendRequest = { replyTo, from, to, run, echo: from !== SYSTEM, id: retryId };
    if (isGroup) this.#host.sendToGroup(Number(to), request);
    else this.#host.sendToUser(lower(from, to), request);
  }

  #runOf({ from, isGroup, kind, content, id }: PublishBatch, to: UserId): Run {
    const op = isGroup ? Op.groupSend : Op.send;
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    const isNamed = typeof to === 'string' || (typeof from === 'string' && from !== SYSTEM);
    const msg = isNamed ? messagingObject(from, to, kind, bytes, id ?? randomUUID()) : bytes;
    this.#builder.add(op, numberOf(from), numberOf(to), msg, 0, msg.length);
    return isNamed
      ? this.#builder.finish(PayloadKind.json, Origin.messaging, this.#host.now())
      : this.#builder.finish(kind, Origin.comet, this.#host.now());
  }
}

/** Frames have no room for names: a message from or to a string client is what messaging would send. */
function messagingObject(from: UserId, to: UserId, kind: PayloadKind, bytes: Buffer, id: string): Buffer {
  const sid = from === SYSTEM ? '0' : JSON.stringify(from);
  const members = contentMembers(bytes, 0, bytes.length, kind);
  return Buffer.from(`{"id":${JSON.stringify(id)},"sid":${sid},"rid":${JSON.stringify(to)}${members}}`);
}
