import type { TestContext } from 'node:test';
import { Fanouts, type FanoutHost } from '../../src/shard/fanouts.ts';
import { Outbox } from '../../src/shard/outbox.ts';
import { groupOf } from '../../src/store/conversation.ts';
import type { Opening } from '../../src/net/lane.ts';
import type { Delivery } from '../../src/user/delivery.ts';
import type { Session } from '../../src/user/session.ts';
import { HEADER_BYTES } from '../../src/wire/frame.ts';
import { PayloadKind } from '../../src/wire/run.ts';
import { messagesOf } from './engine.ts';
import { OutLane, type Output } from './out-lane.ts';
import { runOf } from './runs.ts';
import { FakeShard, sessionOf } from './sessions.ts';

export const SHARD = 3;

/** The fan-out of a shard with its outbox and its lane. */
export class Rig implements FanoutHost {
  readonly shard = SHARD;
  readonly out: OutLane;
  readonly fanouts: Fanouts;
  readonly watched: string[] = [];
  /** Connections that are to be fed from the log. */
  readonly behind: string[] = [];
  readonly marked = new Set<number>();
  readonly #outbox: Outbox;
  readonly #host = new FakeShard();

  constructor(t: TestContext) {
    this.out = new OutLane(t);
    this.fanouts = new Fanouts(this, this.out.lane);
    this.#outbox = new Outbox(this.out.lane);
    this.#host.onTouch = (session) => this.#outbox.touch(session);
  }

  watch(group: number): void {
    this.watched.push(`watch ${group}`);
  }

  unwatch(group: number): void {
    this.watched.push(`unwatch ${group}`);
  }

  fallBehind(session: Session, group: number): void {
    this.behind.push(`${session.connection} of ${group}`);
  }

  markCursors(session: Session): void {
    this.marked.add(session.connection);
  }

  /** A connection that follows groups, and has everything up to `sent`. */
  member(
    connection: number,
    groups: readonly number[] = [7],
    { sent = 0, encoding = 'binary' as Opening['encoding'] } = {},
  ): Session {
    const session = sessionOf(this.#host, connection, { encoding });
    for (const group of groups) this.fanouts.join(group, session, session.delivery(groupOf(group), sent));
    return session;
  }

  /** A run of these texts, sent by a connection of this shard or of another. */
  say(
    group: number,
    first: number,
    texts: readonly string[],
    { connection = 999, shard = SHARD } = {},
  ): void {
    const run = runOf(PayloadKind.text, texts, { op: 20, to: group, first });
    this.fanouts.deliver({ group, run, shard, connection });
  }

  flush(): Output[] {
    this.fanouts.flush();
    this.#outbox.flush();
    return this.out.take();
  }
}

export const deliveryOf = (session: Session, group = 7): Delivery => session.delivery(groupOf(group), 0);

/** The texts of a binary batch. */
export function textsOf({ bytes }: Output): string[] {
  const run = runOf(PayloadKind.text, ['']);
  return messagesOf([{ ...run, bytes: bytes.subarray(HEADER_BYTES) }]).map(([, text]) => text);
}
