import { conversationOf, type Conversation } from '../store/conversation.ts';
import type { StoreEngine } from '../store/engine.ts';
import { nextFrame, runLast, type Run } from '../wire/run.ts';
import { logEvent, lostEvent, messageEvent, removedEvent } from './event-json.ts';
import { epochOf, readRecord, type MessagesRecord } from './event-record.ts';
import type { WebhookBounds } from './options.ts';

type BatchBounds = Pick<WebhookBounds, 'webhookBatchEventsMax' | 'webhookBatchBytesMax'>;

/** Events of consecutive records of an event log, as one request carries them. */
export interface EventBatch {
  /** JSON objects, separated by commas. May be empty: what records were of was never stored. */
  readonly text: string;
  readonly events: number;
  /** The record that it begins with, or what was lost before it does, and the one that it ends with. */
  readonly first: number;
  readonly last: number;
}

/** The epoch of the next record after `after`; undefined: there is none. */
export function epochAfter(engine: StoreEngine, log: Conversation, after: number): number | undefined {
  const [run] = engine.read(log, after, 1, 1).runs;
  return run && epochOf(run.bytes, 0);
}

/**
 * The events of the records after `after`, within the bounds but at least of one record, and all of
 * one epoch. Undefined when there is no record. Those up to `givenUp` are told as lost.
 */
export function readBatch(
  engine: StoreEngine,
  log: Conversation,
  after: number,
  givenUp: number,
  bounds: BatchBounds,
): EventBatch | undefined {
  const { webhookBatchEventsMax, webhookBatchBytesMax } = bounds;
  const from = Math.max(after, givenUp);
  const { runs, last } = engine.read(log, from, webhookBatchEventsMax, webhookBatchBytesMax);
  if (last <= after) return undefined;
  const batch = new BatchBuilder(engine, log, after, bounds);
  const [oldest] = runs;
  if (oldest === undefined) {
    batch.add(lostEvent(log.key, after + 1, last, 0)); // the memory store has none of them any more
    batch.last = last;
    return batch;
  }
  if (oldest.first > after + 1) batch.add(lostEvent(log.key, after + 1, oldest.first - 1, oldest.time));
  for (const run of runs) {
    if (!batch.addRun(run, epochOf(oldest.bytes, 0))) break;
  }
  return batch;
}

class BatchBuilder implements EventBatch {
  text = '';
  events = 0;
  readonly first: number;
  last: number;
  readonly #engine: StoreEngine;
  readonly #log: Conversation;
  readonly #bounds: BatchBounds;

  constructor(engine: StoreEngine, log: Conversation, after: number, bounds: BatchBounds) {
    this.#engine = engine;
    this.#log = log;
    this.#bounds = bounds;
    this.first = after + 1;
    this.last = after;
  }

  add(event: string): void {
    this.text += this.events === 0 ? event : `,${event}`;
    this.events += 1;
  }

  /** False when the batch ends before the end of the run. */
  addRun(run: Run, epoch: number): boolean {
    const { bytes } = run;
    for (let i = 0, at = 0; i < run.count; i++) {
      const next = nextFrame(bytes, at);
      const record = readRecord(bytes, at, next);
      if (epochOf(bytes, at) !== epoch || !this.#hasRoomFor(record)) return false;
      const number = run.first + i;
      if (typeof record === 'string') this.add(logEvent(this.#log.key, number, run.time, record));
      else this.#addMessages(record, run.time);
      this.last = number;
      at = next;
    }
    return true;
  }

  #hasRoomFor(record: MessagesRecord | string): boolean {
    if (this.events === 0) return true;
    const more = typeof record === 'string' ? 1 : record.count;
    const { webhookBatchEventsMax, webhookBatchBytesMax } = this.#bounds;
    return this.events + more <= webhookBatchEventsMax && this.text.length < webhookBatchBytesMax;
  }

  #addMessages({ key, first, count }: MessagesRecord, time: number): void {
    const conversation = conversationOf(key);
    const end = first + count;
    for (let next = first; next < end;) {
      const { runs, last } = this.#engine.read(conversation, next - 1, end - next, Infinity);
      // The store refused what the record is of: whoever got these numbers then has a record as well.
      if (last < next) return;
      for (const run of runs) {
        if (run.first > next) this.add(removedEvent(conversation, next, Math.min(run.first, end) - 1, time));
        this.#addRange(conversation, run, end);
        next = Math.max(next, runLast(run) + 1);
      }
      if (runs.length > 0) continue;
      this.add(removedEvent(conversation, next, end - 1, time));
      return;
    }
  }

  /** The messages of a run in front of number `end`. */
  #addRange(conversation: Conversation, run: Run, end: number): void {
    for (let i = 0, at = 0; i < run.count && run.first + i < end; i++) {
      this.add(messageEvent(conversation, run, at));
      at = nextFrame(run.bytes, at);
    }
  }
}
