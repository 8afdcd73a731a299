import type { Conversation } from '../../src/store/conversation.ts';
import type { ReadResult, Store } from '../../src/store/store.ts';
import { ConversationState } from '../../src/user/conversation-state.ts';
import type { Delivery } from '../../src/user/delivery.ts';
import { Feeder, type FeederHost } from '../../src/user/feeder.ts';
import type { Session } from '../../src/user/session.ts';
import { numberRun, runLast, splitRun, type Run } from '../../src/wire/run.ts';
import { engineOn, Keeper, messagesOf } from './engine.ts';
import { textRun } from './runs.ts';
import { FakeShard, sessionOf } from './sessions.ts';

interface Reading {
  readonly key: string;
  readonly result: ReadResult;
}

/** One session with its feeder on a real memory log; reads and writes are done when the test says. */
export class Feeding implements FeederHost {
  readonly session: Session = sessionOf(new FakeShard(), 1);
  readonly feeder = new Feeder(this.session, this);
  /** Reads that were asked for and not answered, as the log stood then. */
  readonly readings: Reading[] = [];
  /** Texts of what the client got, a list for each write. */
  readonly writes: string[][] = [];
  waitsForWrite = false;
  done = 0;
  full = false;
  readonly #states = new Map<string, ConversationState>();
  readonly #engine;
  #now = 0;

  constructor(bytesMax?: number) {
    this.#engine = engineOn(new Keeper(), 1024, bytesMax);
  }

  get store(): Store {
    const read: Store['read'] = (conversation, ...bounds) => {
      const { key } = conversation;
      this.readings.push({ key, result: this.#engine.read(conversation, ...bounds) });
      return new Promise(() => undefined); // the test answers
    };
    return { read } as Store;
  }

  headOf(state: ConversationState): number {
    return state.head;
  }

  select(_session: Session, _state: ConversationState, delivery: Delivery, run: Run): Run[] {
    const selected: Run[] = [];
    for (let rest: Run | undefined = run; rest !== undefined;) {
      const [message, next]: readonly [Run, Run?] = rest.count > 1 ? splitRun(rest, 1) : [rest];
      if (delivery.own?.has(message.first) !== true) selected.push(message);
      rest = next;
    }
    return selected.length === run.count ? [run] : selected;
  }

  onRead(): void {
    // `answer` does it.
  }

  isFull(): boolean {
    return this.full;
  }

  onWritten(): void {
    this.waitsForWrite = true;
  }

  onDone(): void {
    this.done += 1;
  }

  state(conversation: Conversation): ConversationState {
    let state = this.#states.get(conversation.key);
    if (state === undefined) {
      state = new ConversationState(conversation, undefined, 0);
      this.#states.set(conversation.key, state);
    }
    return state;
  }

  delivery(conversation: Conversation): Delivery {
    return this.session.delivery(conversation, 0);
  }

  /** Puts a run of these texts into the log, unseen by live traffic. */
  storeUnseen(conversation: Conversation, texts: readonly string[], time = (this.#now += 1)): Run {
    const expectedLast = this.#engine.last(conversation);
    const run = { ...textRun(...texts), time };
    numberRun(run, expectedLast + 1);
    const [result] = this.#engine.append([{ conversation, expectedLast, run }]);
    if (result?.ok !== true) throw new Error('the log is full');
    return run;
  }

  /** Stored and committed as the user's actor sees it. */
  commit(conversation: Conversation, texts: readonly string[], time?: number): Run {
    const run = this.storeUnseen(conversation, texts, time);
    this.state(conversation).head = runLast(run);
    return run;
  }

  /** Feeds the session from message `after` on. */
  feed(conversation: Conversation, after = 0): void {
    this.feeder.add(this.state(conversation), this.delivery(conversation), after);
  }

  /** Answers the oldest read (or another one). */
  answer(index = 0): void {
    const [reading] = this.readings.splice(index, 1);
    if (reading !== undefined) this.feeder.take(reading.key, reading.result);
  }

  answerAll(): void {
    while (this.readings.length > 0) this.answer();
  }

  /** The outbox: what is to be written is written. */
  flush(): void {
    const { session } = this;
    if (session.runs.length > 0) {
      session.writes += 1;
      this.writes.push(messagesOf(session.runs).map(([, text]) => text));
    }
    session.runs = [];
    session.runBytes = 0;
  }

  /** Written, and taken in by the gateway. */
  written(): void {
    this.flush();
    if (!this.waitsForWrite) return;
    this.waitsForWrite = false;
    this.feeder.written();
  }

  /** Until nothing is asked for and nothing to be written. */
  settle(): void {
    for (
      let i = 0;
      i < 10_000 && (this.readings.length > 0 || this.waitsForWrite || this.session.runs.length > 0);
      i++
    ) {
      this.answerAll();
      this.written();
    }
  }
}
