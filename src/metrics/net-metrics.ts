import { transports } from '../net/counters.ts';
import { secondsBounds } from './histogram.ts';
import { histogramSamples, type Metric, type Sample } from './metric.ts';
import type { Snapshot } from './snapshot.ts';

const byShard = (read: (snapshot: Snapshot) => Float64Array) => (snapshot: Snapshot) =>
  snapshot.shards.map(({ shard }): Sample => ({ labels: { shard }, value: read(snapshot)[shard] ?? 0 }));

/** What the gateway and the client ports know: sockets, and who was let in. */
export const netMetrics: readonly Metric[] = [
  {
    name: 'encke_connections',
    type: 'gauge',
    help: 'Open client connections, those that have not authenticated yet included.',
    labels: ['transport'],
    samples: ({ net: { opened, ended } }) =>
      transports.map((transport) => ({
        labels: { transport },
        value: opened[transport] - ended[transport],
      })),
  },
  {
    name: 'encke_connections_opened_total',
    type: 'counter',
    help: 'Client connections that were accepted.',
    labels: ['transport'],
    samples: ({ net: { opened } }) =>
      transports.map((transport) => ({ labels: { transport }, value: opened[transport] })),
  },
  {
    name: 'encke_connections_closed_total',
    type: 'counter',
    help: 'Client connections that ended, by the close code that the server gave; client: it left by itself.',
    labels: ['code'],
    samples: ({ net: { closes } }) =>
      [...closes].map(([code, value]) => ({ labels: { code: code === 0 ? 'client' : code }, value })),
  },
  {
    name: 'encke_authentications_total',
    type: 'counter',
    help: 'Credentials that were decided on: accepted, refused, or failed when the authenticator did.',
    labels: ['protocol', 'outcome'],
    samples: ({ net: { authentications } }) =>
      [...authentications].map(([key, value]) => {
        const [protocol = '', outcome = ''] = key.split(' ');
        return { labels: { protocol, outcome }, value };
      }),
  },
  {
    name: 'encke_authentication_seconds',
    type: 'histogram',
    help: 'Time that the authenticator took.',
    labels: [],
    samples: ({ net }) => histogramSamples(net.authenticationSeconds, secondsBounds, {}),
  },
  {
    name: 'encke_received_bytes_total',
    type: 'counter',
    help: 'Bytes from authenticated clients, without TLS and WebSocket framing.',
    labels: ['shard'],
    samples: byShard(({ net }) => net.bytesIn),
  },
  {
    name: 'encke_sent_bytes_total',
    type: 'counter',
    help: 'Bytes to authenticated clients, without TLS; of WebSockets with their framing.',
    labels: ['shard'],
    samples: byShard(({ net }) => net.bytesOut),
  },
  {
    name: 'encke_sockets_accepted_total',
    type: 'counter',
    help: 'Sockets that the client ports accepted, refused ones and those of plain HTTP included.',
    labels: [],
    samples: ({ net }) => [{ labels: {}, value: net.accepted }],
  },
  {
    name: 'encke_sockets_refused_total',
    type: 'counter',
    help: 'Clients that were turned away before they were anybody.',
    labels: ['reason'],
    samples: ({ net }) =>
      Object.entries(net.refusals).map(([reason, value]) => ({ labels: { reason }, value })),
  },
  {
    name: 'encke_certificate_loads_total',
    type: 'counter',
    help: 'Times that the TLS certificate was read; failed: it was not used, and the old one stays.',
    labels: ['outcome'],
    samples: ({ net: { certificatesLoaded, certificatesRefused } }) => [
      { labels: { outcome: 'ok' }, value: certificatesLoaded },
      { labels: { outcome: 'failed' }, value: certificatesRefused },
    ],
  },
];
