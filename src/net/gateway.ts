import type { MessagePort } from 'node:worker_threads';
import type { Guests } from '../auth/guests.ts';
import type { Admission, Authenticator, AuthResult, Credentials } from '../auth/auth.ts';
import { closes, type CloseReason } from '../errors.ts';
import type { Logger } from 'pino';
import { findTracer, traced } from '../tracing.ts';
import { shardOf } from '../wire/shard-of.ts';
import { SYSTEM, type UserId } from '../wire/user-id.ts';
import type { AuthOutcome, NetCounters } from './counters.ts';
import { Pause, type Connection, type ConnectionListener } from './connection.ts';
import type { Opening } from './lane.ts';
import { ShardPort } from './shard-port.ts';

export interface GatewayOptions {
  readonly shards: number;
  readonly authenticator: Authenticator;
  /** Why this user may not connect, although it is who it says; undefined if it may. */
  readonly banOf: (user: UserId) => string | undefined;
  /** Absent: messaging needs a `client_id`. */
  readonly guests?: Guests;
  readonly authTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly packageBytesMax: number;
  readonly counters: NetCounters;
  /** Clients of a drain are told to come back within this time, each at its own. Default: 0, no hint. */
  readonly drainReconnectMs?: number;
  readonly logger: Logger;
}

/** What a connection is opened with besides who it is. */
export type Wish = Pick<
  Opening,
  'device' | 'encoding' | 'webSocket' | 'ack' | 'notices' | 'version' | 'seq' | 'goim'
>;

/**
 * The main thread's side of the server: who is connected, and which shard has them. It knows
 * connections by number and never a user's state.
 */
export class Gateway implements ConnectionListener {
  readonly options: GatewayOptions;
  readonly #tracer = findTracer();
  readonly #connections = new Map<number, Connection>();
  readonly #ports: (ShardPort | undefined)[];
  #lastId = 0;
  #draining = false;
  #undrained = 0;
  #onDrained: (() => void) | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: GatewayOptions) {
    this.options = options;
    this.#ports = Array.from({ length: options.shards }, () => undefined);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  attachShard(shard: number, port: MessagePort): void {
    this.#ports[shard] = new ShardPort(shard, port, this.#connections, this.options.counters, () => {
      this.#shardDrained();
    });
    // A shard that was replaced during a drain has nobody left to finish for.
    if (this.#draining) this.#ports[shard]?.drain();
  }

  detachShard(shard: number): void {
    this.#ports[shard]?.lost();
    this.#ports[shard] = undefined;
  }

  /** A number for a connection that is being accepted: not 0, not in use, within an int32. */
  nextId(): number {
    do this.#lastId = (this.#lastId % 0x7fff_ffff) + 1;
    while (this.#connections.has(this.#lastId));
    return this.#lastId;
  }

  /** From here on the gateway owns the connection, until its socket closes. */
  add(connection: Connection): void {
    this.#connections.set(connection.id, connection);
    const { id, transport, address } = connection;
    this.options.counters.opened[transport] += 1;
    this.options.logger.debug({ connection: id, transport, address }, 'connection opened');
    if (this.#draining) connection.end(closes.goingAway);
  }

  remove(connection: Connection): void {
    if (!this.#connections.delete(connection.id)) return;
    const { counters } = this.options;
    counters.ended[connection.transport] += 1;
    if (connection.closing === undefined) counters.close(leftByClient.code);
    const { code, reason } = connection.closing ?? leftByClient;
    this.options.logger.debug({ connection: connection.id, code, reason }, 'connection closed');
    if (connection.shard >= 0) this.#ports[connection.shard]?.closed(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  /** Asks the authenticator, within the time for authentication; a failing one refuses. */
  async authenticate(credentials: Credentials): Promise<AuthResult> {
    // Not AbortSignal.timeout: its timer would outlive the answer, one for each connection.
    const since = performance.now();
    let outcome: AuthOutcome = 'failed';
    const controller = new AbortController();
    const timer = setTimeout(() => {
      controller.abort();
    }, this.options.authTimeoutMs);
    try {
      const { protocol } = credentials;
      const result = await traced(this.#tracer, 'encke.authenticate', { 'encke.protocol': protocol }, () =>
        this.options.authenticator.authenticate(credentials, controller.signal),
      );
      const admitted = result.ok ? this.unlessBanned(result) : result;
      outcome = admitted.ok ? 'accepted' : 'refused';
      return admitted;
    } catch (error) {
      this.options.logger.warn({ err: error }, 'authentication failed to run: refused');
      return { ok: false, error: 'not_authenticated', reason: 'authentication is unavailable' };
    } finally {
      clearTimeout(timer);
      this.options.counters.authenticated(credentials.protocol, outcome, (performance.now() - since) / 1_000);
    }
  }

  /** Also for whoever comes in without the authenticator: guests. */
  unlessBanned(admission: Admission): AuthResult {
    const { user } = admission;
    const reason = this.options.banOf(user);
    if (reason !== undefined) return { ok: false, error: 'banned', reason };
    // An authenticator of an embedder may name anybody, but nobody is the system.
    if (user !== SYSTEM) return admission;
    return { ok: false, error: 'not_authenticated', reason: 'no such user' };
  }

  /** Closes what a user has, connections that are on their way to its shard included. */
  shutOut(user: UserId, close: Pick<CloseReason, 'code' | 'reason'>): void {
    this.#ports[shardOf(user, this.#ports.length)]?.kick(user, close);
  }

  /** Hands an authenticated connection to the shard of its user; false when that shard is down. */
  open(connection: Connection, admission: Admission, wish: Wish): boolean {
    const { user, permissions, expiresAt } = admission;
    const port = this.#ports[shardOf(user, this.#ports.length)];
    if (port === undefined) {
      connection.end(closes.restart);
      return false;
    }
    connection.startCounting();
    const { address, connectedAt } = connection;
    port.open(connection, {
      ...wish,
      user,
      address,
      connectedAt,
      ...(permissions !== undefined && { permissions }),
      ...(expiresAt !== undefined && { expiresAt }),
    });
    const { encoding, device } = wish;
    const { id, shard } = connection;
    this.options.logger.debug({ connection: id, user, device, encoding, shard }, 'connection authenticated');
    return true;
  }

  input(connection: Connection, type: number, chunk: Buffer): void {
    if (!connection.ending) this.#ports[connection.shard]?.input(connection, type, chunk);
  }

  ended(connection: Connection): void {
    if (connection.shard >= 0) this.#ports[connection.shard]?.ended(connection);
    else connection.end({ code: 0, reason: '' });
  }

  /** Bytes on the way to each shard that are not taken in. A shard that is down has none. */
  laneBytes(): number[] {
    return this.#ports.map((port) => port?.pendingBytes ?? 0);
  }

  /** docs/protocol.md "Coming back": at a drain each client gets a time of its own. */
  retryAfter(code: number): number | undefined {
    const { drainReconnectMs = 0 } = this.options;
    if (!this.#draining || code !== closes.goingAway.code || drainReconnectMs === 0) return undefined;
    return Math.floor(Math.random() * drainReconnectMs);
  }

  congested(connection: Connection): void {
    if (connection.shard >= 0) this.#ports[connection.shard]?.congested(connection);
  }

  drained(connection: Connection): void {
    if (connection.shard >= 0) this.#ports[connection.shard]?.drained(connection);
  }

  deferred(connection: Connection): void {
    if (connection.shard >= 0) this.#ports[connection.shard]?.deferred(connection);
  }

  closing(code: number): void {
    this.options.counters.close(code);
  }

  /**
   * Stops reading, lets every shard finish what was read and close its sessions, and resolves when
   * the last socket has closed.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#undrained = this.#ports.filter((port) => port !== undefined).length;
    for (const connection of this.#connections.values()) {
      if (connection.shard < 0) connection.end(closes.goingAway);
      else connection.pause(Pause.drain);
    }
    const shardsDone = new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
    for (const port of this.#ports) port?.drain();
    if (this.#undrained > 0) await shardsDone;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    if (this.#connections.size > 0) await empty;
  }

  /** Cuts what is left. */
  close(): void {
    for (const connection of this.#connections.values()) connection.socket.destroy();
    for (const port of this.#ports) port?.close();
  }

  #shardDrained(): void {
    this.#undrained -= 1;
    if (this.#undrained === 0) this.#onDrained?.();
  }
}

const leftByClient = { code: 0, reason: 'the client left' } as const;
