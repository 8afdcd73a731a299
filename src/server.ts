import type { AddressInfo } from 'node:net';
import type { Worker } from 'node:worker_threads';
import { pino, type Logger } from 'pino';
import { ActorSystem } from './actor/index.ts';
import { createAdmin } from './admin/admin.ts';
import { Bans } from './admin/bans.ts';
import type { Authenticator } from './auth/auth.ts';
import { createAuthenticator } from './auth/create.ts';
import { Guests } from './auth/guests.ts';
import type { Options } from './cli/options.ts';
import { GoimApi } from './goim/api.ts';
import type { GoimNode } from './goim/nodes.ts';
import { addGoimRoutes } from './goim/routes.ts';
import { Metrics } from './metrics/metrics.ts';
import { Certificate, CertificateError } from './net/certificate.ts';
import { ClientPorts } from './net/client-ports.ts';
import { NetCounters } from './net/counters.ts';
import { Gateway } from './net/gateway.ts';
import { adminApis } from './shard/admin-apis.ts';
import { kinds, placeOn } from './shard/kinds.ts';
import { ShardPool } from './shard/pool.ts';
import { bansFile } from './store/disk/data-dir.ts';
import { StatsOnActors } from './shard/stats-api.ts';
import { DiskStores, MemoryStores, type ShardStores } from './shard/stores.ts';
import type { Services } from './shard/services.ts';
import { HEADER_BYTES, SEND_HEAD_BYTES } from './wire/frame.ts';

export { CertificateError };

export interface ServerOptions extends Options {
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: what `auth` names. */
  readonly authenticator?: Authenticator;
  /** The module that a shard's thread runs. Default: workers/shard.js. */
  readonly shardEntry?: URL;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A running server. */
export interface Server {
  readonly tcpAddress: Address;
  readonly httpAddress: Address;
  readonly adminAddress: Address;
  /** TLS beside the plain ports: undefined without a certificate, and with tlsOnly. */
  readonly tlsTcpAddress: Address | undefined;
  readonly tlsHttpAddress: Address | undefined;
  readonly workers: number;
  /** Open client connections. */
  readonly connections: number;
  /** The thread of a shard, for tools that watch or kill it. */
  threadOf(shard: number): Worker | undefined;
  /** Loads the certificate again, for new connections. A bad one is logged, and the old one stays. */
  reload(): void;
  /** Answers and stores what was read, says 1001 to everyone, ends; cut off after drainTimeoutMs. */
  drain(): Promise<void>;
  /** Ends at once. */
  close(): Promise<void>;
  /** Called when the server cannot go on. */
  onFatal(listener: (error: unknown) => void): void;
}

/** Starts a server; resolves when everything listens. Rejects, with nothing left open, when it cannot. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const server = new RunningServer(options);
  try {
    await server.start();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

class RunningServer implements Server {
  readonly workers: number;
  readonly #options: ServerOptions;
  readonly #logger: Logger;
  readonly #gateway: Gateway;
  readonly #system: ActorSystem<Services>;
  readonly #stores: ShardStores;
  readonly #pool: ShardPool;
  readonly #bans = new Bans();
  readonly #counters: NetCounters;
  readonly #certificate: Certificate | undefined;
  readonly #ports: ClientPorts;
  readonly #metrics: Metrics;
  readonly #admin: ReturnType<typeof createAdmin>;
  readonly #fatal: ((error: unknown) => void)[] = [];
  #started = false;
  #ended: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.workers = options.workers;
    this.#logger = options.logger ?? pino({ level: 'silent' });
    this.#counters = new NetCounters(options.workers);
    const { tlsCert, tlsKey } = options;
    if (tlsCert !== undefined && tlsKey !== undefined)
      this.#certificate = new Certificate({ certFile: tlsCert, keyFile: tlsKey }, this.#counters);
    this.#gateway = new Gateway({
      shards: options.workers,
      authenticator: options.authenticator ?? createAuthenticator(options.auth),
      banOf: (user) => this.#bans.find(user)?.reason,
      ...(options.guests !== undefined && { guests: new Guests(options.guests) }),
      authTimeoutMs: options.authTimeoutMs,
      idleTimeoutMs: options.idleTimeoutMs,
      packageBytesMax: options.packageBytesMax,
      counters: this.#counters,
      drainReconnectMs: options.drainReconnectMs,
      logger: this.#logger,
    });
    this.#system = new ActorSystem<Services>({
      node: options.workers,
      kinds,
      place: placeOn(options.workers),
    });
    this.#stores = this.#openStores(options);
    this.#pool = new ShardPool({
      shards: options.workers,
      packageBytesMax: options.packageBytesMax,
      idleTimeoutMs: options.idleTimeoutMs,
      rates: options.rates,
      stores: this.#stores,
      webhooks: options.webhooks,
      logLevel: this.#logger.level,
      logger: this.#logger,
      gateway: this.#gateway,
      system: this.#system,
      ...(options.shardEntry !== undefined && { shardEntry: options.shardEntry }),
    });
    this.#ports = new ClientPorts({ ...options, gateway: this.#gateway, certificate: this.#certificate });
    this.#metrics = new Metrics({
      counters: this.#counters,
      laneBytes: () => this.#gateway.laneBytes(),
      figures: (timeoutMs) => this.#pool.figures(timeoutMs),
      deaths: () => this.#pool.deaths,
      tablesBytes: () => this.#stores.tablesBytes(),
    });
    const { adminToken } = options;
    const apis = adminApis(this.#system, options.workers);
    const goim = new GoimApi(this.#system, options.workers);
    this.#admin = createAdmin({
      ...apis,
      bans: this.#bans,
      stats: new StatsOnActors(this.#system, {
        shards: options.workers,
        store: options.store,
        sockets: () => this.connections,
        bans: () => this.#bans.size,
        storeBytes: () => this.#stores.bytes(),
      }),
      shutOut: async (user, close) => {
        const closed = await apis.presence.kick({ user, ...close }).catch(() => null);
        this.#gateway.shutOut(user, close); // behind what was let in before the ban
        return closed;
      },
      messageBytesMax: options.packageBytesMax - HEADER_BYTES - SEND_HEAD_BYTES,
      status: () => this.#status(),
      metrics: this.#metrics,
      logger: this.#logger,
      scopes: [(scope, logger) => addGoimRoutes(scope, { api: goim, node: this.#goimNode() }, logger)],
      ...(adminToken === undefined ? {} : { token: adminToken }),
    });
  }

  get tcpAddress(): Address {
    return this.#ports.tcpAddress;
  }

  get httpAddress(): Address {
    return this.#ports.httpAddress;
  }

  get adminAddress(): Address {
    const { address, port } = this.#admin.server.address() as AddressInfo;
    return { host: address, port };
  }

  get tlsTcpAddress(): Address | undefined {
    return this.#ports.tlsTcpAddress;
  }

  get tlsHttpAddress(): Address | undefined {
    return this.#ports.tlsHttpAddress;
  }

  get connections(): number {
    return this.#gateway.connectionCount;
  }

  threadOf(shard: number): Worker | undefined {
    return this.#pool.threadOf(shard);
  }

  onFatal(listener: (error: unknown) => void): void {
    this.#fatal.push(listener);
  }

  reload(): void {
    this.#certificate?.reload(this.#logger);
  }

  async start(): Promise<void> {
    const { adminHost, adminPort, data, store } = this.#options;
    const onError = (error: unknown): void => this.#tellFatal(error);
    await this.#stores.open();
    if (store === 'disk') await this.#bans.open(bansFile(data));
    await this.#pool.start();
    await this.#ports.listen(onError);
    await this.#admin.listen({ host: adminHost, port: adminPort });
    this.#admin.server.on('error', onError);
    this.#started = true;
  }

  drain(): Promise<void> {
    this.#ended ??= this.#drain();
    return this.#ended;
  }

  close(): Promise<void> {
    this.#ended ??= this.#close();
    return this.#ended;
  }

  async #drain(): Promise<void> {
    this.#ports.close();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => {
        resolve('late');
      }, this.#options.drainTimeoutMs);
    });
    const left = await Promise.race([this.#gateway.drain(), late]);
    if (left === 'late') {
      this.#logger.warn({ connections: this.connections }, 'drain timed out: the rest is cut off');
      await this.#close();
    } else {
      await Promise.race([this.#pool.stop(), late]);
      await this.#close();
    }
    clearTimeout(timer);
  }

  async #close(): Promise<void> {
    this.#ports.close();
    this.#gateway.close();
    this.#ports.destroy();
    await this.#admin.close();
    this.#metrics.stop();
    await this.#system.stop({ timeoutMs: 0 });
    await this.#pool.destroy();
    await this.#bans.close();
    await this.#stores.close();
  }

  #openStores(options: ServerOptions): ShardStores {
    if (options.store === 'memory') return new MemoryStores(options.memoryStoreBytesMax);
    const { retentionAgeMs: ageMs, retentionMessages: messages } = options;
    const keepsAll = ageMs === undefined && messages === undefined;
    return new DiskStores({
      dir: options.data,
      fsync: options.fsync,
      retention: keepsAll ? undefined : { ageMs, messages },
      logger: this.#logger,
      onFatal: (error) => this.#tellFatal(error),
    });
  }

  /** This server as goim's queries tell of it. */
  #goimNode(): GoimNode {
    const { host, idleTimeoutMs, tlsOnly } = this.#options;
    const ports = this.#ports;
    return {
      host,
      idleTimeoutMs,
      startedAt: Date.now(),
      tcpPort: () => ports.tcpAddress.port,
      webSocketPort: () => ports.httpAddress.port,
      tlsWebSocketPort: () => (tlsOnly ? ports.httpAddress.port : ports.tlsHttpAddress?.port),
      connections: () => this.#gateway.connectionCount,
      addresses: () => ports.addresses,
    };
  }

  #tellFatal(error: unknown): void {
    for (const tell of this.#fatal) tell(error);
  }

  #status(): 'starting' | 'ready' | 'degraded' | 'draining' {
    if (this.#gateway.isDraining) return 'draining';
    if (!this.#started) return 'starting';
    return this.#pool.runningCount === this.workers ? 'ready' : 'degraded';
  }
}
