import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { until } from './messaging.ts';

export interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type WebhookEvent = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };

/** What is done with a request: a status, or anything with the response. */
export type Answer = (
  received: Received,
  response: ServerResponse,
) => number | undefined | Promise<number | undefined>;

const ok: Answer = () => 200;

/** The receiver of webhooks in this process: a real HTTP server that keeps every request. */
export class Receiver {
  readonly requests: Received[] = [];
  /** Events of requests that were answered with 200, in order, repeated ones too. */
  readonly taken: WebhookEvent[] = [];
  answer: Answer = ok;
  port = 0;
  #server: Server | undefined;

  static async start(t: TestContext): Promise<Receiver> {
    const receiver = new Receiver();
    await receiver.open();
    t.after(() => receiver.close());
    return receiver;
  }

  /** On the same port as before, if there was one. */
  async open(): Promise<void> {
    const server = (this.#server = createServer((request, response) => {
      void this.#take(request, response);
    }));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** Those that came at least once, in the order of their first coming. */
  get events(): WebhookEvent[] {
    const seen = new Set<string>();
    return this.taken.filter(({ id }) => !seen.has(id) && seen.add(id));
  }

  eventsOf(type: string): WebhookEvent[] {
    return this.events.filter((event) => event.type === type);
  }

  /** Waits for so many different events of a type. */
  async waitFor(type: string, count: number, timeoutMs = 15_000): Promise<WebhookEvent[]> {
    await until(() => this.eventsOf(type).length >= count, `${count} events ${type}`, timeoutMs);
    return this.eventsOf(type);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request.setEncoding('utf8')) body += part as string;
    const received = { headers: request.headers, body };
    this.requests.push(received);
    const status = await this.answer(received, response);
    if (status === undefined || response.destroyed) return;
    if (status === 200) this.taken.push(...((JSON.parse(body) as { events?: WebhookEvent[] }).events ?? []));
    response.writeHead(status).end();
  }
}

/** The signature that a secret gives a request, as docs/webhooks.md says. */
export function signatureOf({ headers, body }: Received, secret: string): string {
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  return `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`;
}
