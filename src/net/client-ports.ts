import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { closes } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Certificate } from './certificate.ts';
import { cometCloseFrame } from './close-frame.ts';
import { ConnectionLimit } from './connection-limit.ts';
import type { RefusalName } from './counters.ts';
import { createDoor } from './door.ts';
import type { Gateway } from './gateway.ts';
import { httpGoodbye } from './http-answers.ts';
import { Origins } from './origins.ts';
import { TrustedProxies } from './proxies.ts';
import { acceptTcp } from './tcp.ts';
import { createWeb, type Web } from './web.ts';

export interface ClientPortsOptions {
  readonly gateway: Gateway;
  readonly host: string;
  readonly tcpPort: number;
  readonly httpPort: number;
  readonly tlsTcpPort: number;
  readonly tlsHttpPort: number;
  /** Absent: no TLS. */
  readonly certificate?: Certificate | undefined;
  /** TLS on `tcpPort` and `httpPort`, and no other ports. */
  readonly tlsOnly: boolean;
  readonly connectionsMax: number;
  readonly addressConnectionsMax: number;
  readonly trustedProxies: readonly string[];
  readonly origins?: readonly string[] | undefined;
  readonly webSocketCompression: boolean;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

interface Port {
  readonly server: Server;
  readonly port: number;
}

/** The ports that clients connect to: TCP and HTTP, plain and with TLS (docs/protocol.md "Transports"). */
export class ClientPorts {
  readonly #host: string;
  readonly #web: Web;
  readonly #limit: ConnectionLimit;
  readonly #tcp: Port;
  readonly #http: Port;
  readonly #tlsTcp: Port | undefined;
  readonly #tlsHttp: Port | undefined;

  constructor(options: ClientPortsOptions) {
    const { gateway, certificate, tlsOnly } = options;
    const { counters, authTimeoutMs: handshakeTimeoutMs } = gateway.options;
    const limit = new ConnectionLimit(options);
    const proxies = new TrustedProxies(options.trustedProxies);
    const origins = new Origins(options.origins);
    this.#host = options.host;
    this.#limit = limit;
    this.#web = createWeb({ gateway, limit, proxies, origins, compression: options.webSocketCompression });
    const shared = { limit, counters, proxies, handshakeTimeoutMs };
    const tcp = { ...shared, goodbye: cometGoodbye, onSocket: acceptTcp(gateway) };
    const http = { ...shared, goodbye: httpGoodbye, onSocket: (socket: Socket) => this.#web.accept(socket) };
    const main = tlsOnly ? { certificate } : {};
    this.#tcp = { server: createDoor({ ...tcp, ...main }), port: options.tcpPort };
    this.#http = { server: createDoor({ ...http, ...main }), port: options.httpPort };
    if (certificate === undefined || tlsOnly) return;
    this.#tlsTcp = { server: createDoor({ ...tcp, certificate }), port: options.tlsTcpPort };
    this.#tlsHttp = { server: createDoor({ ...http, certificate }), port: options.tlsHttpPort };
  }

  get tcpAddress(): Address {
    return addressOf(this.#tcp.server);
  }

  get httpAddress(): Address {
    return addressOf(this.#http.server);
  }

  /** Undefined without TLS ports of their own. */
  get tlsTcpAddress(): Address | undefined {
    return this.#tlsTcp && addressOf(this.#tlsTcp.server);
  }

  get tlsHttpAddress(): Address | undefined {
    return this.#tlsHttp && addressOf(this.#tlsHttp.server);
  }

  /** How many addresses clients come from. */
  get addresses(): number {
    return this.#limit.addresses;
  }

  /** Rejects with the first port that cannot be had. */
  async listen(onError: (error: unknown) => void): Promise<void> {
    for (const { server, port } of this.#all()) {
      server.listen({ port, host: this.#host, backlog: limits.listenBacklogMax });
      await once(server, 'listening');
      server.on('error', onError);
    }
  }

  /** Takes no more connections; those that are open stay. */
  close(): void {
    for (const { server } of this.#all()) server.close();
    this.#web.stop();
  }

  /** Cuts every socket, those that are no connection yet as well. */
  destroy(): void {
    this.#limit.destroyAll();
  }

  #all(): Port[] {
    return [this.#tcp, this.#http, this.#tlsTcp, this.#tlsHttp].filter((port) => port !== undefined);
  }
}

const cometGoodbye = (why: RefusalName): Buffer =>
  cometCloseFrame(
    why === 'address_connections_max'
      ? { ...closes.tooFast, reason: 'too many connections from this address' }
      : closes.tryLater,
  );

function addressOf(server: Server): Address {
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}
