import { closes } from '../errors.ts';
import { emptyHistogram, observe, secondsBounds } from '../metrics/histogram.ts';

export const transports = ['tcp', 'websocket'] as const;
export type Transport = (typeof transports)[number];

const authOutcomes = ['accepted', 'refused', 'failed'] as const;
export type AuthOutcome = (typeof authOutcomes)[number];

/** Why a client was turned away before it was anybody, or what it was ended for. */
export const refusalNames = [
  'connections_max',
  'address_connections_max',
  'proxy_header',
  'tls_handshake',
  'http_timeout',
  'http_malformed',
  'http_origin',
] as const;

export type RefusalName = (typeof refusalNames)[number];

/**
 * What the client ports and the gateway count, from the start of the server on: plain numbers for
 * /metrics to read, an addition for a write or an event of a connection.
 */
export class NetCounters {
  /** Sockets that were accepted, refused ones included. */
  accepted = 0;
  /** Certificates that were loaded, and reloads that failed. */
  certificatesLoaded = 0;
  certificatesRefused = 0;
  readonly refusals: Record<RefusalName, number> = {
    connections_max: 0,
    address_connections_max: 0,
    proxy_header: 0,
    tls_handshake: 0,
    http_timeout: 0,
    http_malformed: 0,
    http_origin: 0,
  };
  /** Connections that the server ended, by close code; 0: the client left by itself. */
  readonly closes = new Map<number, number>([[0, 0]]);
  /** Connections that are more than a socket: on TCP all, on HTTP those that were upgraded. */
  readonly opened: Record<Transport, number> = { tcp: 0, websocket: 0 };
  readonly ended: Record<Transport, number> = { tcp: 0, websocket: 0 };
  /** Payload of authenticated connections, by shard. */
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  /** By `protocol outcome`. */
  readonly authentications = new Map<string, number>();
  readonly authenticationSeconds = emptyHistogram(secondsBounds);

  constructor(shards: number) {
    this.bytesIn = new Float64Array(shards);
    this.bytesOut = new Float64Array(shards);
    // A counter that is there from the beginning shows its first increase.
    for (const { code } of Object.values(closes)) this.closes.set(code, 0);
    for (const protocol of ['comet', 'messaging'])
      for (const outcome of authOutcomes) this.authentications.set(`${protocol} ${outcome}`, 0);
  }

  refuse(name: RefusalName): void {
    this.refusals[name] += 1;
  }

  close(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }

  authenticated(protocol: string, outcome: AuthOutcome, seconds: number): void {
    const key = `${protocol} ${outcome}`;
    this.authentications.set(key, (this.authentications.get(key) ?? 0) + 1);
    observe(this.authenticationSeconds, secondsBounds, seconds, 1);
  }
}
