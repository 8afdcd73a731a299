import { limits } from '../limits.ts';
import { counters } from '../metrics/counters.ts';
import type { ReadResult, Store } from '../store/store.ts';
import { runAfter, runLast, splitRun, type Run } from '../wire/run.ts';
import type { ConversationState } from './conversation-state.ts';
import type { Delivery } from './delivery.ts';
import type { Session } from './session.ts';

/** One conversation that a session catches up with. */
interface Source {
  readonly state: ConversationState;
  readonly delivery: Delivery;
  /** Everything up to here was read from the log. */
  after: number;
  /** Read, not sent; oldest first. */
  queue: Run[];
  reading: boolean;
}

/** What the feeder needs of the user's actor. */
export interface FeederHost {
  readonly store: Store;
  /** The newest committed number of a conversation as live traffic has it. */
  headOf(state: ConversationState): number;
  /** The parts of a run that this session is to get. */
  select(session: Session, state: ConversationState, delivery: Delivery, run: Run): Run[];
  /** To be answered by `Feeder.take` in a later turn. */
  onRead(key: string, reading: Promise<ReadResult>): void;
  /** The way to the gateway is full. */
  isFull(): boolean;
  /** To be answered by `written` once the gateway took in what was written. */
  onWritten(): void;
  /** The session has caught up with everything. */
  onDone(): void;
}

/**
 * Feeds a session from the log: what a user was not sent while away, and what a slow client could
 * not take. Conversations are merged by time, a step of limits.feedBytesMax at a time, each step
 * after the one before was written; so a backlog of any size needs little memory.
 */
export class Feeder {
  readonly #session: Session;
  readonly #host: FeederHost;
  readonly #sources = new Map<string, Source>();
  /** A step is being written. */
  #writing = false;

  constructor(session: Session, host: FeederHost) {
    this.#session = session;
    this.#host = host;
  }

  get isIdle(): boolean {
    return this.#sources.size === 0;
  }

  /** From here on the conversation's messages come from the log, after number `after`. */
  add(state: ConversationState, delivery: Delivery, after: number): void {
    delivery.behind = true;
    const { key } = state.conversation;
    if (this.#sources.has(key)) return;
    counters.feeds += 1;
    this.#sources.set(key, { state, delivery, after, queue: [], reading: false });
  }

  delete(key: string): void {
    if (this.#sources.delete(key) && this.isIdle) this.#host.onDone();
  }

  /** The session's client reads again, or a step was written. */
  written(): void {
    this.#writing = false;
    this.advance();
  }

  /** The answer to a read. Null: the log was not to be had; it is asked again by `advance`. */
  take(key: string, result: ReadResult | null): void {
    const source = this.#sources.get(key);
    if (source === undefined) return;
    source.reading = false;
    if (result === null) return;
    // Not beyond what live traffic has shown: who sent a message is known by then.
    const head = this.#host.headOf(source.state);
    for (const run of result.runs) {
      if (run.first > head) break;
      if (runLast(run) <= source.after) continue; // an answer from before the user left and joined again
      const rest = runAfter(run, source.after);
      const known = runLast(rest) > head ? splitRun(rest, head - rest.first + 1)[0] : rest;
      source.queue.push(...this.#host.select(this.#session, source.state, source.delivery, known));
      source.after = runLast(known);
    }
    // Messages that the store has given up cannot be fed: go on behind them.
    if ((result.runs[0]?.first ?? Infinity) > head)
      source.after = Math.max(source.after, Math.min(head, result.last));
    this.advance();
  }

  advance(): void {
    const session = this.#session;
    if (this.#writing || session.congested || session.closing !== undefined) return;
    if (this.isIdle) return;
    if (this.#host.isFull()) {
      this.#writing = true;
      this.#host.onWritten();
      return;
    }
    if (!this.#fill()) return;
    let bytes = 0;
    let messages = 0;
    while (bytes < limits.feedBytesMax && messages < limits.feedMessagesMax) {
      const source = this.#oldest();
      if (source === undefined) break;
      const run = source.queue.shift();
      if (run === undefined) break;
      session.push(run, source.delivery, runLast(run));
      bytes += run.bytes.length;
      messages += run.count;
      if (source.queue.length === 0 && !this.#finish(source)) break;
    }
    counters.fedMessages += messages;
    this.#writing = true;
    this.#host.onWritten();
  }

  /** Starts the reads that the next step needs; true when it can be taken. */
  #fill(): boolean {
    let open = 0;
    let ready = true;
    for (const source of this.#sources.values()) {
      if (open === limits.feedSourcesMax) break;
      if (source.queue.length === 0 && !source.reading && this.#finish(source)) continue;
      open += 1;
      if (source.queue.length > 0) continue;
      ready = false;
      if (source.reading) continue;
      source.reading = true;
      const { conversation } = source.state;
      // Many sources share the memory of a step between them.
      const bytesMax = Math.max(
        4_096,
        limits.feedBytesMax / Math.min(this.#sources.size, limits.feedSourcesMax),
      );
      const reading = this.#host.store.read(conversation, source.after, limits.feedMessagesMax, bytesMax);
      this.#host.onRead(conversation.key, reading);
    }
    return ready && !this.isIdle;
  }

  /** Goes live with a conversation when the log has nothing that live traffic will not bring. */
  #finish(source: Source): boolean {
    const { state, delivery } = source;
    if (source.after < this.#host.headOf(state)) return false;
    if (source.after > delivery.sent) delivery.pass(source.after);
    delivery.behind = false;
    delivery.own = undefined;
    this.#sources.delete(state.conversation.key);
    if (this.isIdle) this.#host.onDone();
    return true;
  }

  /** Among the open sources, the one whose next message is the oldest. */
  #oldest(): Source | undefined {
    let oldest: Source | undefined;
    let open = 0;
    for (const source of this.#sources.values()) {
      if (open++ === limits.feedSourcesMax) break;
      const time = source.queue[0]?.time;
      if (time === undefined) return undefined; // its next message might be the oldest: read first
      if (oldest === undefined || time < (oldest.queue[0]?.time ?? 0)) oldest = source;
    }
    return oldest;
  }
}
