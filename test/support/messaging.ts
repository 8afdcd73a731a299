import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { MessagingClient } from '../../src/client/index.ts';
import type { Id, MessagingMessage } from '../../src/client/index.ts';
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

let notes = 0;

/**
 * Everything that the client asked for before was handled by its user: a note to itself has come
 * back. Returns the messages that came before the note, which leaves the mailbox again.
 */
export async function settled(client: MessagingClient): Promise<MessagingMessage[]> {
  const id = `note-${(notes += 1)}`;
  client.sendSections({ send: [{ id, sid: client.clientId, rid: client.clientId }] });
  const before: MessagingMessage[] = [];
  for (;;) {
    const message = await client.nextMessage();
    if (message.id === id) break;
    before.push(message);
  }
  client.read({ id });
  return before;
}

/** The ids that a new connection is sent as unread, in order. It is closed again. */
export async function unreadIds(server: Target, clientId: Id, deviceId?: string): Promise<Id[]> {
  const client = await connectMessaging(server, clientId, deviceId === undefined ? {} : { deviceId });
  // The note is a conversation of its own, so it may come before what is being fed: asked twice.
  const messages = [...(await settled(client)), ...(await fed(client))];
  await client.close();
  return messages.map(({ id }) => id);
}

/** Waits for a condition that no event tells of. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, timeoutMs = 10_000): Promise<void> {
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
