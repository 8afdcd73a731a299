import { hostname } from 'node:os';

/** What goim's online and node queries tell of this server, which is one node. */
export interface GoimNode {
  /** The address that clients connect to; a wildcard if it is every one of the machine. */
  readonly host: string;
  readonly idleTimeoutMs: number;
  /** In milliseconds since 1970. */
  readonly startedAt: number;
  tcpPort(): number;
  webSocketPort(): number;
  /** Undefined without TLS. */
  tlsWebSocketPort(): number | undefined;
  /** Of all clients, goim's and others. */
  connections(): number;
  /** Addresses that they come from. */
  addresses(): number;
}

/** How often a heartbeat is due, and how many times it may stay out: together the idle timeout. */
const HEARTBEATS_MAX = 2;
/** When a client that lost its connection is to come again, as goim's example has it. */
const backoff = { max_delay: 300, base_delay: 3, factor: 1.8, jitter: 0.3 };

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** `asked`: the host that the request was made to, which stands in for a wildcard. */
const domainOf = ({ host }: GoimNode, asked: string): string => (isWildcard(host) ? asked : host);

/** The data of nodes/weighted. */
export function weighted(node: GoimNode, asked: string): object {
  const domain = domainOf(node, asked);
  return {
    domain,
    tcp_port: node.tcpPort(),
    ws_port: node.webSocketPort(),
    wss_port: node.tlsWebSocketPort(),
    heartbeat: Math.max(1, Math.floor(node.idleTimeoutMs / 1_000 / HEARTBEATS_MAX)),
    heartbeat_max: HEARTBEATS_MAX,
    nodes: [domain],
    backoff,
  };
}

/** The data of nodes/instances: this one. */
export function instances(node: GoimNode, asked: string): object[] {
  return [
    {
      region: '',
      zone: '',
      env: '',
      appid: 'goim.comet',
      hostname: hostname(),
      addrs: [],
      version: '',
      latest_timestamp: node.startedAt * 1_000_000,
      metadata: {
        addrs: domainOf(node, asked),
        conn_count: String(node.connections()),
        ip_count: String(node.addresses()),
        offline: 'false',
        weight: '1',
      },
    },
  ];
}
