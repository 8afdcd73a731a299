import { createHistogram } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { Codec } from '../codecs/codec.ts';
import { Checker } from './checker.ts';
import { Connection, type ConnectionEvents } from './connection.ts';
import type { Figures, Job, JobResult, MemorySample } from './job.ts';
import { FanoutPacer, type Pacer, PairsPacer, RatePacer } from './pacers.ts';
import { cpuMicrosOf, ownBytesOf, residentBytesOf } from './process-stats.ts';

/** Connections that are not authenticated yet. */
const CONNECTING_MAX = 64;
const CONNECT_MS_MAX = 60_000;
const QUIET_MS = 300;
const DRAIN_MS_MAX = 10_000;
const DRAIN_STEP_MS = 5;
/** In fan-out one of so many deliveries is timed; in pairs each. */
const FANOUT_SAMPLE = 16;
const MB = 1 << 20;

interface Mark {
  readonly atMs: number;
  readonly deliveries: number;
  readonly serverMicros: number;
  readonly own: NodeJS.CpuUsage;
}

/** Connects, sends, counts and checks, for one job. */
export class Load implements ConnectionEvents {
  readonly #job: Job;
  readonly #codec: Codec;
  readonly #fanout: boolean;
  readonly #connections: Connection[] = [];
  readonly #checker: Checker;
  readonly #latency = createHistogram();
  readonly #samples: MemorySample[] = [];
  #fail: (error: Error) => void = () => {};
  #becomeReady: () => void = () => {};
  #pacer: Pacer | undefined;
  #ready = 0;
  #measuring = false;
  #deliveries = 0;
  #replies = 0;
  #refused = 0;

  constructor(job: Job, codec: Codec) {
    this.#job = job;
    this.#codec = codec;
    this.#fanout = job.mode === 'fanout';
    this.#checker = new Checker(job.connections);
  }

  /** Rejects when a connection is lost, or not all of them come to be. */
  run(): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#run().then(resolve, reject);
    });
  }

  ready(): void {
    this.#ready += 1;
    if (this.#connections.length < this.#total) this.#connect();
    else if (this.#ready === this.#total) this.#becomeReady();
  }

  message(connection: Connection, buf: Buffer, at: number, micros: number): void {
    if (!connection.receives) return; // a publisher that is in its group
    const { head } = this.#codec;
    const receiver = connection.id - 1;
    const partner = this.#sender(receiver);
    this.#checker.got(receiver, partner.id, head.sender(buf, at), head.seq(buf, at));
    this.#deliveries += 1;
    if (this.#measuring && (!this.#fanout || this.#deliveries % FANOUT_SAMPLE === 0))
      this.#latency.record(Math.max(1, (micros - head.micros(buf, at)) >>> 0));
    this.#pacer?.delivered(partner);
  }

  reply(connection: Connection, taken: boolean): void {
    this.#replies += 1;
    if (taken) return;
    this.#refused += 1;
    this.#pacer?.refused(connection);
  }

  failed({ id }: Connection, why: string): void {
    this.#fail(new Error(`connection ${id} of ${this.#total} (${this.#ready} are ready): ${why}`));
  }

  get #total(): number {
    return this.#job.connections + (this.#fanout ? 1 : 0);
  }

  /** Who writes to a receiver. */
  #sender(receiver: number): Connection {
    return this.#connections[this.#fanout ? this.#job.connections : receiver ^ 1]!;
  }

  async #run(): Promise<JobResult> {
    const { pids, mode, warmUpMs, seconds, sampleMs } = this.#job;
    const residentBefore = residentBytesOf(pids);
    const start = this.#mark();
    await this.#connectAll();
    const connected = this.#mark();
    if (mode === 'idle') {
      await pause(seconds * 1_000);
      return this.#result(this.#idleFigures(start, connected, residentBefore));
    }
    await pause(QUIET_MS);
    this.#pacer = this.#makePacer();
    this.#pacer.start();
    await pause(warmUpMs);
    const before = this.#mark();
    const sampling = sampleMs > 0 ? setInterval(() => this.#sample(before.atMs), sampleMs) : undefined;
    this.#measuring = true;
    await pause(seconds * 1_000);
    this.#measuring = false;
    const after = this.#mark();
    const residentMb = residentBytesOf(pids) / MB;
    clearInterval(sampling);
    this.#pacer.stop();
    await this.#drain();
    return this.#result({ ...this.#loadFigures(before, after), residentMb, ...this.#faults() });
  }

  async #connectAll(): Promise<void> {
    const late = setTimeout(() => this.#fail(new Error(this.#notReady())), CONNECT_MS_MAX);
    await new Promise<void>((resolve) => {
      this.#becomeReady = resolve;
      for (let n = 0; n < Math.min(CONNECTING_MAX, this.#total); n++) this.#connect();
    });
    clearTimeout(late);
  }

  #connect(): void {
    const { connections, port } = this.#job;
    const id = this.#connections.length + 1;
    this.#connections.push(new Connection(port, id, id <= connections, this.#codec, this));
  }

  #notReady(): string {
    return `only ${this.#ready} of ${this.#total} connections became ready in ${CONNECT_MS_MAX} ms`;
  }

  #makePacer(): Pacer {
    const { rate, burst, window, size, connections } = this.#job;
    const senders = this.#fanout ? this.#connections.slice(connections) : this.#connections;
    for (const sender of senders) sender.prepare(((sender.id - 1) ^ 1) + 1, size, rate > 0 ? burst : window);
    if (rate > 0) return new RatePacer(senders, rate, burst);
    return this.#fanout ? new FanoutPacer(senders[0]!, connections, window) : new PairsPacer(senders, window);
  }

  #mark(): Mark {
    return {
      atMs: performance.now(),
      deliveries: this.#deliveries,
      serverMicros: cpuMicrosOf(this.#job.pids),
      own: process.cpuUsage(),
    };
  }

  #sample(startMs: number): void {
    const { pids } = this.#job;
    this.#samples.push({
      seconds: (performance.now() - startMs) / 1_000,
      residentMb: residentBytesOf(pids) / MB,
      ownMb: ownBytesOf(pids) / MB,
    });
  }

  /** Waits until all that was sent has been delivered, and answered; not for ever. */
  async #drain(): Promise<void> {
    const endMs = performance.now() + DRAIN_MS_MAX;
    while (performance.now() < endMs && !this.#isDrained()) await pause(DRAIN_STEP_MS);
  }

  #isDrained(): boolean {
    const each = this.#fanout ? this.#job.connections : 1;
    const delivered = this.#deliveries >= (this.#sent() - this.#refused) * each;
    return delivered && (!this.#codec.replies || this.#replies >= this.#sent());
  }

  #sent(): number {
    return this.#connections.reduce((sum, { sent }) => sum + sent, 0);
  }

  #faults(): Figures {
    const faults = this.#checker.faults((receiver) => this.#sender(receiver).sent);
    const refusedDeliveries = this.#refused * (this.#fanout ? this.#job.connections : 1);
    return {
      ...faults,
      missing: Math.max(0, faults.missing - refusedDeliveries),
      refused: this.#refused,
      unanswered: this.#codec.replies ? this.#sent() - this.#replies : 0,
    };
  }

  #loadFigures(before: Mark, after: Mark): Figures {
    const seconds = (after.atMs - before.atMs) / 1_000;
    const deliveries = after.deliveries - before.deliveries;
    const serverMicros = after.serverMicros - before.serverMicros;
    const ms = (percentile: number): number => this.#latency.percentile(percentile) / 1_000;
    return {
      deliveriesPerSecond: deliveries / seconds,
      cpuMicros: serverMicros / deliveries,
      serverCores: serverMicros / seconds / 1e6,
      generatorCores: ownCores(before, after),
      p50Ms: ms(50),
      p99Ms: ms(99),
      p999Ms: ms(99.9),
    };
  }

  #idleFigures(start: Mark, connected: Mark, residentBefore: number): Figures {
    const { pids } = this.#job;
    const resident = residentBytesOf(pids);
    return {
      connectsPerSecond: (this.#total / (connected.atMs - start.atMs)) * 1_000,
      connectMicros: (connected.serverMicros - start.serverMicros) / this.#total,
      connectionKb: (resident - residentBefore) / 1_024 / this.#total,
      residentMb: resident / MB,
      generatorCores: ownCores(start, connected),
    };
  }

  #result(figures: Figures): JobResult {
    return { figures, samples: this.#samples };
  }
}

function ownCores(before: Mark, after: Mark): number {
  const micros = after.own.user - before.own.user + after.own.system - before.own.system;
  return micros / 1_000 / (after.atMs - before.atMs);
}
