import { beginMulticast } from '../shard/output.ts';
import { limits } from '../limits.ts';
import { counters } from '../metrics/counters.ts';
import { ToGateway, type Lane } from '../net/lane.ts';
import type { Session } from '../user/session.ts';
import { HEADER_BYTES, PUSH_VERSION, writeHeader } from '../wire/frame.ts';
import { pushPackage } from '../wire/goim.ts';
import { Op } from '../wire/op.ts';
import { PacedPush } from './paced.ts';
import type { Push, Recipients } from './messages.ts';
import type { Registry } from './registry.ts';

/** Packages that go to the same clients, as one write of each. */
interface Pending {
  readonly operation: number;
  readonly to: Exclude<Recipients, { readonly speed: number }> | typeof everyone | PacedStep;
  readonly packages: Buffer[];
  bytes: number;
}

/** Some of those whom a paced push is for. */
interface PacedStep {
  readonly connections: Int32Array;
}

const everyone = { everyone: true } as const;

export interface PushesHost {
  scheduleTick(): void;
}

/**
 * Pushes on their way from this shard to its goim clients (docs/goim.md "Pushes"). They wait for the
 * end of the tick, and for the lane while that is full; then they are encoded once for TCP and once
 * for WebSocket and multicast. Nothing is kept for a client that does not read: it misses them.
 */
export class Pushes {
  readonly #host: PushesHost;
  readonly #lane: Lane;
  readonly #registry: Registry;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  readonly #paced = new Set<PacedPush>();
  #tcp: Session[] = [];
  #webSocket: Session[] = [];

  constructor(host: PushesHost, lane: Lane, registry: Registry) {
    this.#host = host;
    this.#lane = lane;
    this.#registry = registry;
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  /** False: too much waits, and this was not taken. */
  push({ operation, message, to }: Push): boolean {
    if (!this.#hasRoom(message.length + HEADER_BYTES)) return false;
    const bytes = pushPackage(operation, message);
    if (!('speed' in to)) return this.#add(operation, to, bytes);
    if (to.speed <= 0) return this.#add(operation, everyone, bytes);
    return this.#pace(operation, bytes, to.speed);
  }

  /** Writes what waits, as far as the lane takes it. */
  flush(): void {
    let at = 0;
    while (at < this.#pending.length && !this.#lane.isFull) {
      const pending = this.#pending[at++]!;
      this.#pendingBytes -= pending.bytes;
      this.#write(pending);
    }
    if (at > 0) this.#pending = this.#pending.slice(at);
  }

  stop(): void {
    for (const paced of this.#paced) paced.stop();
    this.#paced.clear();
  }

  #hasRoom(bytes: number): boolean {
    return this.#pendingBytes === 0 || this.#pendingBytes + bytes <= limits.goimPendingBytesMax;
  }

  #add(operation: number, to: Pending['to'], bytes: Buffer): boolean {
    const last = this.#pending.at(-1);
    if (last !== undefined && goTogether(last, operation, to, bytes.length)) {
      last.packages.push(bytes);
      last.bytes += bytes.length;
    } else this.#pending.push({ operation, to, packages: [bytes], bytes: bytes.length });
    this.#pendingBytes += bytes.length;
    this.#host.scheduleTick();
    return true;
  }

  #pace(operation: number, bytes: Buffer, speed: number): boolean {
    if (this.#paced.size >= limits.goimPacedMax) return false;
    const connections = Int32Array.from(this.#registry.sessions.keys());
    const paced = new PacedPush(connections, speed, (some) => {
      if (!this.#hasRoom(bytes.length)) return false;
      return this.#add(operation, { connections: some }, bytes);
    });
    paced.onDone = () => this.#paced.delete(paced);
    this.#paced.add(paced);
    paced.start();
    return true;
  }

  #write({ operation, to, packages, bytes }: Pending): void {
    // As in goim, what is pushed to a room is for all in it, whatever they accept.
    const any = 'room' in to;
    for (const session of this.#sessionsOf(to)) {
      const { goim, congested, closing } = session;
      if (goim === undefined || congested || closing !== undefined) continue;
      if (any || goim.accepts.includes(operation))
        (session.webSocket ? this.#webSocket : this.#tcp).push(session);
    }
    if (this.#tcp.length > 0) this.#multicast(this.#tcp, packages, bytes, false);
    if (this.#webSocket.length > 0) this.#multicast(this.#webSocket, packages, bytes, true);
    this.#tcp.length = 0;
    this.#webSocket.length = 0;
  }

  *#sessionsOf(to: Pending['to']): Iterable<Session> {
    if ('everyone' in to) yield* this.#registry.sessions.values();
    else if ('room' in to) yield* this.#registry.inRoom(to.room);
    else if ('users' in to) for (const user of to.users) yield* this.#registry.byUser(user);
    else if ('keys' in to) for (const key of to.keys) yield* this.#registry.byKey(key);
    else
      for (const connection of to.connections) {
        const session = this.#registry.sessions.get(connection);
        if (session !== undefined) yield session;
      }
  }

  /** TCP clients get the packages themselves, WebSockets get them in an op 9. */
  #multicast(sessions: readonly Session[], packages: readonly Buffer[], bytes: number, batch: boolean): void {
    counters.pushes += packages.length * sessions.length;
    const { out } = this.#lane;
    const whole = batch ? HEADER_BYTES + bytes : bytes;
    let at = beginMulticast(out, ToGateway.multicastLive, sessions, whole);
    if (batch) at = writeHeader(out.buf, at, whole, PUSH_VERSION, Op.batch, 0);
    for (const one of packages) at += one.copy(out.buf, at);
  }
}

/** Whether a push can leave with the one before it. */
function goTogether(last: Pending, operation: number, to: Pending['to'], bytes: number): boolean {
  if (last.bytes + bytes > limits.goimBatchBytesMax) return false;
  if ('room' in to) return 'room' in last.to && last.to.room === to.room;
  return to === everyone && last.to === everyone && last.operation === operation;
}
