import type { Connection } from './connection.ts';

/** Decides when which connection sends. Its turns come after everything that is readable was read. */
export interface Pacer {
  start(): void;
  /** A message of this sender was delivered to one receiver. */
  delivered(sender: Connection): void;
  /** A message of this sender will not be delivered. */
  refused(sender: Connection): void;
  stop(): void;
}

/** Calls `run` once after this round of reads, however often it is asked to. */
class Turn {
  #asked = false;
  #stopped = false;
  readonly #run: () => void;

  constructor(run: () => void) {
    this.#run = () => {
      this.#asked = false;
      if (!this.#stopped) run();
    };
  }

  soon(): void {
    if (this.#asked) return;
    this.#asked = true;
    setImmediate(this.#run);
  }

  stop(): void {
    this.#stopped = true;
  }
}

/** Every sender has `window` messages on their way. */
export class PairsPacer implements Pacer {
  readonly #senders: readonly Connection[];
  readonly #window: number;
  #owing = new Set<Connection>();
  readonly #turn = new Turn(() => this.#send());

  constructor(senders: readonly Connection[], window: number) {
    this.#senders = senders;
    this.#window = window;
  }

  start(): void {
    this.#owing = new Set(this.#senders);
    this.#turn.soon();
  }

  delivered(sender: Connection): void {
    sender.inFlight -= 1;
    this.#owing.add(sender);
    this.#turn.soon();
  }

  refused(sender: Connection): void {
    this.delivered(sender);
  }

  stop(): void {
    this.#turn.stop();
  }

  #send(): void {
    for (const sender of this.#owing) sender.publish(this.#window - sender.inFlight);
    this.#owing.clear();
  }
}

/** One sender; `window` times the receivers is what may be undelivered. */
export class FanoutPacer implements Pacer {
  readonly #publisher: Connection;
  readonly #receivers: number;
  readonly #window: number;
  #delivered = 0;
  readonly #turn = new Turn(() => this.#send());

  constructor(publisher: Connection, receivers: number, window: number) {
    this.#publisher = publisher;
    this.#receivers = receivers;
    this.#window = window;
  }

  start(): void {
    this.#turn.soon();
  }

  delivered(): void {
    this.#delivered += 1;
    this.#turn.soon();
  }

  refused(): void {
    this.#delivered += this.#receivers;
    this.#turn.soon();
  }

  stop(): void {
    this.#turn.stop();
  }

  #send(): void {
    const undelivered = this.#publisher.sent * this.#receivers - this.#delivered;
    const room = this.#window - Math.floor(undelivered / this.#receivers);
    if (room > 0) this.#publisher.publish(Math.min(room, this.#window));
  }
}

/** What is late by more, because the generator was held up, is left out. */
const LATE_MS_MAX = 1_000;

/**
 * The senders take turns, so that together they send `rate` messages a second, `burst` at once. A turn
 * is left out while the sender's socket does not take what it has.
 */
export class RatePacer implements Pacer {
  readonly #senders: readonly Connection[];
  readonly #burstsPerMs: number;
  readonly #burst: number;
  #startMs = 0;
  #bursts = 0;
  readonly #turn = new Turn(() => this.#send());
  #timer: NodeJS.Timeout | undefined;

  constructor(senders: readonly Connection[], rate: number, burst: number) {
    this.#senders = senders;
    this.#burstsPerMs = rate / burst / 1_000;
    this.#burst = burst;
  }

  start(): void {
    this.#startMs = performance.now();
    this.#timer = setInterval(() => this.#send(), 1);
  }

  /** Also after each round of reads: the finer the steps, the less comes at once. */
  delivered(): void {
    this.#turn.soon();
  }

  refused(): void {}

  stop(): void {
    clearInterval(this.#timer);
    this.#turn.stop();
  }

  #send(): void {
    const due = Math.floor((performance.now() - this.#startMs) * this.#burstsPerMs);
    this.#bursts = Math.max(this.#bursts, due - Math.ceil(LATE_MS_MAX * this.#burstsPerMs));
    for (; this.#bursts < due; this.#bursts++) {
      const sender = this.#senders[this.#bursts % this.#senders.length]!;
      if (!sender.isCongested) sender.publish(this.#burst);
    }
  }
}
