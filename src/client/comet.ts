import { EventEmitter } from 'node:events';
import type { CometMessage, Content, ConversationName, Credentials, Encoding } from './encoding.ts';
import type { HistoryOptions, HistoryPage, Notice } from './encoding.ts';
import { ConnectionClosed, RequestRefused, WaitTimeout } from './errors.ts';
import type { Closed } from './errors.ts';
import type { Frame } from './frames.ts';
import { Inbox } from './inbox.ts';
import { op, replyOf } from './ops.ts';

export interface CometSettings {
  /** Time for a reply, and for `next…` unless it is told another. */
  readonly timeoutMs?: number;
  /** Heartbeats that keep an idle connection alive. 0: none. */
  readonly heartbeatMs?: number;
  /** False: op 9 comes whole from nextFrame(), and no message from nextMessage(). */
  readonly unpack?: boolean;
  /** Messages and frames that wait to be taken. Full: the connection is cut. */
  readonly inboxMax?: number;
}

interface Pending {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

interface Events {
  /** The messages that no nextMessage() waits for, those from before the listener first. */
  message: [message: CometMessage];
  /** With `notices`: what is about to happen to the connection. */
  notice: [notice: Notice];
  closed: [closed: Closed];
}

export const cometDefaults = { timeoutMs: 10_000, heartbeatMs: 60_000, unpack: true, inboxMax: 1_000_000 };

/** A comet client, whatever carries its frames: docs/protocol.md, "Comet". */
export abstract class CometClient extends EventEmitter<Events> {
  /** Resolves, never rejects, when the connection has ended. */
  readonly closed: Promise<Closed>;
  readonly #encoding: Encoding;
  readonly #settings: Required<CometSettings>;
  readonly #pending = new Map<string, Pending>();
  readonly #messages: Inbox<CometMessage>;
  readonly #frames: Inbox<Frame>;
  #mid = 0;
  #seq = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #end: ConnectionClosed | undefined;
  #resolveClosed!: (closed: Closed) => void;

  constructor(encoding: Encoding, settings: CometSettings) {
    super();
    this.#encoding = encoding;
    this.#settings = { ...cometDefaults, ...settings };
    const onFull = (): void => this.destroy();
    this.#messages = new Inbox('message', this.#settings.inboxMax, onFull);
    this.#frames = new Inbox('frame', this.#settings.inboxMax, onFull);
    // What the user missed may come with the answer to op 7, before anyone can listen.
    (this as EventEmitter).on('newListener', (name) => {
      if (name === 'message') process.nextTick(() => this.#deliver());
    });
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  /** The user of this connection; 0 before authenticate(). */
  get mid(): number {
    return this.#mid;
  }

  /** Says who this is: op 7. Throws RequestRefused. */
  async authenticate(credentials: Credentials): Promise<void> {
    const frame = await this.request(op.auth, this.#encoding.auth(credentials));
    this.#check(frame);
    this.#mid = credentials.mid;
    const { heartbeatMs } = this.#settings;
    if (heartbeatMs === 0) return;
    this.#heartbeat ??= setInterval(() => {
      this.heartbeat().catch(() => this.destroy()); // No answer in time: the connection is dead.
    }, heartbeatMs).unref();
  }

  /** The message's chatId, once the server has stored it. Throws RequestRefused. */
  async send(to: number, content: Content): Promise<number> {
    return this.#check(await this.request(op.send, this.#encoding.send(this.#mid, to, content)));
  }

  /** The same to a group that this user is a member of. */
  async sendToGroup(gid: number, content: Content): Promise<number> {
    return this.#check(await this.request(op.groupSend, this.#encoding.send(this.#mid, gid, content)));
  }

  /**
   * Says that this user, or the device that was named, has all of a conversation up to `chatId`.
   * Returns where it stands, once the server has stored that. Throws RequestRefused.
   */
  async acknowledge(of: ConversationName, chatId: number): Promise<number> {
    return this.#check(await this.request(op.ack, this.#encoding.ack(of, chatId)));
  }

  /** Messages of a conversation from the log, own ones as well. Throws RequestRefused. */
  async history(of: ConversationName, options: HistoryOptions = {}): Promise<HistoryPage> {
    const frame = await this.request(op.history, this.#encoding.history(of, options));
    const page = this.#encoding.page(frame);
    if (typeof page === 'string') throw new RequestRefused(page);
    return page;
  }

  async heartbeat(): Promise<void> {
    await this.request(op.heartbeat, this.#encoding.empty());
  }

  /** Sends any operation and waits for the frame that answers it, ret -1 or not. */
  request(operation: number, body: unknown): Promise<Frame> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    this.#seq = (this.#seq % 0x7fff_ffff) + 1;
    const seq = this.#seq;
    const key = `${replyOf(operation)}:${seq}`;
    return new Promise((resolve, reject) => {
      const { timeoutMs } = this.#settings;
      const timer = setTimeout(() => {
        this.#pending.delete(key);
        reject(new WaitTimeout(`reply to op ${operation}`, timeoutMs));
      }, timeoutMs);
      this.#pending.set(key, { resolve, reject, timer });
      this.sendFrame({ ver: 1, op: operation, seq, body });
    });
  }

  /** The next message that was not given to a listener. */
  nextMessage(timeoutMs: number = this.#settings.timeoutMs): Promise<CometMessage> {
    return this.#messages.next(timeoutMs);
  }

  async nextMessages(count: number, timeoutMs?: number): Promise<CometMessage[]> {
    const messages: CometMessage[] = [];
    while (messages.length < count) messages.push(await this.nextMessage(timeoutMs));
    return messages;
  }

  /** The next frame that is neither the reply to a request() nor, when unpacked, op 9. */
  nextFrame(timeoutMs: number = this.#settings.timeoutMs): Promise<Frame> {
    return this.#frames.next(timeoutMs);
  }

  /** Messages that have come and were not taken. */
  get waitingMessages(): number {
    return this.#messages.length;
  }

  /** Sends a frame as it is; what answers it comes from nextFrame(). */
  abstract sendFrame(frame: Frame): void;
  /** Sends these bytes: on TCP into the stream, on a WebSocket as a message (a string: a text). */
  abstract sendRaw(data: string | Uint8Array): void;
  /** Ends the connection in good order; resolves when it has ended. */
  abstract close(): Promise<Closed>;
  /** Cuts the connection. */
  abstract destroy(): void;

  protected onFrame(frame: Frame): void {
    const key = `${frame.op}:${frame.seq}`;
    const pending = this.#pending.get(key);
    if (pending !== undefined) {
      this.#pending.delete(key);
      clearTimeout(pending.timer);
      pending.resolve(frame);
    } else if (frame.op === op.batch && this.#settings.unpack) {
      for (const message of this.#parsed(() => this.#encoding.messages(frame)) ?? [])
        this.#messages.push(message);
      this.#deliver();
    } else if (frame.op === op.notice && this.#settings.unpack) {
      const notice = this.#parsed(() => this.#encoding.notice(frame));
      if (notice !== undefined) this.emit('notice', notice);
    } else {
      this.#frames.push(frame);
    }
  }

  protected onClosed(closed: Closed): void {
    if (this.#end !== undefined) return;
    this.#end = new ConnectionClosed(closed);
    clearInterval(this.#heartbeat);
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(this.#end);
    }
    this.#pending.clear();
    this.#messages.end(this.#end);
    this.#frames.end(this.#end);
    this.#resolveClosed(closed);
    this.emit('closed', closed);
  }

  #parsed<T>(parse: () => T): T | undefined {
    try {
      return parse();
    } catch {
      this.destroy(); // Not our protocol: nothing that follows can be trusted.
      return undefined;
    }
  }

  #deliver(): void {
    while (this.listenerCount('message') > 0) {
      const message = this.#messages.take();
      if (message === undefined) return;
      this.emit('message', message);
    }
  }

  #check(frame: Frame): number {
    const { ret, chatId = 0, error = 'refused' } = this.#encoding.reply(frame);
    if (ret !== 0) throw new RequestRefused(error);
    return chatId;
  }
}
