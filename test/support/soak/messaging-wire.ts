import { MessagingClient } from '../../../src/client/index.ts';
import type { Id, MessagingMessage, Notification } from '../../../src/client/index.ts';
import { openWebSocket, webSocketUrl } from '../../../src/client/open-web-socket.ts';
import type { Link, LinkEnd, Wire } from './link.ts';
import type { SoakConversation } from './plan.ts';
import { decodeText } from './text.ts';

/** Of the messages that came, how many are read at once; the others when they come again. */
const readShare = 0.9;
const certain = new Set(['not_member', 'no_such_group', 'overloaded']);

/** With `ack=1` the server says what it has stored. */
export async function openMessaging(link: Link, connection: number): Promise<Wire> {
  const { run, user } = link;
  const { host, port } = run.server.httpAddress;
  const opening = openWebSocket(webSocketUrl(`/messaging?client_id=${user.id}&ack=1`, host, port));
  const wire = new MessagingWire(
    link,
    connection,
    new MessagingClient(opening.socket, { clientId: user.id }),
  );
  await opening.opened;
  return wire;
}

class MessagingWire implements Wire {
  readonly ended: Promise<LinkEnd>;
  readonly #link: Link;
  readonly #client: MessagingClient;
  readonly #connection: number;
  /** Messages that wait for `accepted`, by serial, which is their id. */
  readonly #open = new Map<number, () => void>();
  #toRead: { serial: number; id: Id; sid: Id }[] = [];

  constructor(link: Link, connection: number, client: MessagingClient) {
    this.#link = link;
    this.#client = client;
    this.#connection = connection;
    client.on('message', (message) => this.#take(message));
    client.on('notification', (notification) => this.#settle(notification));
    client.socket.on('error', () => {}); // 'close' follows
    this.ended = client.closed.then(({ code }) => {
      for (const resolve of this.#open.values()) resolve();
      return { code, clean: code !== 1006 };
    });
  }

  async send(serial: number, { gid, users }: SoakConversation, text: string): Promise<void> {
    const { user } = this.#link;
    const rid = gid !== 0 ? `#${gid}` : (users.find((other) => other !== user)?.id ?? '');
    this.#client.sendSections({ send: [{ id: serial, sid: user.id, rid, text }] });
    await new Promise<void>((resolve) => this.#open.set(serial, resolve));
  }

  tick(): void {
    if (this.#toRead.length === 0) return;
    const { random, history } = this.#link.run;
    const read: { id: Id; sid?: Id }[] = [];
    for (const { serial, id, sid } of this.#toRead.splice(0)) {
      history.read(this.#connection, serial);
      read.push(random.chance(0.5) ? { id } : { id, sid });
    }
    this.#client.sendSections({ read });
  }

  close(): void {
    void this.#client.close();
  }

  cut(): void {
    this.#client.destroy();
  }

  pause(): void {
    this.#client.socket.pause();
  }

  resume(): void {
    this.#client.socket.resume();
  }

  #take({ id, sid, rid, chatId, text }: MessagingMessage): void {
    const { run, user } = this.#link;
    const gid = typeof rid === 'string' && rid.startsWith('#') ? Number(rid.slice(1)) : 0;
    const conversation = run.find(gid !== 0, sid, gid !== 0 ? gid : rid);
    const serial = decodeText(String(text));
    run.history.receive(this.#connection, conversation, serial, Number(chatId ?? 0));
    if (gid === 0 && serial >= 0 && sid !== user.id && !run.quiet && run.random.chance(readShare))
      this.#toRead.push({ serial, id, sid });
  }

  #settle({ accepted, errors }: Notification): void {
    const { history, counts } = this.#link.run;
    for (const { id, chatId } of accepted ?? []) {
      counts.accepted += 1;
      history.acknowledge(Number(id), chatId);
      this.#resolve(Number(id));
    }
    for (const { id, error } of errors ?? []) {
      if (typeof id !== 'number') continue;
      if (certain.has(error)) history.refuse(id);
      else history.leaveOpen(id);
      this.#resolve(id);
    }
  }

  #resolve(serial: number): void {
    this.#open.get(serial)?.();
    this.#open.delete(serial);
  }
}
