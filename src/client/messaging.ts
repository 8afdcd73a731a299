import { EventEmitter } from 'node:events';
import type { RawData, WebSocket } from 'ws';
import type { JsonValue, Notice } from './encoding.ts';
import { closedWith, ConnectionClosed, RequestRefused, WaitTimeout } from './errors.ts';
import type { Closed } from './errors.ts';
import { Inbox } from './inbox.ts';
import { openWebSocket, webSocketUrl } from './open-web-socket.ts';
import type { TlsChoice } from './open-web-socket.ts';

export type Id = string | number;

export interface MessagingMessage {
  readonly id: Id;
  readonly sid: Id;
  readonly rid: Id;
  readonly [field: string]: JsonValue;
}

export interface MessagingError {
  readonly error: string;
  readonly reason: string;
  readonly section?: string;
  readonly id?: Id;
}

/** A message of this connection that the server has stored. */
export interface Accepted {
  readonly id: Id;
  /** Its number in the conversation. */
  readonly chatId: number;
}

/** What a guest is told first. */
export interface Welcome {
  readonly client_id: string;
  /** With it the guest can come back under this name. */
  readonly token: string;
}

/** A whole server notification; sections that this client does not know are left in it. */
export interface Notification {
  readonly messages?: readonly MessagingMessage[];
  readonly errors?: readonly MessagingError[];
  readonly accepted?: readonly Accepted[];
  readonly welcome?: Welcome;
  readonly expiring?: Notice['expiring'];
  readonly [section: string]: unknown;
}

export interface MessagingOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 3102. */
  readonly port?: number;
  readonly tls?: TlsChoice;
  /** Absent: a guest; its name comes in the section `welcome`, see `welcome`. */
  readonly clientId?: Id;
  readonly deviceId?: string;
  readonly token?: string;
  /** To be told what is stored: `accepted`, sendAccepted(). */
  readonly ack?: boolean;
  /** To be told what is about to happen to the connection: the event `notice`. */
  readonly notices?: boolean;
  /** Time of `next…` unless it is told another. */
  readonly timeoutMs?: number;
  /** Messages and errors that wait to be taken. Full: the connection is cut. */
  readonly inboxMax?: number;
}

interface Unanswered {
  readonly resolve: (chatId: number) => void;
  readonly reject: (error: Error) => void;
}

interface Events {
  /** The messages that no nextMessage() waits for, those from before the listener first. */
  message: [message: MessagingMessage];
  /** Every notification, before its messages. */
  notification: [notification: Notification];
  /** With `ack`: a message of this connection is stored. */
  accepted: [accepted: Accepted];
  /** With `notices`: what is about to happen to the connection. */
  notice: [notice: Notice];
  closed: [closed: Closed];
}

/** A messaging client: docs/protocol.md, "Messaging". */
export class MessagingClient extends EventEmitter<Events> {
  /** Who this is; empty for a guest that was not welcomed yet. */
  #clientId: Id;
  readonly socket: WebSocket;
  /** Resolves, never rejects, when the connection has ended. */
  readonly closed: Promise<Closed>;
  readonly #timeoutMs: number;
  readonly #messages: Inbox<MessagingMessage>;
  readonly #errors: Inbox<MessagingError>;
  /** Sends of sendAccepted() that are not answered, by the JSON of their id. */
  readonly #unanswered = new Map<string, Unanswered>();
  readonly #ack: boolean;
  #lastId = 0;
  /** A guest's name and token, once the server has told them. It never resolves for others. */
  readonly welcome: Promise<Welcome>;
  #resolveWelcome!: (welcome: Welcome) => void;
  /** Ids of one user must differ, over all connections while the messages are unread. */
  readonly #idPrefix = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;

  /** Rejects with UpgradeRefused (401) when the server does not take the client id. */
  static async connect(options: MessagingOptions): Promise<MessagingClient> {
    const query = new URLSearchParams();
    if (options.clientId !== undefined) query.set('client_id', String(options.clientId));
    if (options.deviceId !== undefined) query.set('device_id', options.deviceId);
    if (options.token !== undefined) query.set('token', options.token);
    if (options.ack === true) query.set('ack', '1');
    if (options.notices === true) query.set('notices', '1');
    const { host, port, tls } = options;
    const opening = openWebSocket(webSocketUrl(`/messaging?${query.toString()}`, host, port, tls), tls);
    const client = new MessagingClient(opening.socket, options);
    await opening.opened;
    return client;
  }

  constructor(socket: WebSocket, options: MessagingOptions) {
    super();
    this.socket = socket;
    this.#clientId = options.clientId ?? '';
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#ack = options.ack === true;
    this.welcome = new Promise((resolve) => (this.#resolveWelcome = resolve));
    const inboxMax = options.inboxMax ?? 1_000_000;
    const onFull = (): void => this.destroy();
    this.#messages = new Inbox('message', inboxMax, onFull);
    this.#errors = new Inbox('error', inboxMax, onFull);
    // Unread messages come with the upgrade, before anyone can listen.
    (this as EventEmitter).on('newListener', (name) => {
      if (name === 'message') process.nextTick(() => this.#deliver());
    });
    socket.on('message', (data: RawData) => this.#onText(String(data)));
    this.closed = new Promise((resolve) => {
      socket.on('close', (code: number, reason: Buffer) => {
        const closed = closedWith(code, String(reason));
        this.#messages.end(new ConnectionClosed(closed));
        this.#errors.end(new ConnectionClosed(closed));
        for (const { reject } of this.#unanswered.values()) reject(new ConnectionClosed(closed));
        resolve(closed);
        this.emit('closed', closed);
      });
    });
  }

  get clientId(): Id {
    return this.#clientId;
  }

  /** Sends one message and returns its id. The protocol confirms nothing; see nextError(). */
  send(rid: Id, fields: Readonly<Record<string, JsonValue>>): Id {
    this.#lastId += 1;
    const id = `${this.#idPrefix}-${this.#lastId}`;
    this.sendSections({ send: [{ ...fields, id, sid: this.clientId, rid }] });
    return id;
  }

  /**
   * Sends one message; its number, once the server has stored it. Needs `ack`. Rejects with
   * RequestRefused, or with WaitTimeout: then it may or may not be stored.
   */
  sendAccepted(rid: Id, fields: Readonly<Record<string, JsonValue>>): Promise<number> {
    if (!this.#ack) return Promise.reject(new TypeError('connect with ack to hear what is accepted'));
    if (this.socket.readyState !== this.socket.OPEN) {
      return this.closed.then((closed) => Promise.reject(new ConnectionClosed(closed)));
    }
    const key = JSON.stringify(this.send(rid, fields));
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<number>((resolve, reject) => {
      const late = new WaitTimeout('answer to a message', this.#timeoutMs);
      timer = setTimeout(() => reject(late), this.#timeoutMs);
      this.#unanswered.set(key, { resolve, reject });
    });
    return answer.finally(() => {
      clearTimeout(timer);
      this.#unanswered.delete(key);
    });
  }

  /** The same to a group that this client, a mid, is a member of. */
  sendToGroup(gid: number, fields: Readonly<Record<string, JsonValue>>): Id {
    return this.send(`#${gid}`, fields);
  }

  /** Marks messages as read: they leave the mailbox. */
  read(...messages: readonly { readonly id: Id; readonly sid?: Id }[]): void {
    this.sendSections({ read: messages.map(({ id, sid }) => ({ id, ...(sid !== undefined && { sid }) })) });
  }

  sendSections(sections: Readonly<Record<string, unknown>>): void {
    this.sendRaw(JSON.stringify(sections));
  }

  /** A string goes as a text message, bytes as a binary one. */
  sendRaw(data: string | Uint8Array): void {
    this.socket.send(data, () => {}); // The callback takes the error of a socket that has closed.
  }

  /** The next message that was not given to a listener. */
  nextMessage(timeoutMs: number = this.#timeoutMs): Promise<MessagingMessage> {
    return this.#messages.next(timeoutMs);
  }

  async nextMessages(count: number, timeoutMs?: number): Promise<MessagingMessage[]> {
    const messages: MessagingMessage[] = [];
    while (messages.length < count) messages.push(await this.nextMessage(timeoutMs));
    return messages;
  }

  /** The next entry of an `errors` section. */
  nextError(timeoutMs: number = this.#timeoutMs): Promise<MessagingError> {
    return this.#errors.next(timeoutMs);
  }

  /** Messages that have come and were not taken. */
  get waitingMessages(): number {
    return this.#messages.length;
  }

  /** Ends the connection in good order: the server has read what was sent before. */
  close(): Promise<Closed> {
    this.socket.close(1000);
    return this.closed;
  }

  destroy(): void {
    this.socket.terminate();
  }

  #onText(text: string): void {
    let notification: Notification;
    try {
      notification = JSON.parse(text) as Notification;
    } catch {
      this.socket.close(1007, 'not JSON');
      return;
    }
    if (notification.welcome !== undefined) {
      this.#clientId = notification.welcome.client_id;
      this.#resolveWelcome(notification.welcome);
    }
    this.emit('notification', notification);
    if (notification.expiring !== undefined) this.emit('notice', { expiring: notification.expiring });
    for (const error of notification.errors ?? []) {
      const unanswered =
        error.section === 'send' ? this.#unanswered.get(JSON.stringify(error.id)) : undefined;
      if (unanswered === undefined) this.#errors.push(error);
      else unanswered.reject(new RequestRefused(error.error));
    }
    for (const accepted of notification.accepted ?? []) {
      this.#unanswered.get(JSON.stringify(accepted.id))?.resolve(accepted.chatId);
      this.emit('accepted', accepted);
    }
    for (const message of notification.messages ?? []) this.#messages.push(message);
    this.#deliver();
  }

  #deliver(): void {
    while (this.listenerCount('message') > 0) {
      const message = this.#messages.take();
      if (message === undefined) return;
      this.emit('message', message);
    }
  }
}
