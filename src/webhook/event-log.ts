import type { HookCounters } from '../metrics/counters.ts';
import { isEventLog } from '../store/conversation.ts';
import { AT_END, type Append, type AppendResult } from '../store/store.ts';
import { RunBuilder } from '../wire/run-builder.ts';
import { Origin, PayloadKind, runLast } from '../wire/run.ts';
import { epochHigh, epochLow, eventLogs, eventRecord, writeMessagesRecord } from './event-record.ts';
import type { WebhookBounds } from './options.ts';

export interface EventLogOptions {
  readonly shard: number;
  /** When the server started, in ms since 1970: later ones are higher. */
  readonly epoch: number;
  readonly bounds: Pick<WebhookBounds, 'webhookPendingMax'>;
  readonly counters: HookCounters;
  readonly now: () => number;
  /** There is something to commit: soon, or when the store may take it again. */
  readonly wake: () => void;
  readonly wakeLater: () => void;
  /** Records up to this one are stored. */
  readonly onStored: (last: number) => void;
}

/** Two names of 128 characters, with what JSON makes of them, and the head. */
const SCRATCH_BYTES = 4_096;
const ARENA_BYTES = 65_536;
/** No operation: these frames are not sent to anyone. */
const OP_NONE = 0;

/**
 * The queue of a shard's webhooks is a conversation of its own in the log: what is committed in a
 * tick is told there in the same commit, so a message that is stored has its event, whatever
 * happens then. A record is written for a run, not for a message, and refers to it.
 */
export class EventLog {
  readonly #options: EventLogOptions;
  readonly #builder = new RunBuilder(ARENA_BYTES);
  readonly #scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  readonly #high: number;
  readonly #low: number;
  /** Events for the next commit. */
  #events: string[] = [];
  /** Events of the commits that are on their way, the oldest first. */
  readonly #open: { readonly append: Append; readonly events: readonly string[] }[] = [];

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#high = epochHigh(options.epoch);
    this.#low = epochLow(options.epoch);
  }

  get hasEvents(): boolean {
    return this.#events.length > 0;
  }

  /** The members of an event's JSON object but for `id`. It is committed at the end of the tick. */
  add(members: string): void {
    const { bounds, counters, wake } = this.#options;
    if (this.#events.length >= bounds.webhookPendingMax) {
      counters.recordsLost += 1; // the store has taken nothing for a long time
      return;
    }
    this.#events.push(members);
    wake();
  }

  /** What is to be appended beside these appends, in the same commit. There is something to tell. */
  appendFor(appends: readonly Append[]): Append {
    for (const { conversation, run } of appends) {
      if (isEventLog(conversation)) continue;
      const end = writeMessagesRecord(this.#scratch, conversation.key, run.first, run.count);
      this.#builder.add(OP_NONE, this.#high, this.#low, this.#scratch, 0, end);
    }
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    const append = this.#appendOf(events);
    this.#open.push({ append, events });
    return append;
  }

  /** The results of the oldest commit that is open, its own the last; none: it was not stored. */
  settle(results: readonly AppendResult[]): void {
    const { counters, onStored, wakeLater } = this.#options;
    const open = this.#open.shift();
    if (open === undefined) return;
    if (results.at(-1)?.ok === true) return onStored(runLast(open.append.run));
    // Only the memory store can take a part: when it is full of what must stay.
    counters.recordsLost += results.filter(({ ok }) => ok).length;
    if (open.events.length === 0) return;
    this.#events = [...open.events, ...this.#events];
    wakeLater();
  }

  /** An append of these events alone, to be stored together with the change that they tell of. */
  appendEvents(events: readonly string[]): Append {
    return this.#appendOf(events);
  }

  /** What `appendEvents` gave was stored. */
  stored({ run }: Append): void {
    this.#options.onStored(runLast(run));
  }

  #appendOf(events: readonly string[]): Append {
    for (const members of events) {
      const record = eventRecord(members);
      this.#builder.add(OP_NONE, this.#high, this.#low, record, 0, record.length);
    }
    const { shard, now } = this.#options;
    const run = this.#builder.finish(PayloadKind.bytes, Origin.comet, now());
    return { conversation: eventLogs[shard]!, expectedLast: AT_END, run };
  }
}
