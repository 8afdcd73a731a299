import type { Job } from './generator/job.ts';
import type { Transport } from './peers/peer.ts';

/** One kind of work, which is put on several servers in turn. */
export interface Work {
  /** On the command line. */
  readonly name: string;
  /** In tables. */
  readonly title: string;
  readonly transport: Transport;
  readonly load: Pick<Job, 'mode' | 'connections'> & Partial<Job>;
  /** Names of the servers that it is put on, in this order. */
  readonly servers: readonly string[];
  /** It is a part of the run without flags. */
  readonly usual: boolean;
  /** For what is the same each time: fewer rounds are enough. */
  readonly roundsMax?: number;
}

/** What a load is where a work does not say it. */
export const loadDefaults = {
  size: 64,
  window: 1,
  rate: 0,
  burst: 1,
  warmUpMs: 700,
  sampleMs: 0,
} as const;

const tcpServers = ['encke-memory', 'encke-always', 'nats', 'mosquitto'];
const withoutMosquitto = ['encke-memory', 'encke-always', 'nats'];
const webSocketServers = ['encke-always', 'socket.io'];
const byWorkers = ['encke-1', 'encke-2', 'encke-4'];
const byStore = ['encke-memory', 'encke-always', 'encke-everysec', 'encke-no'];

/** The rest of a work: over TCP on all servers that have it, and only when it is asked for. */
const more = { transport: 'tcp', servers: tcpServers, usual: false } as const;
const usual = { ...more, usual: true } as const;
const webSocket = { transport: 'ws', servers: webSocketServers, usual: true } as const;

const fanout = (connections: number, window: number, size?: number): Work['load'] => ({
  mode: 'fanout',
  connections,
  window,
  ...(size !== undefined && { size }),
});
const pairs = (load: Partial<Job>): Work['load'] => ({ mode: 'pairs', connections: 1_000, ...load });
const idle = (connections: number): Work['load'] => ({ mode: 'idle', connections });

/** All work, in the order of the tables. Messages have 64 bytes where nothing else is said. */
export const works: readonly Work[] = [
  { name: 'fanout-64', title: 'fan-out 1 → 1,000, window 64', load: fanout(1_000, 64), ...usual },
  {
    name: 'fanout-1',
    title: 'fan-out 1 → 1,000, window 1',
    load: fanout(1_000, 1),
    ...usual,
    servers: withoutMosquitto,
  },
  { name: 'pairs-16', title: '500 pairs, window 16', load: pairs({ window: 16 }), ...usual },
  { name: 'pairs-1', title: '500 pairs, window 1', load: pairs({ window: 1 }), ...usual },
  {
    name: 'rate-1000',
    title: '500 pairs, 1,000 messages/s',
    load: pairs({ rate: 1_000 }),
    ...usual,
    servers: withoutMosquitto,
  },
  { name: 'rate-20000', title: '500 pairs, 20,000 messages/s', load: pairs({ rate: 20_000 }), ...usual },
  {
    name: 'ws-fanout',
    title: 'WebSocket, JSON: fan-out 1 → 1,000, window 16',
    load: fanout(1_000, 16),
    ...webSocket,
  },
  {
    name: 'ws-pairs',
    title: 'WebSocket, JSON: 500 pairs, window 16',
    load: pairs({ window: 16 }),
    ...webSocket,
  },
  {
    name: 'ws-pairs-1',
    title: 'WebSocket, JSON: 500 pairs, window 1',
    load: pairs({ window: 1 }),
    ...webSocket,
    usual: false,
  },
  {
    name: 'idle-tcp',
    title: '10,000 idle TCP connections',
    load: idle(10_000),
    ...usual,
    servers: ['encke-always', 'nats', 'mosquitto'],
    roundsMax: 1,
  },
  {
    name: 'idle-ws',
    title: '10,000 idle WebSocket connections',
    load: idle(10_000),
    ...webSocket,
    roundsMax: 1,
  },
  { name: 'connect', title: '2,000 connections connect and authenticate', load: idle(2_000), ...more },
  {
    name: 'connect-ws',
    title: '2,000 WebSockets connect and authenticate',
    load: idle(2_000),
    ...webSocket,
    usual: false,
  },
  {
    name: 'fanout-to-100',
    title: 'fan-out 1 → 100, window 64',
    load: fanout(100, 64),
    ...usual,
    servers: ['encke-always', 'nats'],
  },
  {
    name: 'fanout-to-10000',
    title: 'fan-out 1 → 10,000, window 64',
    load: fanout(10_000, 64),
    ...usual,
    servers: ['encke-always', 'nats'],
  },
  {
    name: 'fanout-1k',
    title: 'fan-out 1 → 1,000, window 64, 1 KiB',
    load: fanout(1_000, 64, 1_024),
    ...more,
  },
  {
    name: 'fanout-16k',
    title: 'fan-out 1 → 1,000, window 8, 16 KiB',
    load: fanout(1_000, 8, 16_384),
    ...more,
  },
  {
    name: 'pairs-1k',
    title: '500 pairs, window 16, 1 KiB',
    load: pairs({ window: 16, size: 1_024 }),
    ...more,
  },
  {
    name: 'pairs-16k',
    title: '500 pairs, window 4, 16 KiB',
    load: pairs({ window: 4, size: 16_384 }),
    ...more,
  },
  {
    name: 'workers-pairs',
    title: '500 pairs, window 16, by workers',
    load: pairs({ window: 16 }),
    ...more,
    servers: byWorkers,
  },
  {
    name: 'workers-fanout',
    title: 'fan-out 1 → 1,000, window 64, by workers',
    load: fanout(1_000, 64),
    ...more,
    servers: byWorkers,
  },
  {
    name: 'durable-16',
    title: '500 pairs, window 16, by store and fsync',
    load: pairs({ window: 16 }),
    ...more,
    servers: byStore,
  },
  {
    name: 'durable-1',
    title: '500 pairs, window 1, by store and fsync',
    load: pairs({ window: 1 }),
    ...more,
    servers: byStore,
  },
  {
    name: 'durable-fanout',
    title: 'fan-out 1 → 1,000, window 64, by store and fsync',
    load: fanout(1_000, 64),
    ...more,
    servers: byStore,
  },
];
