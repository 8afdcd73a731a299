/** What the harness asks of a generator process, and what it gets back. */

export const protocols = ['comet', 'comet-json', 'nats', 'mqtt', 'socket-io'] as const;
export type Protocol = (typeof protocols)[number];

export interface Job {
  readonly protocol: Protocol;
  readonly port: number;
  /** Of the server: its CPU time and memory are read. */
  readonly pids: readonly number[];
  /**
   * - fanout: connection `connections + 1` sends to a group of the `connections` others.
   * - pairs: each sends to its partner (1 and 2, 3 and 4, ...).
   * - idle: all connect, and stay.
   */
  readonly mode: 'fanout' | 'pairs' | 'idle';
  readonly connections: number;
  /** Bytes of a payload. */
  readonly size: number;
  /** Messages of a sender that are not delivered yet; in fan-out, delivered everywhere. */
  readonly window: number;
  /** Messages a second of all senders together, instead of a window; 0: the window counts. */
  readonly rate: number;
  /** With a rate: messages that a sender writes at once. */
  readonly burst: number;
  readonly warmUpMs: number;
  readonly seconds: number;
  /** How often memory is sampled meanwhile; 0: not at all. */
  readonly sampleMs: number;
}

/** The names of what is measured. A mode has those that mean something in it. */
export interface Figures {
  deliveriesPerSecond?: number;
  /** Server's CPU time for a delivery, in microseconds. */
  cpuMicros?: number;
  /** Processors that the server, and the generator, kept busy. */
  serverCores?: number;
  generatorCores?: number;
  /** Send to delivery, in milliseconds. */
  p50Ms?: number;
  p99Ms?: number;
  p999Ms?: number;
  residentMb?: number;
  connectsPerSecond?: number;
  /** Server's CPU time for a connection that is authenticated, in microseconds. */
  connectMicros?: number;
  /** Resident memory that a connection added. */
  connectionKb?: number;
  /** Messages that were answered with an error. */
  refused?: number;
  /** Answers that never came. */
  unanswered?: number;
  /** Deliveries that never came, refused messages aside. */
  missing?: number;
  repeated?: number;
  foreign?: number;
}

export type Metric = keyof Figures;

export interface MemorySample {
  readonly seconds: number;
  readonly residentMb: number;
  /** Without pages of files. */
  readonly ownMb: number;
}

export interface JobResult {
  readonly figures: Figures;
  readonly samples: readonly MemorySample[];
}
