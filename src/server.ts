import { once } from 'node:events';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Worker } from 'node:worker_threads';
import { pino, type Logger } from 'pino';
import { ActorSystem } from './actor/index.ts';
import { createAdmin } from './admin/admin.ts';
import type { Authenticator } from './auth/auth.ts';
import { openAuthenticator } from './auth/open.ts';
import type { Options } from './cli/options.ts';
import { limits } from './limits.ts';
import { Gateway } from './net/gateway.ts';
import { createTcpServer } from './net/tcp.ts';
import { createWebServer } from './net/web.ts';
import { GroupsOnActors } from './shard/groups-api.ts';
import { kinds, placeOn } from './shard/kinds.ts';
import { ShardPool } from './shard/pool.ts';
import { DiskStores, MemoryStores, type ShardStores } from './shard/stores.ts';
import type { Services } from './shard/services.ts';

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
  readonly workers: number;
  /** Open client connections. */
  readonly connections: number;
  /** The thread of a shard, for tools that watch or kill it. */
  threadOf(shard: number): Worker | undefined;
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
  readonly #tcp: NetServer;
  readonly #http: NetServer;
  readonly #admin: ReturnType<typeof createAdmin>;
  readonly #fatal: ((error: unknown) => void)[] = [];
  #started = false;
  #ended: Promise<void> | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.workers = options.workers;
    this.#logger = options.logger ?? pino({ level: 'silent' });
    this.#gateway = new Gateway({
      shards: options.workers,
      authenticator: options.authenticator ?? openAuthenticator,
      authTimeoutMs: options.authTimeoutMs,
      idleTimeoutMs: options.idleTimeoutMs,
      packageBytesMax: options.packageBytesMax,
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
      stores: this.#stores,
      logLevel: this.#logger.level,
      logger: this.#logger,
      gateway: this.#gateway,
      system: this.#system,
      ...(options.shardEntry !== undefined && { shardEntry: options.shardEntry }),
    });
    this.#tcp = createTcpServer(this.#gateway);
    this.#http = createWebServer(this.#gateway);
    const { adminToken } = options;
    this.#admin = createAdmin({
      groups: new GroupsOnActors(this.#system),
      status: () => this.#status(),
      logger: this.#logger,
      ...(adminToken === undefined ? {} : { token: adminToken }),
    });
  }

  get tcpAddress(): Address {
    return addressOf(this.#tcp);
  }

  get httpAddress(): Address {
    return addressOf(this.#http);
  }

  get adminAddress(): Address {
    return addressOf(this.#admin.server);
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

  async start(): Promise<void> {
    const { host, tcpPort, httpPort, adminHost, adminPort } = this.#options;
    await this.#stores.open();
    await this.#pool.start();
    await listen(this.#tcp, tcpPort, host);
    await listen(this.#http, httpPort, host);
    await this.#admin.listen({ host: adminHost, port: adminPort });
    for (const listener of [this.#tcp, this.#http, this.#admin.server]) {
      listener.on('error', (error) => this.#tellFatal(error));
    }
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
    this.#tcp.close();
    this.#http.close();
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
    this.#tcp.close();
    this.#http.close();
    this.#gateway.close();
    await this.#admin.close();
    await this.#system.stop({ timeoutMs: 0 });
    await this.#pool.destroy();
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

  #tellFatal(error: unknown): void {
    for (const tell of this.#fatal) tell(error);
  }

  #status(): 'starting' | 'ready' | 'degraded' | 'draining' {
    if (this.#gateway.isDraining) return 'draining';
    if (!this.#started) return 'starting';
    return this.#pool.runningCount === this.workers ? 'ready' : 'degraded';
  }
}

async function listen(server: NetServer, port: number, host: string): Promise<void> {
  server.listen({ port, host, backlog: limits.listenBacklogMax });
  await once(server, 'listening');
}

function addressOf(server: Pick<NetServer, 'address'>): Address {
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}
