import { errorName, errorNumber, errorReasons, type ErrorCode } from '../errors.ts';
import { Op } from '../wire/op.ts';
import { encodings } from './counters.ts';
import { batchBounds, secondsBounds } from './histogram.ts';
import { histogramSamples, type Metric, type Sample } from './metric.ts';
import type { ShardFigures } from './shard-figures.ts';
import type { ShardTotals } from './snapshot.ts';

type Labelled = readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

/** Counters of each shard: kept while it is down, and over its restarts. */
function counter(
  name: string,
  help: string,
  labels: readonly string[],
  read: (totals: ShardTotals) => number | Labelled,
): Metric {
  return {
    name,
    type: 'counter',
    help,
    labels: ['shard', ...labels],
    samples: ({ shards }) =>
      shards.flatMap(({ shard, totals }) => (totals === undefined ? [] : samplesOf(shard, read(totals)))),
  };
}

/** What a shard has now: left out while it is down or does not answer. */
function gauge(
  name: string,
  help: string,
  labels: readonly string[],
  read: (figures: ShardFigures) => number | Labelled,
): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['shard', ...labels],
    samples: ({ shards }) =>
      shards.flatMap(({ shard, now }) => (now === undefined ? [] : samplesOf(shard, read(now)))),
  };
}

function histogram(
  name: string,
  help: string,
  bounds: readonly number[],
  read: (totals: ShardTotals) => Float64Array,
): Metric {
  return {
    name,
    type: 'histogram',
    help,
    labels: ['shard'],
    samples: ({ shards }) =>
      shards.flatMap(({ shard, totals }) =>
        totals === undefined ? [] : [...histogramSamples(read(totals), bounds, { shard })],
      ),
  };
}

function samplesOf(shard: number, read: number | Labelled): Sample[] {
  if (typeof read === 'number') return [{ labels: { shard }, value: read }];
  return read.map(([labels, value]) => ({ labels: { shard, ...labels }, value }));
}

/** Indexed by protocol * 2, + 1 for groups. */
const byProtocol = (values: Float64Array): Labelled =>
  ['comet', 'messaging'].flatMap((protocol, p) =>
    ['user', 'group'].map((to, g) => [{ protocol, to }, values[p * 2 + g] ?? 0] as const),
  );

const byEncoding = (values: Float64Array): Labelled =>
  encodings.map((encoding, i) => [{ encoding }, values[i] ?? 0] as const);

const requestNames: Readonly<Record<number, string>> = {
  [Op.heartbeatReply]: 'heartbeat',
  [Op.sendReply]: 'send',
  [Op.groupSendReply]: 'group_send',
  [Op.ackReply]: 'acknowledge',
  [Op.historyReply]: 'history',
};

function byRequest({ counters: { repliesOk, repliesRefused } }: ShardTotals): Labelled {
  const found: [labels: Record<string, string>, value: number][] = [];
  for (const [outcome, values] of Object.entries({ ok: repliesOk, refused: repliesRefused })) {
    let other = 0;
    values.forEach((value, op) => {
      const request = requestNames[op];
      if (request === undefined) other += value;
      else found.push([{ request, outcome }, value]);
    });
    found.push([{ request: 'other', outcome }, other]);
  }
  return found;
}

const byCode = (values: Float64Array): Labelled =>
  (Object.keys(errorReasons) as ErrorCode[]).map((code) => {
    const number = errorNumber(code);
    return [{ code: errorName(number) }, values[number] ?? 0] as const;
  });

const byName = (label: string, values: Readonly<Record<string, number>>): Labelled =>
  Object.entries(values).map(([name, value]) => [{ [label]: name }, value] as const);

const byDecision = ({ hooks }: ShardTotals['counters']): Labelled => [
  [{ decision: 'allowed' }, hooks.messagesAllowed],
  [{ decision: 'refused' }, hooks.messagesRefused],
  [{ decision: 'replaced' }, hooks.messagesReplaced],
  [{ decision: 'undecided' }, hooks.messagesUndecided],
  [{ decision: 'overloaded' }, hooks.messagesOverloaded],
];

/** What shards know: messages, requests, the store, and what waits. */
export const shardMetrics: readonly Metric[] = [
  {
    name: 'encke_shard_up',
    type: 'gauge',
    help: '1 if the shard answered this scrape.',
    labels: ['shard'],
    samples: ({ shards }) =>
      shards.map(({ shard, now }) => ({ labels: { shard }, value: now === undefined ? 0 : 1 })),
  },
  {
    name: 'encke_shard_restarts_total',
    type: 'counter',
    help: 'Times that the thread of the shard died and was started again.',
    labels: ['shard'],
    samples: ({ shards }) => shards.map(({ shard, restarts }) => ({ labels: { shard }, value: restarts })),
  },
  gauge('encke_sessions', 'Authenticated connections.', ['encoding'], ({ levels }) =>
    byEncoding(levels.sessions),
  ),
  counter(
    'encke_messages_received_total',
    'Messages of clients that were found good, on their way to the owner of the conversation.',
    ['protocol', 'to'],
    ({ counters }) => byProtocol(counters.received),
  ),
  counter(
    'encke_messages_stored_total',
    'Messages that the store has, by the shard that owns the conversation; those of the admin port as well.',
    ['protocol', 'to'],
    ({ counters }) => byProtocol(counters.accepted),
  ),
  counter(
    'encke_messages_delivered_total',
    'Messages written to connections in op 9 or a messages section: one for each connection.',
    ['encoding'],
    ({ counters }) => byEncoding(counters.delivered),
  ),
  counter(
    'encke_replies_total',
    'Replies to requests. Messaging is told of what was refused, and with ack=1 of what is stored.',
    ['request', 'outcome'],
    byRequest,
  ),
  counter(
    'encke_refusals_total',
    'Requests, and entries of messaging, that were refused.',
    ['code'],
    ({ counters }) => byCode(counters.refusals),
  ),
  histogram(
    'encke_batch_messages',
    'Messages in one op 9, or one write of messages sections. Its count is the batches.',
    batchBounds,
    ({ counters }) => counters.batches,
  ),
  histogram(
    'encke_store_commit_seconds',
    'Time from handing messages to the store to its answer.',
    secondsBounds,
    ({ counters }) => counters.commits,
  ),
  gauge(
    'encke_commit_queue_runs',
    'Runs of messages that were handed to the store and are not answered.',
    [],
    ({ levels }) => levels.openAppends,
  ),
  gauge(
    'encke_store_journal_bytes',
    'What the store holds outside of its tables: the journal, or all of the memory store.',
    [],
    ({ storeBytes }) => storeBytes,
  ),
  {
    name: 'encke_store_tables_bytes',
    type: 'gauge',
    help: 'Size of the file of the tables; 0 with the memory store.',
    labels: [],
    samples: ({ tablesBytes }) => [{ labels: {}, value: tablesBytes }],
  },
  {
    name: 'encke_lane_pending_bytes',
    type: 'gauge',
    help: 'Bytes between the gateway and the shard that the other side has not taken in.',
    labels: ['shard', 'to'],
    samples: ({ shards }) =>
      shards.flatMap(({ shard, laneBytes, now }) => [
        { labels: { shard, to: 'shard' }, value: laneBytes },
        ...(now === undefined ? [] : [{ labels: { shard, to: 'gateway' }, value: now.laneBytes }]),
      ]),
  },
  gauge(
    'encke_link_pending_frames',
    'Messages between actors that wait for another thread.',
    [],
    ({ actors }) => actors.linkFrames,
  ),
  gauge(
    'encke_link_pending_bytes',
    'Bytes, as estimated, of messages that wait for another thread or are on their way.',
    [],
    ({ actors }) => actors.linkBytes,
  ),
  gauge(
    'encke_actors_ready',
    'Actors with messages in their mailbox that wait for their turn.',
    [],
    ({ actors }) => actors.ready,
  ),
  gauge('encke_actors', 'Actors in memory.', ['kind'], ({ actors }) => byName('kind', actors.residents)),
  counter(
    'encke_dead_letters_total',
    'Messages between actors that were not handled.',
    ['reason'],
    ({ deadLetters }) => byName('reason', deadLetters),
  ),
  gauge(
    'encke_slow_sessions',
    'Connections whose client does not read fast enough now: nothing is pushed to them.',
    [],
    ({ levels }) => levels.slowSessions,
  ),
  counter(
    'encke_congestions_total',
    'Times that the socket of a connection was found full.',
    [],
    ({ counters }) => counters.congestions,
  ),
  counter(
    'encke_feeds_total',
    'Conversations that a connection was fed from the log: it was away, or slow.',
    [],
    ({ counters }) => counters.feeds,
  ),
  counter(
    'encke_fed_messages_total',
    'Messages that came to connections from the log; they are among the delivered.',
    [],
    ({ counters }) => counters.fedMessages,
  ),
  counter(
    'encke_webhook_events_total',
    'Events of webhooks that the receiver has taken.',
    [],
    ({ counters }) => counters.hooks.eventsPosted,
  ),
  counter(
    'encke_webhook_requests_total',
    'Requests with events that the receiver has taken.',
    [],
    ({ counters }) => counters.hooks.batchesPosted,
  ),
  counter(
    'encke_webhook_failures_total',
    'Requests of webhooks and before_send that were not answered, or not as they should.',
    [],
    ({ counters }) => counters.hooks.postsFailed,
  ),
  counter(
    'encke_webhook_lost_records_total',
    'Records of the event log that were given up: it was full.',
    [],
    ({ counters }) => counters.hooks.recordsLost,
  ),
  gauge(
    'encke_webhook_backlog_records',
    'Records of the event log that are not posted.',
    [],
    ({ levels }) => levels.hooks.backlog,
  ),
  counter(
    'encke_before_send_messages_total',
    'Messages by what became of them: undecided are those of --before-send-down, overloaded found no room to wait.',
    ['decision'],
    ({ counters }) => byDecision(counters),
  ),
  gauge(
    'encke_before_send_waiting_messages',
    'Messages that wait for before_send.',
    [],
    ({ levels }) => levels.hooks.messagesWaiting,
  ),
  counter(
    'encke_pushes_total',
    "Packages of goim's push API written to connections: one for each connection.",
    [],
    ({ counters }) => counters.pushes,
  ),
];
