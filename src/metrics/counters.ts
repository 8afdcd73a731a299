import { batchBounds, emptyHistogram, observe, secondsBounds } from './histogram.ts';

/**
 * What a shard counts: plain numbers of its thread, so that the hot path pays an addition for a run
 * or a write, and nothing for a message. Nobody reads them but for an answer to a scrape
 * (`shard-figures.ts`). One shard runs in a thread, so one set of them is enough.
 */

/** How a connection gets its messages: the indexes of `sessions` and `delivered`. */
export const encodings = ['binary', 'json', 'messaging'] as const;
export const Encoding = { binary: 0, json: 1, messaging: 2 } as const;
export type EncodingName = (typeof encodings)[number];

/** Room for operations and error numbers; what is outside counts as 0. */
const OPS_MAX = 64;
const ERRORS_MAX = 128;

/** They only rise. Indexed by protocol (Origin of src/wire/run.ts), encoding, op or error number. */
export const counters = {
  /** Messages of clients that were found good, by protocol * 2, + 1 for groups. */
  received: new Float64Array(4),
  /** Messages that the store has, by the shard that numbers them; indexed as `received`. */
  accepted: new Float64Array(4),
  /** Messages written to connections, by encoding. */
  delivered: new Float64Array(encodings.length),
  /** Messages in a batch. */
  batches: emptyHistogram(batchBounds),
  /** Replies by the operation that they bear. */
  repliesOk: new Float64Array(OPS_MAX),
  repliesRefused: new Float64Array(OPS_MAX),
  /** What was refused, by error number. */
  refusals: new Float64Array(ERRORS_MAX),
  /** Seconds from handing a commit to the store to its outcome. */
  commits: emptyHistogram(secondsBounds),
  /** Conversations that a connection was fed from the log, and messages that it got so. */
  feeds: 0,
  fedMessages: 0,
  /** Packages of goim's push API written to its clients: one for each connection. */
  pushes: 0,
  /** How often a connection's socket was found full. */
  congestions: 0,
  /** Of webhooks and before_send (src/webhook/). */
  hooks: {
    /** Events that a receiver has answered for, and the requests that carried them. */
    eventsPosted: 0,
    batchesPosted: 0,
    /** Requests, also to before_send, that were not answered as they should. */
    postsFailed: 0,
    /** Records of the event log that were given up. */
    recordsLost: 0,
    /** Messages by what before_send said of them. */
    messagesAllowed: 0,
    messagesRefused: 0,
    messagesReplaced: 0,
    /** Decided by --before-send-down. */
    messagesUndecided: 0,
    /** Refused: too many waited. */
    messagesOverloaded: 0,
  },
};

/** How much there is now. */
export const levels = {
  sessions: new Float64Array(encodings.length),
  slowSessions: 0,
  /** Runs handed to the store whose outcome is open. */
  openAppends: 0,
  hooks: {
    /** Records of the event log that are not posted. */
    backlog: 0,
    /** Messages that wait for before_send. */
    messagesWaiting: 0,
  },
};

export type HookCounters = typeof counters.hooks;
export type HookLevels = typeof levels.hooks;

export type ShardCounters = typeof counters;
export type ShardLevels = typeof levels;

interface Counted {
  readonly count: number;
}

/** The same batch for so many connections. */
export function countBatch(runs: readonly Counted[], encoding: number, connections: number): void {
  let messages = 0;
  for (let i = 0; i < runs.length; i++) messages += runs[i]!.count;
  counters.delivered[encoding]! += messages * connections;
  observe(counters.batches, batchBounds, messages, connections);
}

export function countReplies(op: number, count: number): void {
  counters.repliesOk[op > 0 && op < OPS_MAX ? op : 0]! += count;
}

export function countRefusals(op: number, error: number, count: number): void {
  counters.repliesRefused[op > 0 && op < OPS_MAX ? op : 0]! += count;
  countErrors(error, count);
}

/** Entries of a messaging `errors` section, which answer no operation. */
export function countErrors(error: number, count: number): void {
  counters.refusals[error > 0 && error < ERRORS_MAX ? error : 0]! += count;
}

export function countCommit(seconds: number): void {
  observe(counters.commits, secondsBounds, seconds, 1);
}

export function countSession(encoding: EncodingName, change: 1 | -1): void {
  levels.sessions[Encoding[encoding]]! += change;
}
