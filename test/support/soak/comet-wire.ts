import {
  ConnectionClosed,
  CometTcpClient,
  CometWebSocketClient,
  RequestRefused,
} from '../../../src/client/index.ts';
import type { CometClient, CometMessage, MessagingMessage } from '../../../src/client/index.ts';
import { connectComet, type CometKind } from '../clients.ts';
import type { Link, LinkEnd, Wire } from './link.ts';
import type { SoakConversation } from './plan.ts';
import { decodeText } from './text.ts';

/** Longer than the server's own time for a request: an answer that does not come is a fault. */
const timeoutMs = 45_000;
/** Codes that say that the message is not stored and will not be. */
const certain = new Set(['not_member', 'no_such_group', 'overloaded']);

export async function openComet(
  link: Link,
  connection: number,
  kind: CometKind,
  device?: string,
): Promise<Wire> {
  const { run, user } = link;
  const client = await connectComet(kind, run.server, Number(user.id), {
    timeoutMs,
    ...(device !== undefined && { device }),
  });
  return new CometWire(link, connection, client);
}

class CometWire implements Wire {
  readonly ended: Promise<LinkEnd>;
  readonly #link: Link;
  readonly #client: CometClient;
  readonly #connection: number;
  #failed = false;

  constructor(link: Link, connection: number, client: CometClient) {
    this.#link = link;
    this.#client = client;
    this.#connection = connection;
    client.on('message', (message) => this.#take(message));
    if (client instanceof CometTcpClient) client.socket.on('error', () => (this.#failed = true));
    this.ended = client.closed.then(({ code }) => {
      // 1000: this side closed it, and read to the other's end unless that failed.
      return { code, clean: code !== 1006 && !(code === 1000 && this.#failed) };
    });
  }

  async send(serial: number, { gid, users }: SoakConversation, text: string): Promise<void> {
    const client = this.#client;
    const { history } = this.#link.run;
    try {
      const other = users.find((user) => user !== this.#link.user);
      const chatId = await (gid !== 0 ? client.sendToGroup(gid, text) : client.send(Number(other?.id), text));
      history.acknowledge(serial, chatId);
    } catch (error) {
      if (error instanceof ConnectionClosed) return;
      if (!(error instanceof RequestRefused)) this.#link.run.fail(error);
      else if (certain.has(error.code)) history.refuse(serial);
      else history.leaveOpen(serial); // in binary the code is not told
    }
  }

  tick(): void {}

  close(): void {
    void this.#client.close();
  }

  cut(): void {
    this.#failed = true;
    this.#client.destroy();
  }

  pause(): void {
    const client = this.#client;
    if (client instanceof CometTcpClient) client.socket.pause();
    else if (client instanceof CometWebSocketClient) client.socket.pause();
  }

  resume(): void {
    const client = this.#client;
    if (client instanceof CometTcpClient) client.socket.resume();
    else if (client instanceof CometWebSocketClient) client.socket.resume();
  }

  #take({ group, from, to, chatId, text }: CometMessage): void {
    const { history } = this.#link.run;
    // A message of messaging is a whole object; the frame does not name string clients.
    const whole = text.startsWith('{') ? (JSON.parse(text) as MessagingMessage) : undefined;
    const receiver = group ? to : (whole?.rid ?? to);
    const conversation = this.#link.run.find(group, whole?.sid ?? from, receiver);
    const serial = decodeText(String(whole?.['text'] ?? text));
    history.receive(this.#connection, conversation, serial, chatId);
  }
}
