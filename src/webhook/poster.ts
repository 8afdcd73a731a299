import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { findTracer, traced } from '../tracing.ts';
import type { Signer } from './signature.ts';

export interface PosterOptions {
  readonly url: string;
  readonly signer: Signer;
  /** From the first byte to the last of what is waited for. */
  readonly timeoutMs: number;
  readonly replyBytesMax: number;
  /** Connections that are kept open. */
  readonly connectionsMax: number;
}

export interface Reply {
  readonly status: number;
  /** Undefined unless it was asked for. */
  readonly body: Buffer | undefined;
}

/**
 * Posts signed JSON over kept connections. No redirect is followed. Rejects with an Error that says
 * what went wrong: no connection, no answer in time, an answer that is too long.
 */
export class Poster {
  readonly #options: PosterOptions;
  readonly #url: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #tracer = findTracer();

  constructor(options: PosterOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    const settings = { keepAlive: true, maxSockets: options.connectionsMax };
    this.#agent = this.#url.protocol === 'https:' ? new HttpsAgent(settings) : new HttpAgent(settings);
  }

  /** `id` names the request: the same when it is posted again. */
  post(id: string, body: Buffer, wantsBody: boolean, signal?: AbortSignal): Promise<Reply> {
    const attributes = { 'http.request.method': 'POST', 'server.address': this.#url.hostname };
    return traced(this.#tracer, 'encke.post', attributes, () => this.#post(id, body, wantsBody, signal));
  }

  async #post(id: string, body: Buffer, wantsBody: boolean, signal?: AbortSignal): Promise<Reply> {
    try {
      return await this.#send(id, body, wantsBody, signal);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      // The other side had closed a kept connection before it saw the request.
      return this.#send(id, body, wantsBody, signal);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(id: string, body: Buffer, wantsBody: boolean, signal?: AbortSignal): Promise<Reply> {
    const { signer, timeoutMs } = this.#options;
    const url = this.#url;
    const begin = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const headers = {
      'content-type': 'application/json',
      'content-length': body.length,
      'user-agent': 'encke',
      ...signer.headers(id, body, Date.now()),
    };
    return new Promise((resolve, reject) => {
      const request = begin(url, { method: 'POST', agent: this.#agent, headers, ...(signal && { signal }) });
      const timer = setTimeout(() => {
        request.destroy(new Error(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      request.on('close', () => clearTimeout(timer));
      request.on('error', (error: NodeJS.ErrnoException) => {
        reject(request.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnection() : error);
      });
      request.on('response', (response) => {
        this.#read(response, wantsBody, resolve, reject);
      });
      request.end(body);
    });
  }

  #read(
    response: IncomingMessage,
    wantsBody: boolean,
    resolve: (reply: Reply) => void,
    reject: (error: Error) => void,
  ): void {
    const { replyBytesMax } = this.#options;
    const status = response.statusCode ?? 0;
    const parts: Buffer[] = [];
    let bytes = 0;
    // The status says it all: what follows is read so that the connection can be used again.
    if (!wantsBody) resolve({ status, body: undefined });
    response.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > replyBytesMax) response.destroy(new Error(`an answer of over ${replyBytesMax} bytes`));
      else if (wantsBody) parts.push(part);
    });
    response.on('error', reject);
    response.on('end', () => resolve({ status, body: Buffer.concat(parts) }));
  }
}

class StaleConnection extends Error {}
