import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Authenticator, AuthResult, Credentials } from '../../src/auth/auth.ts';

export const secret = 'a-secret-that-only-tests-know-0123456789';
export const otherSecret = 'another-secret-that-nobody-knows-0123456789';

const remoteAddress = '203.0.113.9';

export const comet = (mid: number, mkey: string): Credentials => ({
  protocol: 'comet',
  mid,
  mkey,
  remoteAddress,
});

export const messaging = (clientId: string, token?: string): Credentials => ({
  protocol: 'messaging',
  clientId,
  remoteAddress,
  ...(token !== undefined && { token }),
});

/** What a provider says; a rejection is the refusal that the gateway makes of it. */
export async function ask(
  provider: Authenticator,
  credentials: Credentials,
  signal = AbortSignal.timeout(10_000),
): Promise<AuthResult | { readonly ok: false; readonly failure: string }> {
  try {
    return await provider.authenticate(credentials, signal);
  } catch (error) {
    return { ok: false, failure: (error as Error).message };
  }
}

/** Seconds since 1970, so many from now. */
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

/** A token as docs/auth.md says it, written down a second time. */
export function signed(user: number | string, head: string | number, key = secret): string {
  return `${head}.${createHmac('sha256', key).update(`${head}:${user}`).digest('hex')}`;
}

export interface Service {
  readonly url: string;
  /** How many requests have come. */
  readonly count: number;
  /** What it does with a request from now on. */
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;
  close(): Promise<void>;
}

/** A real HTTP server on a free port of this machine. */
export async function startService(answer: Service['answer']): Promise<Service> {
  let count = 0;
  const server: Server = createServer((request, response) => {
    count += 1;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => service.answer(request, response, String(Buffer.concat(chunks))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const service = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth`,
    get count() {
      return count;
    },
    answer,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return service;
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
