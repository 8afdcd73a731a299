import { numberRun, type Run } from '../../wire/run.ts';
import type { Conversation } from '../conversation.ts';
import { AT_END, type Append, type AppendResult } from '../store.ts';
import {
  packedEntryBytes,
  RECORD_HEAD_BYTES,
  runEntryBytes,
  writePackedEntry,
  writeRunEntry,
} from './journal-format.ts';
import type { MemTable, TailLog } from './memtable.ts';

const OK: AppendResult = { ok: true };

/** A tick's appends. */
export interface AppendRequest {
  readonly type: 'append';
  readonly batch: readonly Append[];
  /** Upper bound of the bytes that it takes in the journal. */
  readonly bytes: number;
  results: AppendResult[];
  readonly done: (results: readonly AppendResult[]) => void;
}

/** A change of a user or a group, packed. */
export interface ChangeRequest {
  readonly type: 'change';
  readonly entry: number;
  readonly packed: Buffer;
  readonly bytes: number;
  /** What is told of it at the end of an event log. */
  readonly event: Append | undefined;
  /** Called when it is committed. */
  readonly apply: (table: MemTable) => void;
  readonly done: (error: Error | null) => void;
}

export type WriteRequest = AppendRequest | ChangeRequest;

/** Room for the key of most conversations; what is longer is counted exactly. */
const KEY_BYTES = 10;

export function appendRequest(
  batch: readonly Append[],
  done: (results: readonly AppendResult[]) => void,
): AppendRequest {
  let bytes = 0;
  for (const append of batch) bytes += appendBytes(append);
  return { type: 'append', batch, bytes, results: [], done };
}

function appendBytes({ conversation, run }: Append): number {
  // A pair of mids or a group; names take up to four bytes for each character of the key.
  const keyBytes = conversation.key.startsWith('[') ? conversation.key.length * 4 : KEY_BYTES;
  return runEntryBytes(keyBytes, run.bytes.length);
}

export const changeRequest = (
  entry: number,
  packed: Buffer,
  apply: ChangeRequest['apply'],
  done: (error: Error | null) => void,
  event?: Append,
): ChangeRequest => ({
  type: 'change',
  entry,
  packed,
  bytes: packedEntryBytes(packed) + (event === undefined ? 0 : appendBytes(event)),
  event,
  apply,
  done,
});

/**
 * One record of the journal on its way: what is in it, and what becomes of it. Reads do not see a
 * message before its record is written: durable, then told.
 */
export class Commit {
  readonly #requests: readonly WriteRequest[];
  readonly #table: MemTable;
  readonly #lastOf: (conversation: Conversation) => number;
  /** Runs by place, in parallel. */
  readonly #logs: TailLog[] = [];
  readonly #runs: Run[] = [];
  readonly #offsets: number[] = [];

  constructor(
    table: MemTable,
    lastOf: (conversation: Conversation) => number,
    requests: readonly WriteRequest[],
  ) {
    this.#table = table;
    this.#lastOf = lastOf;
    this.#requests = requests;
  }

  /** Upper bound of the record's bytes. */
  get bytes(): number {
    return this.#requests.reduce((bytes, request) => bytes + request.bytes, RECORD_HEAD_BYTES);
  }

  /** Writes the entries behind the room for the record's head; returns where they end. */
  write(buf: Buffer, start: number): number {
    let at = start + RECORD_HEAD_BYTES;
    for (const request of this.#requests) {
      if (request.type === 'change') {
        writePackedEntry(buf, at, request.entry, request.packed);
        at += packedEntryBytes(request.packed);
        const { event } = request;
        if (event !== undefined) at = this.#writeRun(buf, at, event, this.#logOf(event));
        continue;
      }
      for (const append of request.batch) {
        const log = this.#logOf(append);
        if (append.expectedLast !== log.staged && append.expectedLast !== AT_END) {
          request.results.push({ ok: false, error: 'conflict', last: log.staged });
          continue;
        }
        at = this.#writeRun(buf, at, append, log);
        request.results.push(OK);
      }
    }
    return at;
  }

  #logOf({ conversation }: Append): TailLog {
    return this.#table.log(conversation, this.#lastOf);
  }

  /** Returns where the entry ends. */
  #writeRun(buf: Buffer, at: number, append: Append, log: TailLog): number {
    const { run, expectedLast } = append;
    // Only now is it known what stands in front of it: commits before this one may have failed.
    if (expectedLast === AT_END) numberRun(run, log.staged + 1);
    log.staged += run.count;
    this.#logs.push(log);
    this.#runs.push(run);
    this.#offsets.push(writeRunEntry(buf, at, log.key, append));
    return at + runEntryBytes(log.key.length, run.bytes.length);
  }

  /** The record is in the journal: it can be read, and its requests are answered. */
  succeed(block: number): void {
    for (let i = 0; i < this.#logs.length; i++) {
      const run = this.#runs[i] as Run;
      const offset = this.#offsets[i] as number;
      this.#table.addRun(this.#logs[i] as TailLog, run.first, run.count, run.time, block, offset);
    }
    for (const request of this.#requests) {
      if (request.type === 'append') request.done(request.results);
      else {
        request.apply(this.#table);
        request.done(null);
      }
    }
  }

  /** It is not: nothing of it was stored. */
  fail(error: Error): void {
    for (const log of this.#logs) log.staged = log.last;
    for (const request of this.#requests) {
      if (request.type === 'append') refuseAppends(request, (append) => this.#logOf(append).last);
      else request.done(error);
    }
  }
}

export function refuseAppends({ batch, done }: AppendRequest, lastOf: (append: Append) => number): void {
  done(batch.map((append) => ({ ok: false, error: 'storage_unavailable', last: lastOf(append) })));
}
