import { limits } from '../../limits.ts';
import { eventLogUsers } from '../conversation.ts';
import type { Cursor } from '../store.ts';
import * as layout from './layout.ts';
import type { Tables } from './tables.ts';
import * as values from './values.ts';

/** What is kept of each conversation; a rule that is absent keeps everything. Not of event logs. */
export interface RetentionRules {
  /** Chunks whose newest message is older go. */
  readonly ageMs: number | undefined;
  /** So many of the newest messages stay. */
  readonly messages: number | undefined;
}

/** What was removed of conversations. Messages count as soon as they cannot be read any more. */
export interface Removed {
  messages: number;
  chunks: number;
  bytes: number;
}

/** What becomes of one conversation in a step. */
interface Trim {
  readonly key: Buffer;
  readonly record: values.ConversationRecord;
  readonly chunks: readonly Buffer[];
  /** Of the chunks. */
  readonly bytes: number;
  readonly floor: number;
  readonly isEventLog: boolean;
  /** There is more to remove: the next step goes on with this conversation. */
  readonly isPart: boolean;
}

/** How much of a step is left. */
class Budget {
  chunks: number = limits.retentionStepChunksMax;
  readonly #end = performance.now() + limits.retentionStepMsMax;

  get isTimeUp(): boolean {
    return performance.now() >= this.#end;
  }
}

/** With these only event logs are looked at. */
export const keepAll: RetentionRules = { ageMs: undefined, messages: undefined };

const isEventLog = (key: Buffer): boolean => key.compare(layout.eventLogsRange.start) >= 0;

/**
 * Removes old messages from the tables, a small step at a time, so that whoever shares the thread
 * never waits long. The record of a conversation stays, whatever is removed: numbers go on. In
 * between steps no chunk ends at or below the floor, and what is read begins above it. Of an event
 * log goes what was posted, and nothing else.
 */
export class Retention {
  readonly #tables: Tables;
  readonly #rules: RetentionRules;
  readonly #now: () => number;
  readonly #start: Buffer;
  /** Conversations with this key and higher ones are still to be looked at in this sweep. */
  #from: Buffer;

  constructor(tables: Tables, rules: RetentionRules, now: () => number = Date.now) {
    this.#tables = tables;
    this.#rules = rules;
    this.#now = now;
    const keepsAll = rules.ageMs === undefined && rules.messages === undefined;
    this.#start = keepsAll ? layout.eventLogsRange.start : layout.conversationsRange.start;
    this.#from = this.#start;
  }

  /** One step of a sweep over all conversations; true when it was the last one. Adds to `removed`. */
  step(removed: Removed): boolean {
    this.#tables.refresh();
    const trims: Trim[] = [];
    const next = this.#look(trims);
    if (trims.length > 0) this.#tables.db.transactionSync(() => this.#write(trims));
    for (const { record, floor, chunks, bytes, isEventLog: isOwn } of trims) {
      if (isOwn) continue;
      removed.messages += floor - record.floor;
      removed.chunks += chunks.length;
      removed.bytes += bytes;
    }
    this.#from = next ?? this.#start;
    return next === undefined;
  }

  /** Fills `trims`; returns where the next step goes on, if there is one. */
  #look(trims: Trim[]): Buffer | undefined {
    const budget = new Budget();
    const ageFloor = this.#rules.ageMs === undefined ? -Infinity : this.#now() - this.#rules.ageMs;
    const end = layout.conversationsRange.end;
    let looked = 0;
    for (const { key, value } of this.#tables.db.getRange({ start: this.#from, end })) {
      if (looked === limits.retentionStepConversationsMax) return key;
      if (looked > 0 && (budget.chunks === 0 || budget.isTimeUp)) return key;
      looked += 1;
      const trim = this.#plan(key, values.decodeConversation(value), ageFloor, budget);
      if (trim !== undefined) trims.push(trim);
      if (trim?.isPart === true) return key;
    }
    return undefined;
  }

  #plan(key: Buffer, record: values.ConversationRecord, ageFloor: number, budget: Budget): Trim | undefined {
    const conversation = key.subarray(1);
    const isOwn = isEventLog(key);
    if (isOwn) ageFloor = -Infinity;
    const kept = record.last - (this.#rules.messages ?? Infinity);
    const numberFloor = Math.max(record.floor, isOwn ? this.#posted(conversation, record) : kept);
    if (record.chunks === 0 || (numberFloor === record.floor && ageFloor === -Infinity)) return undefined;
    const range = {
      start: layout.chunkKey(conversation, record.floor + 1),
      end: layout.chunkKey(conversation, Number.MAX_SAFE_INTEGER),
    };
    const chunks: Buffer[] = [];
    let bytes = 0;
    let floor = record.floor;
    for (const { key: chunk, value } of this.#tables.db.getRange(range)) {
      const last = layout.chunkLast(chunk);
      if (last > numberFloor && values.chunkTime(value) >= ageFloor) break;
      if (chunks.length > 0 && (budget.chunks === 0 || budget.isTimeUp)) {
        return { key, record, chunks, bytes, floor, isEventLog: isOwn, isPart: true };
      }
      chunks.push(chunk);
      budget.chunks -= 1;
      bytes += value.length;
      floor = last;
    }
    floor = Math.max(floor, numberFloor);
    if (floor === record.floor) return undefined;
    return { key, record, chunks, bytes, floor, isEventLog: isOwn, isPart: false };
  }

  /** Up to where an event log is not needed any more. */
  #posted(log: Buffer, { last }: values.ConversationRecord): number {
    let posted = 0;
    for (const user of Object.values(eventLogUsers)) {
      const cursor = this.#tables.db.getBinary(layout.cursorKey(user, log));
      if (cursor !== undefined) posted = Math.max(posted, values.decodeCursor('', cursor).delivered);
    }
    return Math.min(last, posted);
  }

  #write(trims: readonly Trim[]): void {
    const { db } = this.#tables;
    for (const { key, record, chunks, bytes, floor } of trims) {
      for (const chunk of chunks) void db.remove(chunk);
      const left = {
        ...record,
        floor,
        bytes: record.bytes - bytes,
        chunks: record.chunks - chunks.length,
      };
      void db.put(key, values.encodeConversation(left));
    }
  }
}

/** A message that was removed cannot be read any more: it leaves no gap between those that were. */
export function cursorAbove(floor: number, cursor: Cursor): Cursor {
  if (floor <= cursor.readTo) return cursor;
  let readTo = floor;
  let at = 0;
  for (; at < cursor.read.length && (cursor.read[at] ?? 0) <= readTo + 1; at += 2) {
    readTo = Math.max(readTo, cursor.read[at + 1] ?? 0);
  }
  return { ...cursor, readTo, read: cursor.read.slice(at) };
}
