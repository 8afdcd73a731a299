import type { HookCounters, HookLevels } from '../metrics/counters.ts';
import type { Logger } from 'pino';
import { limits } from '../limits.ts';
import { eventLogUsers } from '../store/conversation.ts';
import type { StoreEngine } from '../store/engine.ts';
import type { Cursor } from '../store/store.ts';
import type { UserId } from '../wire/user-id.ts';
import { epochAfter, readBatch } from './event-batch.ts';
import { EVENT_LOGS, eventLogs } from './event-record.ts';
import type { WebhookBounds } from './options.ts';
import type { Sender } from './sender.ts';

export interface DispatcherOptions {
  readonly shard: number;
  /** That of this run of the server: records of others are inherited. */
  readonly epoch: number;
  readonly engine: StoreEngine;
  readonly sender: Sender;
  readonly counters: HookCounters;
  readonly levels: HookLevels;
  readonly bounds: WebhookBounds;
  readonly logger: Logger;
  /** Asks the heir, shard 0. Rejects when it cannot be asked now. */
  readonly askInherited: () => Promise<readonly number[] | null>;
}

/** The shard that posts what earlier runs have left. */
const HEIR = 0;
/** So much of a full event log is given up at once. */
const GIVEN_UP = 0.1;

/**
 * Posts a shard's event log from where it stands. The log is the queue: a receiver that is down
 * costs disk, not memory. Order of each conversation over restarts, also with another number of
 * workers: what earlier runs have left, in whatever logs, is posted by shard 0, the older run first,
 * and before anything of this run.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** See WebhookPeer. */
  inherited: readonly number[] | null = null;
  /** The own log: its newest record, what is posted, and what can be removed. */
  #last = 0;
  #posted = 0;
  #removable = 0;
  #savedAt = -1;
  #ending = false;
  #more: (() => void) | undefined;
  #saveTimer: NodeJS.Timeout | undefined;
  #run: Promise<void> | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { shard, engine } = options;
    this.#last = engine.last(eventLogs[shard]!);
    const own = this.#cursor(eventLogUsers.writer, shard);
    this.#posted = own?.readTo ?? 0;
    this.#removable = own?.delivered ?? 0;
  }

  start(): void {
    this.#run = this.#dispatchSafely();
  }

  /** A log that cannot be read now is tried again. */
  async #dispatchSafely(): Promise<void> {
    const { sender, bounds, logger } = this.#options;
    for (;;) {
      try {
        return await this.#dispatch();
      } catch (error) {
        logger.error({ err: error }, 'the event log of webhooks cannot be read: it is tried again');
      }
      await sender.pause(bounds.webhookRetryMsMax);
      if (this.#ending) return;
    }
  }

  /** The own log has records up to this one. */
  onStored(last: number): void {
    const { bounds, counters, levels, logger } = this.#options;
    this.#last = Math.max(this.#last, last);
    levels.backlog = this.#last - Math.max(this.#posted, this.#removable);
    if (levels.backlog > bounds.webhookBacklogMax) {
      const kept = Math.floor(bounds.webhookBacklogMax * (1 - GIVEN_UP));
      const lost = this.#last - kept - Math.max(this.#posted, this.#removable);
      counters.recordsLost += lost;
      levels.backlog = kept;
      this.#removable = this.#last - kept;
      this.#saveSoon();
      logger.error({ lost }, 'the event log of webhooks is full: the oldest events are given up');
    }
    this.#more?.();
  }

  /** Posts what is there, within limits.webhookDrainMs, saves where it stands, and ends. */
  async stop(): Promise<void> {
    const { sender, bounds } = this.#options;
    this.#ending = true;
    sender.end();
    this.#more?.();
    const timer = setTimeout(() => sender.abort(), bounds.webhookDrainMs);
    await this.#run;
    clearTimeout(timer);
    clearTimeout(this.#saveTimer);
    this.#save();
  }

  async #dispatch(): Promise<void> {
    const { shard, engine, bounds } = this.#options;
    const positions = shard === HEIR ? await this.#postInherited() : await this.#askInherited();
    if (positions === undefined) return;
    this.inherited = positions;
    this.#advance(Math.max(this.#posted, positions[shard] ?? 0));
    const log = eventLogs[shard]!;
    for (;;) {
      const batch = readBatch(engine, log, this.#posted, this.#removable, bounds);
      if (batch === undefined) {
        if (this.#ending) return;
        await this.#moreOf();
      } else {
        if (!(await this.#options.sender.send(log.key, batch))) return;
        this.#advance(batch.last);
      }
    }
  }

  /** Resolves when there is more in the own log, and some time for more to join it. */
  async #moreOf(): Promise<void> {
    if (this.#last <= this.#posted) {
      await new Promise<void>((resolve) => {
        this.#more = resolve;
      });
      this.#more = undefined;
    }
    const { sender, bounds } = this.#options;
    await sender.pause(bounds.webhookBatchMs);
  }

  #advance(posted: number): void {
    const { levels } = this.#options;
    this.#posted = posted;
    this.#removable = Math.max(this.#removable, posted);
    levels.backlog = Math.max(0, this.#last - this.#removable);
    this.#saveSoon();
  }

  // What earlier runs have left

  /** Undefined: it ended before all was posted. */
  async #postInherited(): Promise<readonly number[] | undefined> {
    const { engine, sender, bounds } = this.#options;
    const positions = eventLogs.map((_log, shard) => this.#placeOf(shard, 'readTo'));
    for (;;) {
      const shard = this.#oldest(positions);
      if (shard === undefined) break;
      const log = eventLogs[shard]!;
      const batch = readBatch(engine, log, positions[shard]!, this.#placeOf(shard, 'delivered'), bounds);
      if (batch === undefined) break;
      if (!(await sender.send(log.key, batch))) return undefined;
      positions[shard] = batch.last;
      this.#saveCursor(eventLogUsers.heir, shard, batch.last, batch.last);
    }
    return positions;
  }

  /** The log whose next record is of the oldest run before this one. */
  #oldest(positions: readonly number[]): number | undefined {
    const { engine, epoch } = this.#options;
    let oldest: number | undefined;
    let oldestEpoch = epoch;
    for (let shard = 0; shard < EVENT_LOGS; shard++) {
      const next = epochAfter(engine, eventLogs[shard]!, positions[shard]!);
      if (next === undefined || next >= oldestEpoch) continue;
      oldest = shard;
      oldestEpoch = next;
    }
    return oldest;
  }

  async #askInherited(): Promise<readonly number[] | undefined> {
    const { askInherited, sender, bounds } = this.#options;
    while (!this.#ending) {
      const positions = await askInherited().catch(() => null); // it restarts, or is not linked yet
      if (positions !== null) return positions;
      await sender.pause(bounds.webhookPeerPollMs);
    }
    return undefined;
  }

  // Where it stands

  /** What is posted, or what can be removed, by both that write it. */
  #placeOf(shard: number, what: 'readTo' | 'delivered'): number {
    return Math.max(...Object.values(eventLogUsers).map((user) => this.#cursor(user, shard)?.[what] ?? 0));
  }

  #cursor(user: UserId, shard: number): Cursor | undefined {
    const { key } = eventLogs[shard]!;
    return this.#options.engine.user(user)?.cursors.find((cursor) => cursor.key === key);
  }

  /** Behind the truth: after a crash some events are posted again. */
  #saveSoon(): void {
    this.#saveTimer ??= setTimeout(() => {
      this.#saveTimer = undefined;
      this.#save();
    }, limits.cursorFlushMs);
  }

  #save(): void {
    if (this.#savedAt === this.#posted + this.#removable) return;
    this.#savedAt = this.#posted + this.#removable; // neither of them ever falls
    this.#saveCursor(eventLogUsers.writer, this.#options.shard, this.#posted, this.#removable);
  }

  #saveCursor(user: UserId, shard: number, readTo: number, delivered: number): void {
    const { engine, logger } = this.#options;
    const cursor = { key: eventLogs[shard]!.key, delivered, devices: {}, readTo, read: [] };
    const saved = engine.saveUser(user, { mailbox: false, devices: [], cursors: [cursor] });
    saved?.catch((error: unknown) => {
      this.#savedAt = -1;
      logger.warn({ err: error }, 'where webhooks stand could not be saved: later');
    });
  }
}
