import type { HookCounters, HookLevels } from '../metrics/counters.ts';
import type { Logger } from 'pino';
import type { StoreEngine } from '../store/engine.ts';
import type { Append, AppendResult, GroupChange } from '../store/store.ts';
import type { UserId } from '../wire/user-id.ts';
import { Dispatcher } from './dispatcher.ts';
import { EventLog } from './event-log.ts';
import { EVENT_LOGS, eventLogs } from './event-record.ts';
import { groupEvents } from './group-events.ts';
import type { WebhookBounds } from './options.ts';
import { Poster } from './poster.ts';
import { Comings } from './comings.ts';
import { Sender } from './sender.ts';
import type { Signer } from './signature.ts';

export interface WebhooksOptions {
  readonly url: string;
  readonly signer: Signer;
  readonly shard: number;
  readonly shards: number;
  /** When the server started, in ms since 1970. */
  readonly epoch: number;
  readonly engine: StoreEngine;
  readonly counters: HookCounters;
  readonly levels: HookLevels;
  readonly bounds: WebhookBounds;
  readonly logger: Logger;
  readonly now: () => number;
  /** There are events to commit. */
  readonly wake: () => void;
  /** Asks shard 0. */
  readonly askInherited: () => Promise<readonly number[] | null>;
}

/** The webhooks of one shard: what happens is written into its event log, and posted from there. */
export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #log: EventLog;
  readonly #dispatcher: Dispatcher;
  readonly #poster: Poster;
  readonly #comings: Comings;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WebhooksOptions) {
    const { url, signer, shard, epoch, engine, counters, levels, bounds, logger, now, wake } = options;
    this.#options = options;
    this.#poster = new Poster({
      url,
      signer,
      timeoutMs: bounds.webhookTimeoutMs,
      replyBytesMax: bounds.webhookReplyBytesMax,
      connectionsMax: 1,
    });
    const sender = new Sender({ poster: this.#poster, counters, logger, bounds });
    const { askInherited } = options;
    this.#dispatcher = new Dispatcher({
      shard,
      epoch,
      engine,
      sender,
      counters,
      levels,
      bounds,
      logger,
      askInherited,
    });
    this.#log = new EventLog({
      shard,
      epoch,
      bounds,
      counters,
      now,
      wake,
      wakeLater: () => {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          wake();
        }, bounds.webhookRetryMs);
      },
      onStored: (last) => this.#dispatcher.onStored(last),
    });
    this.#comings = new Comings({ shard, bounds, now, add: (members) => this.#log.add(members) });
  }

  get inherited(): readonly number[] | null {
    return this.#dispatcher.inherited;
  }

  /** Before anybody is here. */
  start(): void {
    const { shard, shards, engine, now } = this.#options;
    // Whoever was told online by a thread that did not end well is not told offline by anyone else.
    for (let other = shard; other < EVENT_LOGS; other += shards) {
      if (engine.last(eventLogs[other]!) === 0) continue;
      this.#log.add(`"type":"restarted","shard":${other},"time":${now()}`);
    }
    this.#dispatcher.start();
  }

  /** Nothing happens any more. Tells who is gone, and posts what it can, before the engine is closed. */
  async stop(): Promise<void> {
    this.#comings.stop();
    clearTimeout(this.#timer);
    if (this.#log.hasEvents) {
      const { engine } = this.#options;
      const results = engine.append([this.#log.appendFor([])]);
      engine.flush();
      this.settle(await results);
    }
    await this.#dispatcher.stop();
    this.#poster.close();
  }

  // What the commits of a shard are told of

  get hasEvents(): boolean {
    return this.#log.hasEvents;
  }

  appendFor(appends: readonly Append[]): Append {
    return this.#log.appendFor(appends);
  }

  settle(results: readonly AppendResult[]): void {
    this.#log.settle(results);
  }

  // What groups and users tell

  /** To be stored with the change; undefined: nothing has changed. */
  groupChanged(group: number, change: GroupChange, created: boolean): Append | undefined {
    const { bounds, now } = this.#options;
    const events = groupEvents(group, change, created, now(), bounds.webhookGroupMembersMax);
    return events.length === 0 ? undefined : this.#log.appendEvents(events);
  }

  stored(event: Append): void {
    this.#log.stored(event);
  }

  came(user: UserId): void {
    this.#comings.came(user);
  }

  went(user: UserId): void {
    this.#comings.went(user);
  }
}
