import type { Run } from '../../wire/run.ts';
import type { Conversation } from '../conversation.ts';
import type { Append, AppendResult, GroupChange } from '../store.ts';
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
  /** Applied when it is committed; a user's change is readable before. */
  readonly group: { readonly group: number; readonly change: GroupChange } | undefined;
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
  for (const { conversation, run } of batch) {
    // A pair of mids or a group; names take up to four bytes for each character of the key.
    const keyBytes = conversation.key.startsWith('[') ? conversation.key.length * 4 : KEY_BYTES;
    bytes += runEntryBytes(keyBytes, run.bytes.length);
  }
  return { type: 'append', batch, bytes, results: [], done };
}

export const changeRequest = (
  entry: number,
  packed: Buffer,
  group: ChangeRequest['group'],
  done: (error: Error | null) => void,
): ChangeRequest => ({
  type: 'change',
  entry,
  packed,
  bytes: packedEntryBytes(packed),
  group,
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
        at += request.bytes;
        continue;
      }
      for (const append of request.batch) {
        const log = this.#table.log(append.conversation, this.#lastOf);
        if (append.expectedLast !== log.staged) {
          request.results.push({ ok: false, error: 'conflict', last: log.staged });
          continue;
        }
        const { run } = append;
        log.staged += run.count;
        this.#logs.push(log);
        this.#runs.push(run);
        this.#offsets.push(writeRunEntry(buf, at, log.key, append));
        at += runEntryBytes(log.key.length, run.bytes.length);
        request.results.push(OK);
      }
    }
    return at;
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
        const { group } = request;
        if (group !== undefined) this.#table.changeGroup(group.group, group.change);
        request.done(null);
      }
    }
  }

  /** It is not: nothing of it was stored. */
  fail(error: Error): void {
    for (const log of this.#logs) log.staged = log.last;
    for (const request of this.#requests) {
      if (request.type === 'append')
        refuseAppends(request, ({ conversation }) => this.#table.log(conversation, this.#lastOf).last);
      else request.done(error);
    }
  }
}

export function refuseAppends({ batch, done }: AppendRequest, lastOf: (append: Append) => number): void {
  done(batch.map((append) => ({ ok: false, error: 'storage_unavailable', last: lastOf(append) })));
}
