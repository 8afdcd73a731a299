import type { Protocol } from '../generator/job.ts';

export type Transport = 'tcp' | 'ws';

/** A server that runs, on ports of its own of 127.0.0.1. */
export interface Running {
  /** Of all its processes. */
  readonly pids: readonly number[];
  readonly port: (transport: Transport) => number;
  /** Makes group 1 of users 1 to `members`; where subscribing is enough, nothing is done. */
  makeGroup(members: number): Promise<void>;
  stop(): Promise<void>;
}

/** One server, with its settings, that work is put on. */
export interface Peer {
  /** On the command line. */
  readonly name: string;
  /** In tables. */
  readonly title: string;
  /** What is spoken over each transport that it has. */
  readonly protocols: Readonly<Partial<Record<Transport, Protocol>>>;
  /** Why it cannot be started here; undefined if it can. */
  readonly missing: string | undefined;
  /** Starts it; what it writes goes below `dir`, which is removed afterwards. */
  start(dir: string): Promise<Running>;
}
