import type { MessagePort } from 'node:worker_threads';
import { closes, errorReasons, type CloseReason } from '../errors.ts';
import { limits } from '../limits.ts';
import type { UserId } from '../wire/user-id.ts';
import { Pause, type Connection } from './connection.ts';
import type { NetCounters } from './counters.ts';
import { Lane, ToGateway, ToShard, type KickRecord, type Opening } from './lane.ts';
import type { SlabReader } from './slab.ts';

/** The connections of all shards by id: the shard speaks of them by number. */
export type Connections = Map<number, Connection>;

/**
 * The gateway's end of one shard: puts input into its lane, carries out what comes back, and
 * pauses sockets so that neither a connection nor the shard has more than its bound on the way.
 */
export class ShardPort {
  readonly shard: number;
  readonly #connections: Connections;
  readonly #lane: Lane;
  readonly #onDrained: () => void;
  readonly #counters: NetCounters;
  /** Connections that were paused because the lane is full. */
  readonly #held = new Set<Connection>();
  /** Connections with a write of which it is not known yet whether it was taken. */
  readonly #deferred: Connection[] = [];
  #flushScheduled = false;
  /** The kernel took all of the slab that is being carried out: no socket holds a view of it. */
  #taken = true;

  constructor(
    shard: number,
    port: MessagePort,
    connections: Connections,
    counters: NetCounters,
    onDrained: () => void,
  ) {
    this.shard = shard;
    this.#connections = connections;
    this.#counters = counters;
    this.#onDrained = onDrained;
    this.#lane = new Lane(port, limits.laneInBytesMax, (reader) => {
      this.#taken = true;
      this.#carryOut(reader);
      return this.#taken;
    });
    this.#lane.onAcknowledged = this.#onAcknowledged;
    this.#lane.beforePost = this.#expire;
  }

  /** Bytes on the way to the shard, not taken in yet. */
  get pendingBytes(): number {
    return this.#lane.pendingBytes;
  }

  open(connection: Connection, opening: Opening): void {
    connection.shard = this.shard;
    this.#tellText(ToShard.open, connection.id, JSON.stringify(opening));
  }

  /** Input of a connection: a `bytes`, `text` or `binary` record. */
  input(connection: Connection, type: number, chunk: Buffer): void {
    const at = this.#lane.out.begin(type, connection.id, 0, chunk.length);
    chunk.copy(this.#lane.out.buf, at);
    connection.inBytes += chunk.length;
    this.#counters.bytesIn[this.shard]! += chunk.length;
    if (connection.inBytes >= limits.sessionInBytesMax) connection.pause(Pause.credit);
    if (this.#lane.isFull) {
      connection.pause(Pause.lane);
      this.#held.add(connection);
    }
    this.#schedule();
  }

  ended(connection: Connection): void {
    this.#tell(ToShard.ended, connection.id, 0);
  }

  closed(connection: Connection): void {
    this.#held.delete(connection);
    this.#tell(ToShard.closed, connection.id, connection.taken);
  }

  congested(connection: Connection): void {
    this.#tell(ToShard.congested, connection.id, connection.taken);
  }

  deferred(connection: Connection): void {
    this.#deferred.push(connection);
  }

  drained(connection: Connection): void {
    this.#tell(ToShard.drained, connection.id, 0);
  }

  /** Closes the sessions of a user, those that were opened before this included. */
  kick(user: UserId, { code, reason }: Pick<CloseReason, 'code' | 'reason'>): void {
    this.#tellText(ToShard.kick, 0, JSON.stringify({ user, code, reason } satisfies KickRecord));
  }

  /** Everything read so far is on its way; the shard answers when its sessions are closed. */
  drain(): void {
    this.#tell(ToShard.drain, 0, 0);
  }

  /** The shard is gone: its connections are told, the lane is closed. */
  lost(): void {
    this.#lane.close();
    for (const connection of this.#connections.values()) {
      if (connection.shard === this.shard) connection.end(closes.restart);
    }
  }

  close(): void {
    this.#lane.close();
  }

  #tellText(type: number, connection: number, text: string): void {
    const at = this.#lane.out.begin(type, connection, 0, Buffer.byteLength(text));
    this.#lane.out.buf.write(text, at);
    this.#schedule();
  }

  #tell(type: number, connection: number, argument: number): void {
    this.#lane.out.begin(type, connection, argument, 0);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(this.#flush);
  }

  /** What is acknowledged was taken, or is reported before: see ARCHITECTURE.md, "Delivery, precisely". */
  readonly #expire = (): void => {
    for (const connection of this.#deferred) connection.expire();
    this.#deferred.length = 0;
  };

  readonly #flush = (): void => {
    this.#flushScheduled = false;
    this.#lane.flush();
  };

  readonly #onAcknowledged = (): void => {
    this.#lane.flush();
    if (this.#held.size === 0 || this.#lane.pendingBytes > limits.laneInBytesMax / 2) return;
    for (const connection of this.#held) connection.resume(Pause.lane);
    this.#held.clear();
  };

  #carryOut(reader: SlabReader): void {
    while (reader.next()) {
      switch (reader.type) {
        case ToGateway.write:
          this.#counters.bytesOut[this.shard]! += reader.end - reader.start;
          this.#write(reader.connection, reader.buf.subarray(reader.start, reader.end));
          break;
        case ToGateway.multicast:
          this.#multicast(reader);
          break;
        case ToGateway.multicastLive:
          this.#multicastLive(reader);
          break;
        case ToGateway.credit:
          this.#credit(reader.connection, reader.argument);
          break;
        case ToGateway.close:
          this.#connections.get(reader.connection)?.end({
            code: reader.argument,
            reason: reader.buf.toString('utf8', reader.start, reader.end),
          });
          break;
        case ToGateway.drained:
          this.#onDrained();
          break;
        default:
          throw new Error(`lane record of unknown type ${reader.type}: ${errorReasons.internal_error}`);
      }
    }
  }

  #multicast(reader: SlabReader): void {
    const { buf, start, argument: count } = reader;
    const bytes = buf.subarray(start + count * 4, reader.end);
    this.#counters.bytesOut[this.shard]! += bytes.length * count;
    for (let i = 0; i < count; i++) {
      this.#write(buf.readInt32LE(start + i * 4), bytes);
    }
  }

  /** Nothing is queued for who does not read: what it misses here nobody sends again. */
  #multicastLive(reader: SlabReader): void {
    const { buf, start, argument: count } = reader;
    const bytes = buf.subarray(start + count * 4, reader.end);
    for (let i = 0; i < count; i++) {
      const connection = this.#connections.get(buf.readInt32LE(start + i * 4));
      if (connection?.isCongested !== false) continue;
      this.#counters.bytesOut[this.shard]! += bytes.length;
      if (!connection.write(bytes, 0)) this.#taken = false;
    }
  }

  #write(id: number, bytes: Buffer): void {
    const connection = this.#connections.get(id);
    if (connection !== undefined && !connection.write(bytes, 1)) this.#taken = false;
  }

  #credit(id: number, bytes: number): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    connection.inBytes -= bytes;
    if (connection.inBytes < limits.sessionInBytesMax) connection.resume(Pause.credit);
  }
}
