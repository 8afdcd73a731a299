import type { HookCounters } from '../metrics/counters.ts';
import type { Logger } from 'pino';
import { retryMs } from './backoff.ts';
import type { EventBatch } from './event-batch.ts';
import type { WebhookBounds } from './options.ts';
import type { Poster } from './poster.ts';

export interface SenderOptions {
  readonly poster: Poster;
  readonly counters: HookCounters;
  readonly logger: Logger;
  readonly bounds: WebhookBounds;
}

/**
 * Posts one batch of events after another, each until the receiver has answered for it with 2xx.
 * There is one in memory, whatever the receiver does: the rest is in the log.
 */
export class Sender {
  readonly #options: SenderOptions;
  readonly #abort = new AbortController();
  #ending = false;
  #isDown = false;
  #waiting: { readonly timer: NodeJS.Timeout; readonly resolve: () => void } | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** What fails from now on is not tried again. */
  end(): void {
    this.#ending = true;
    if (this.#waiting === undefined) return;
    clearTimeout(this.#waiting.timer);
    this.#waiting.resolve();
  }

  /** Ends what is under way as well. */
  abort(): void {
    this.end();
    this.#abort.abort();
  }

  /** True when the receiver has it; false when this ends before that. */
  async send(logKey: string, batch: EventBatch): Promise<boolean> {
    if (batch.events === 0) return true;
    const body = Buffer.from(`{"events":[${batch.text}]}`);
    const id = `${logKey}:${batch.first}-${batch.last}`;
    for (let failures = 0; ;) {
      const failure = await this.#post(id, body);
      this.#tellHealth(failure);
      const { counters, bounds } = this.#options;
      if (failure === undefined) {
        counters.eventsPosted += batch.events;
        counters.batchesPosted += 1;
        return true;
      }
      counters.postsFailed += 1;
      failures += 1;
      if (this.#ending) return false;
      await this.pause(retryMs(bounds, failures, Math.random()));
      if (this.#ending) return false;
    }
  }

  /** Until then, or until this ends. */
  pause(ms: number): Promise<void> {
    if (this.#ending) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#waiting = { timer, resolve };
    });
  }

  async #post(id: string, body: Buffer): Promise<string | undefined> {
    try {
      const { status } = await this.#options.poster.post(id, body, false, this.#abort.signal);
      return status >= 200 && status < 300 ? undefined : `status ${status}`;
    } catch (error) {
      return (error as Error).message;
    }
  }

  #tellHealth(failure: string | undefined): void {
    const isDown = failure !== undefined;
    if (isDown === this.#isDown) return;
    this.#isDown = isDown;
    const { logger } = this.#options;
    if (isDown) logger.warn({ failure }, 'the webhook does not take events: they are posted again');
    else logger.info('the webhook takes events again');
  }
}
