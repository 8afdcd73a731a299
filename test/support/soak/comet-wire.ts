import {
  ConnectionClosed,
  CometTcpClient,
  CometWebSocketClient,
  RequestRefused,
} from '../../../src/client/index.ts';
import type { CometClient, CometMessage, MessagingMessage } from '../../../src/client/index.ts';
import { connectComet, type CometKind } from '../clients.ts';
import type { Acker } from './acker.ts';
import type { Link, LinkEnd, Wire } from './link.ts';
import { nameOf, type SoakConversation } from './plan.ts';
import type { Run } from './run.ts';
import { decodeText } from './text.ts';

/** Longer than the server's own time for a request: an answer that does not come is a fault. */
const timeoutMs = 45_000;
/** Codes that say that the message is not stored and will not be. */
/** Codes of an op 22 that may come at any time; `refused` is any code, in binary. */
const tellsNothing = new Set(['refused', 'unavailable', 'overloaded', 'internal_error']);
const certain = new Set(['not_member', 'no_such_group', 'overloaded']);

export interface CometPlace {
  readonly kind: CometKind;
  readonly device?: string | undefined;
  /** It acknowledges what it gets. */
  readonly acker?: Acker | undefined;
}

export async function openComet(
  link: Link,
  connection: number,
  { kind, device, acker }: CometPlace,
): Promise<Wire> {
  const { run, user } = link;
  const client = await connectComet(kind, run.server, Number(user.id), {
    timeoutMs,
    ...(device !== undefined && { device }),
    ...(acker !== undefined && { ack: true }),
  });
  return new CometWire(link, connection, client, acker);
}

/** Where a message belongs, and which one it is; -1: unknown. */
export function identify(
  run: Run,
  { group, from, to, text }: CometMessage,
): { conversation: number; serial: number } {
  // A message of messaging is a whole object; the frame does not name string clients.
  const whole = text.startsWith('{') ? (JSON.parse(text) as MessagingMessage) : undefined;
  const conversation = run.find(group, whole?.sid ?? from, group ? to : (whole?.rid ?? to));
  return { conversation, serial: decodeText(String(whole?.['text'] ?? text)) };
}

class CometWire implements Wire {
  readonly ended: Promise<LinkEnd>;
  readonly #link: Link;
  readonly #client: CometClient;
  readonly #connection: number;
  readonly #acker: Acker | undefined;
  #failed = false;
  #ended = false;

  constructor(link: Link, connection: number, client: CometClient, acker: Acker | undefined) {
    this.#acker = acker;
    this.#link = link;
    this.#client = client;
    this.#connection = connection;
    client.on('message', (message) => this.#take(message));
    if (client instanceof CometTcpClient) client.socket.on('error', () => (this.#failed = true));
    this.ended = client.closed.then(({ code }) => {
      this.#ended = true;
      // 1000: this side closed it, and read to the other's end unless that failed.
      return { code, clean: code !== 1006 && !(code === 1000 && this.#failed) };
    });
  }

  async send(serial: number, conversation: SoakConversation, text: string): Promise<void> {
    const { gid, users } = conversation;
    const client = this.#client;
    const { history } = this.#link.run;
    try {
      const other = users.find((user) => user !== this.#link.user);
      const chatId = await (gid !== 0 ? client.sendToGroup(gid, text) : client.send(Number(other?.id), text));
      history.acknowledge(serial, chatId);
      this.#acker?.sent(conversation.index, chatId);
    } catch (error) {
      if (error instanceof ConnectionClosed) return;
      if (!(error instanceof RequestRefused)) this.#link.run.fail(error);
      else if (certain.has(error.code)) history.refuse(serial);
      else history.leaveOpen(serial); // in binary the code is not told
    }
  }

  tick(): void {
    if (this.#ended) return;
    for (const { conversation, number } of this.#acker?.due(this.#link.run.random) ?? [])
      void this.#acknowledge(this.#link.run.conversation(conversation), number);
  }

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

  #take(message: CometMessage): void {
    const { run } = this.#link;
    const { conversation, serial } = identify(run, message);
    run.history.receive(this.#connection, conversation, serial, message.chatId);
    this.#acker?.received(conversation, message.chatId);
  }

  async #acknowledge(conversation: SoakConversation, number: number): Promise<void> {
    const { run, user, name } = this.#link;
    const { index, churning } = conversation;
    run.history.acked(this.#connection, index, number);
    try {
      const stands = await this.#client.acknowledge(nameOf(conversation, user), number);
      run.history.ackAnswered(this.#connection, index, number, stands);
    } catch (error) {
      if (error instanceof ConnectionClosed) return;
      if (!(error instanceof RequestRefused)) return run.fail(error);
      if (tellsNothing.has(error.code) || (error.code === 'not_member' && churning.includes(user))) return;
      const { facts, conversations } = run.history;
      facts.add(
        'wrong',
        () => `${name} of ${user.id}: op 22 of ${conversations[index]?.name}: ${error.code}`,
      );
    }
  }
}
