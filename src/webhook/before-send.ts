import type { HookCounters, HookLevels } from '../metrics/counters.ts';
import type { Logger } from 'pino';
import type { ErrorCode } from '../errors.ts';
import type { SendRequest } from '../user/messages.ts';
import type { Session } from '../user/session.ts';
import { RunBuilder } from '../wire/run-builder.ts';
import { frameMsgStart, frameOp, frameTo, nextFrame, Origin, PayloadKind, type Run } from '../wire/run.ts';
import { questionText, readDecisions, renamed, type Decision } from './decisions.ts';
import type { WebhookBounds, WhenDown } from './options.ts';
import type { Poster } from './poster.ts';

export interface BeforeSendHost {
  readonly poster: Poster;
  readonly whenDown: WhenDown;
  readonly bounds: WebhookBounds;
  /** Of a `msg` that replaces another. */
  readonly packageBytesMax: number;
  readonly counters: HookCounters;
  readonly levels: HookLevels;
  readonly logger: Logger;
  /** Names requests. */
  readonly shard: number;
  readonly now: () => number;
  /** To the owner of the conversation, as if it had come in now. */
  readonly forward: (request: SendRequest, isGroup: boolean) => void;
}

interface Waiting {
  readonly session: Session;
  readonly request: SendRequest;
  readonly isGroup: boolean;
}

/**
 * Asks before_send about messages before their owners see them. A connection's messages keep their
 * order: they wait in one lane, which asks about what has gathered, and then about what gathered
 * meanwhile. Replies are in order by the connection's tickets.
 */
export class BeforeSend {
  readonly #host: BeforeSendHost;
  readonly #lanes: Lane[];

  constructor(host: BeforeSendHost) {
    this.#host = host;
    const health = new Health(host);
    this.#lanes = Array.from(
      { length: host.bounds.beforeSendLanes },
      (_none, lane) => new Lane(host, health, lane),
    );
  }

  /** The session's tickets for these messages are filed. */
  ask(session: Session, request: SendRequest, isGroup: boolean): void {
    const lane = this.#lanes[session.connection % this.#lanes.length] as Lane;
    if (!lane.push({ session, request, isGroup })) {
      const { ticket, count } = request.replyTo;
      this.#host.counters.messagesOverloaded += count;
      session.refuse(ticket, count, 'overloaded');
    }
  }

  /** Everything that was asked about is decided. */
  async stop(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.idle()));
    this.#host.poster.close();
  }
}

/** Whether before_send can be asked. One that failed is left alone for a moment, so nobody waits for it. */
class Health {
  readonly #host: BeforeSendHost;
  #failing = false;
  #retryAt = 0;

  constructor(host: BeforeSendHost) {
    this.#host = host;
  }

  get isDown(): boolean {
    return this.#failing && this.#host.now() < this.#retryAt;
  }

  failed(failure: string): void {
    const { bounds, logger, now, counters, whenDown } = this.#host;
    counters.postsFailed += 1;
    this.#retryAt = now() + bounds.beforeSendRetryMs;
    if (!this.#failing) logger.error({ failure, whenDown }, 'before_send is down');
    this.#failing = true;
  }

  worked(): void {
    if (this.#failing) this.#host.logger.info('before_send answers again');
    this.#failing = false;
  }
}

class Lane {
  readonly #host: BeforeSendHost;
  readonly #health: Health;
  readonly #lane: number;
  readonly #builder = new RunBuilder();
  #queue: Waiting[] = [];
  #messages = 0;
  #bytes = 0;
  #requests = 0;
  #busy = false;
  #onIdle: (() => void) | undefined;

  constructor(host: BeforeSendHost, health: Health, lane: number) {
    this.#host = host;
    this.#health = health;
    this.#lane = lane;
  }

  /** False when it is full. */
  push(waiting: Waiting): boolean {
    const { run } = waiting.request;
    const { beforeSendQueueMessagesMax, beforeSendQueueBytesMax } = this.#host.bounds;
    if (
      this.#messages + run.count > beforeSendQueueMessagesMax ||
      this.#bytes + run.bytes.length > beforeSendQueueBytesMax
    ) {
      return false;
    }
    this.#queue.push(waiting);
    this.#count(run, 1);
    if (!this.#busy) {
      this.#busy = true;
      // What comes in the same tick is asked about together.
      setImmediate(() => void this.#work());
    }
    return true;
  }

  idle(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #count({ count, bytes }: Run, sign: 1 | -1): void {
    this.#messages += sign * count;
    this.#bytes += sign * bytes.length;
    this.#host.levels.messagesWaiting += sign * count;
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#take();
      const decisions = this.#health.isDown ? undefined : await this.#ask(batch);
      let at = 0;
      for (const waiting of batch) {
        const { run } = waiting.request;
        this.#count(run, -1);
        if (decisions === undefined) this.#undecided(waiting);
        else this.#carryOut(waiting, decisions.slice(at, at + run.count));
        at += run.count;
      }
    }
    this.#busy = false;
    this.#onIdle?.();
  }

  /** What is asked about at once; a single run may be over the bounds. */
  #take(): Waiting[] {
    const { beforeSendBatchMessagesMax, beforeSendBatchBytesMax } = this.#host.bounds;
    let messages = 0;
    let bytes = 0;
    let taken = 0;
    for (const { request } of this.#queue) {
      messages += request.run.count;
      bytes += request.run.bytes.length;
      if (taken > 0 && (messages > beforeSendBatchMessagesMax || bytes > beforeSendBatchBytesMax)) break;
      taken += 1;
    }
    return this.#queue.splice(0, taken);
  }

  /** Undefined: there is no answer. */
  async #ask(batch: readonly Waiting[]): Promise<readonly Decision[] | undefined> {
    const { poster, shard, now, packageBytesMax } = this.#host;
    const questions: string[] = [];
    for (const { request, isGroup } of batch) {
      const { run, from, to } = request;
      for (let at = 0; at < run.bytes.length; at = nextFrame(run.bytes, at)) {
        questions.push(questionText(run, at, from, to, isGroup));
      }
    }
    const id = `b:${shard}:${this.#lane}:${(this.#requests += 1)}@${now()}`;
    try {
      const { status, body } = await poster.post(
        id,
        Buffer.from(`{"messages":[${questions.join(',')}]}`),
        true,
      );
      if (status < 200 || status > 299) throw new Error(`status ${status}`);
      const decisions = readDecisions(body ?? Buffer.alloc(0), questions.length, packageBytesMax);
      if (decisions === undefined) throw new Error('its answer does not fit the question');
      this.#health.worked();
      return decisions;
    } catch (error) {
      this.#health.failed((error as Error).message);
      return undefined;
    }
  }

  #undecided({ session, request, isGroup }: Waiting): void {
    const { whenDown, counters, forward } = this.#host;
    const { ticket, count } = request.replyTo;
    counters.messagesUndecided += count;
    if (whenDown === 'allow') forward(request, isGroup);
    else session.refuse(ticket, count, 'unavailable');
  }

  /** Messages that stay as they are, side by side, stay one run. */
  #carryOut(waiting: Waiting, decisions: readonly Decision[]): void {
    const { session, request, isGroup } = waiting;
    const { counters, forward } = this.#host;
    if (decisions.every(({ type }) => type === 'allow')) {
      counters.messagesAllowed += decisions.length;
      return forward(request, isGroup);
    }
    const { run } = request;
    let at = 0;
    let kept = 0;
    let keptFrom = 0;
    const forwardKept = (end: number): void => {
      if (kept > 0) this.#forwardPart(waiting, run.bytes.subarray(keptFrom, at), end - kept, kept);
      counters.messagesAllowed += kept;
      kept = 0;
    };
    for (const [i, decision] of decisions.entries()) {
      const next = nextFrame(run.bytes, at);
      if (decision.type === 'allow') {
        if (kept === 0) keptFrom = at;
        kept += 1;
      } else {
        forwardKept(i);
        if (decision.type === 'replace') this.#replace(waiting, i, at, decision);
        else this.#refuse(session, request.replyTo.ticket + i, 'forbidden', decision.reason);
      }
      at = next;
    }
    forwardKept(decisions.length);
  }

  #forwardPart({ request, isGroup }: Waiting, bytes: Buffer, from: number, count: number): void {
    const { replyTo, run } = request;
    this.#host.forward(
      {
        ...request,
        replyTo: { ...replyTo, ticket: replyTo.ticket + from, count },
        run: { ...run, bytes, count },
      },
      isGroup,
    );
  }

  #replace(waiting: Waiting, i: number, at: number, decision: Extract<Decision, { type: 'replace' }>): void {
    const { session, request, isGroup } = waiting;
    const { run, from, replyTo } = request;
    const { counters, forward } = this.#host;
    const ticket = replyTo.ticket + i;
    let { msg } = decision;
    if (run.origin === Origin.messaging) {
      const original = run.bytes.toString('utf8', frameMsgStart(run.bytes, at), nextFrame(run.bytes, at));
      const text = decision.kind === PayloadKind.json ? renamed(original, msg.toString()) : undefined;
      // An object cannot be replaced by anything else: its receivers need its names.
      if (text === undefined) return this.#refuse(session, ticket, 'forbidden', undefined);
      msg = Buffer.from(text);
    }
    counters.messagesReplaced += 1;
    const sender = typeof from === 'number' ? from : 0;
    this.#builder.add(frameOp(run.bytes, at), sender, frameTo(run.bytes, at), msg, 0, msg.length);
    const replaced = this.#builder.finish(decision.kind, run.origin, run.time);
    forward({ ...request, replyTo: { ...replyTo, ticket, count: 1 }, run: replaced }, isGroup);
  }

  #refuse(session: Session, ticket: number, error: ErrorCode, reason: string | undefined): void {
    this.#host.counters.messagesRefused += 1;
    session.refuse(ticket, 1, error, reason);
  }
}
