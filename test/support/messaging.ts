import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { MessagingClient } from '../../src/client/index.ts';
import type { CometClient, Id, MessagingMessage } from '../../src/client/index.ts';
import { connectMessaging, type Target } from './clients.ts';
import type { Address } from './server.ts';

/** A messaging connection of which every text is kept, from the first on. */
export interface Watched {
  readonly client: MessagingClient;
  readonly texts: string[];
}

/** `query` is what follows `/messaging?`; `firstWords` go out as soon as the socket is open. */
export async function watchMessaging(
  server: Target,
  clientId: Id,
  query = `client_id=${encodeURIComponent(clientId)}`,
  firstWords?: Readonly<Record<string, unknown>>,
): Promise<Watched> {
  const { host, port } = server.httpAddress;
  const socket = new WebSocket(`ws://${host}:${port}/messaging?${query}`, { perMessageDeflate: false });
  const client = new MessagingClient(socket, { clientId, timeoutMs: 5_000 });
  const texts: string[] = [];
  socket.on('message', (data) => texts.push(String(data as Buffer)));
  if (firstWords !== undefined) socket.on('open', () => client.sendSections(firstWords));
  await once(socket, 'open');
  return { client, texts };
}

let marks = 0;

/**
 * Everything that the client asked for before was handled by its user, whatever it was: somebody has
 * written to it since. Returns the other messages that it got by then.
 */
export async function settled(server: Target, client: MessagingClient): Promise<MessagingMessage[]> {
  const peer = await connectMessaging(server, `peer-${(marks += 1)}`);
  client.send(peer.clientId, {}); // behind what the client asked for
  await peer.nextMessage();
  const messages = await drained(client, peer);
  await peer.close();
  return messages;
}

/**
 * What the client gets of these senders until nothing is left: each sends one more message, behind
 * everything else of its conversation. These are left out, and read.
 */
export async function drained(
  client: MessagingClient,
  ...senders: (MessagingClient | CometClient)[]
): Promise<MessagingMessage[]> {
  const open = new Set<string>();
  for (const sender of senders) {
    const mark = `mark-${(marks += 1)}`;
    open.add(mark);
    if (sender instanceof MessagingClient)
      sender.sendSections({ send: [{ id: mark, sid: sender.clientId, rid: client.clientId, text: mark }] });
    else await sender.send(Number(client.clientId), mark);
  }
  const messages: MessagingMessage[] = [];
  while (open.size > 0) {
    const message = await client.nextMessage();
    if (open.delete(String(message['text']))) client.read({ id: message.id });
    else messages.push(message);
  }
  return messages;
}

/** The unread messages of these senders, as a new connection gets them. It is closed again. */
export async function unreadOf(
  server: Target,
  clientId: Id,
  ...senders: (MessagingClient | CometClient)[]
): Promise<MessagingMessage[]> {
  const client = await connectMessaging(server, clientId);
  const messages = await drained(client, ...senders);
  await client.close();
  return messages;
}

export const idsOf = (messages: readonly MessagingMessage[]): Id[] => messages.map(({ id }) => id);

/** Waits for a condition that no event tells of. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Later messages have a later time: that of a message is in milliseconds. */
export async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await new Promise((resolve) => setImmediate(resolve));
}

/** Sends a request as it is written and reads until the server closes the socket. */
export async function rawHttp({ host, port }: Address, request: string): Promise<string> {
  const socket = connect(port, host);
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  socket.on('error', () => {});
  socket.write(request);
  await once(socket, 'close');
  return answer;
}

export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);

export const getRequest = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: encke\r\n\r\n`;

export const upgradeRequest = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: encke\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
