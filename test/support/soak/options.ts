import { parseOptions } from '../../../src/cli/options.ts';
import type { ServerSettings } from './server-process.ts';

export interface SoakOptions {
  readonly seed: number;
  /** How long, in ms; or, if it is 0, until so many messages, kills and crashes are reached. */
  readonly durationMs: number;
  readonly messages: number;
  /** Process kills; with the memory store there are none, and shards crash instead. */
  readonly kills: number;
  readonly crashes: number;
  /** Messages that are sent in a second while the server is up. */
  readonly ratePerSecond: number;
  /** One connection is closed, cut, stalled or taken over in so many ms. */
  readonly connectionTroubleEveryMs: number;
  readonly store: ServerSettings['store'];
  readonly fsync: ServerSettings['fsync'];
  /** A fault that is planted: faulty-shard.ts. */
  readonly fault?: string;
}

export const soakDefaults = {
  durationMs: 0,
  messages: 200_000,
  kills: 20,
  crashes: 10,
  ratePerSecond: 4_000,
  connectionTroubleEveryMs: 60,
  fsync: 'always',
} as const;

/** The disk store, if this version has it. */
export function bestStore(): ServerSettings['store'] {
  try {
    parseOptions(['--store', 'disk'], {});
    return 'disk';
  } catch {
    return 'memory';
  }
}
