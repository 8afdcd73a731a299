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

/** What the client ports count, from the start of the process on. Plain numbers, for metrics to read. */
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
  /** Connections that the server ended, by close code. */
  readonly closes = new Map<number, number>();

  refuse(name: RefusalName): void {
    this.refusals[name] += 1;
  }

  close(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }
}
