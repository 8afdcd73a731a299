import { limits } from '../limits.ts';
import type { Conversation } from '../store/conversation.ts';
import type { Store } from '../store/store.ts';
import type { HistoryPage } from '../wire/history-reply.ts';
import { nextFrame, runAfter, runLast, splitRun, type Run } from '../wire/run.ts';

/** The messages that a page is taken from, both ends left out: after < chatId < before. */
export interface HistoryRange {
  readonly conversation: Conversation;
  readonly after: number;
  readonly before: number;
  readonly limit: number;
  readonly newestFirst: boolean;
}

type Log = Pick<Store, 'read'>;

/**
 * One page of a conversation, at most `limit` messages and about limits.historyBytesMax. What is
 * held while it is read is bounded by that and one read of the store.
 */
export function readPage(log: Log, range: HistoryRange): Promise<HistoryPage> {
  return range.newestFirst ? readNewest(log, range) : readOldest(log, range);
}

async function readOldest(log: Log, range: HistoryRange): Promise<HistoryPage> {
  const { conversation, before } = range;
  const page = new Page(range.limit);
  let at = range.after;
  for (;;) {
    const { runs, last } = await log.read(conversation, at, page.messages, page.bytes);
    const to = Math.min(before - 1, last);
    for (const run of runs) {
      const part = between(run, at, to);
      if (part === undefined) continue;
      const count = page.fitting(part);
      if (count > 0) page.add(count < part.count ? splitRun(part, count)[0] : part);
      if (count < part.count) return page.finish(last, true);
      at = runLast(part);
    }
    const isOver = at >= to || runs.length === 0 || (runs[0]?.first ?? 0) > to;
    if (isOver || page.isFull) return page.finish(last, !isOver);
  }
}

/** A log is read forward only, but its numbers are dense: windows of them, from the newest back. */
async function readNewest(log: Log, range: HistoryRange): Promise<HistoryPage> {
  const { conversation, after, before } = range;
  const page = new Page(range.limit);
  // Where it stands, and the oldest message that is kept.
  const { runs, last } = await log.read(conversation, after, 1, 1);
  const from = (runs[0]?.first ?? Infinity) - 1;
  let to = Math.min(before - 1, last);
  let window: number = limits.historyWindowMessages;
  while (to > from && !page.isFull) {
    const start = Math.max(from, to - Math.min(window, page.messages));
    const tail = await readTail(log, conversation, start, to);
    if (tail.length === 0) return page.finish(last, false); // given up by the store in between
    for (const message of singlesBackward(tail)) {
      if (page.fitting(message) === 0) return page.finish(last, true);
      page.add(message);
      to = message.first - 1;
    }
    window = Math.max(limits.historyWindowMessages, page.likelyRoom);
  }
  return page.finish(last, to > from);
}

/** Messages after `from` up to `to`; of more than a page has room for the newest, `to` among them. */
async function readTail(log: Log, conversation: Conversation, from: number, to: number): Promise<Run[]> {
  const tail: Run[] = [];
  let bytes = 0;
  for (let at = from; at < to;) {
    const { runs } = await log.read(conversation, at, to - at, limits.historyBytesMax);
    if (runs.length === 0) break;
    for (const run of runs) {
      const part = between(run, at, to);
      if (part === undefined) continue;
      tail.push(part);
      bytes += part.bytes.length;
      for (let oldest = tail[0]?.bytes.length ?? 0; bytes - oldest >= limits.historyBytesMax;) {
        bytes -= oldest;
        tail.shift();
        oldest = tail[0]?.bytes.length ?? Infinity;
      }
    }
    at = Math.max(at + 1, runLast(runs.at(-1) as Run));
  }
  return tail;
}

/** The messages of a run with from < chatId <= to; undefined if there are none. */
function between(run: Run, from: number, to: number): Run | undefined {
  if (runLast(run) <= from || run.first > to) return undefined;
  const part = runAfter(run, from);
  return runLast(part) <= to ? part : splitRun(part, to - part.first + 1)[0];
}

/** The messages of these runs, each as a run of its own, the newest first. */
function* singlesBackward(runs: readonly Run[]): Generator<Run> {
  for (let i = runs.length - 1; i >= 0; i--) {
    const singles: Run[] = [];
    for (let rest = runs[i]; rest !== undefined;) {
      const [message, behind]: readonly [Run, Run?] = rest.count > 1 ? splitRun(rest, 1) : [rest];
      singles.push(message);
      rest = behind;
    }
    while (singles.length > 0) yield singles.pop() as Run;
  }
}

/** A page that is being filled. */
class Page {
  /** Room that is left. */
  messages: number;
  bytes: number = limits.historyBytesMax;
  readonly #runs: Run[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.messages = limit;
  }

  get isFull(): boolean {
    return this.messages <= 0 || this.bytes <= 0;
  }

  /** How many more messages will fit, going by those that are here. */
  get likelyRoom(): number {
    const bytesEach = (limits.historyBytesMax - this.bytes) / (this.#limit - this.messages);
    return Math.floor(this.bytes / bytesEach);
  }

  /** How many of the first messages of a run there is room for; the first of all always fits. */
  fitting(run: Run): number {
    let count = 0;
    for (let at = 0; count < run.count && count < this.messages; count++) {
      at = nextFrame(run.bytes, at);
      if (at > this.bytes && (count > 0 || this.#runs.length > 0)) break;
    }
    return count;
  }

  add(run: Run): void {
    this.#runs.push(run);
    this.messages -= run.count;
    this.bytes -= run.bytes.length;
  }

  finish(last: number, more: boolean): HistoryPage {
    return { runs: this.#runs, last, more };
  }
}
