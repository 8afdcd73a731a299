import type { Socket } from 'node:net';
import { addressKey } from './address.ts';

export interface ConnectionLimitOptions {
  readonly connectionsMax: number;
  readonly addressConnectionsMax: number;
}

type Refused = 'connections_max' | 'address_connections_max';

/** Counts the sockets of all client ports together: docs/protocol.md "Limits". */
export class ConnectionLimit {
  readonly #options: ConnectionLimitOptions;
  readonly #byAddress = new Map<string, number>();
  /** The key that a socket is counted under. */
  readonly #keys = new WeakMap<Socket, string>();
  readonly #sockets = new Set<Socket>();

  constructor(options: ConnectionLimitOptions) {
    this.#options = options;
  }

  get total(): number {
    return this.#sockets.size;
  }

  /** Addresses that have a connection. */
  get addresses(): number {
    return this.#byAddress.size;
  }

  /** A socket was accepted. It counts, until `leave`, unless it is refused. */
  enter(socket: Socket): Refused | undefined {
    if (this.#sockets.size >= this.#options.connectionsMax) return 'connections_max';
    this.#sockets.add(socket);
    return undefined;
  }

  /** From where it is: known at once, or when a trusted proxy has said so. It counts either way. */
  name(socket: Socket, address: string): Refused | undefined {
    this.giveBack(socket);
    const key = addressKey(address);
    const count = (this.#byAddress.get(key) ?? 0) + 1;
    this.#byAddress.set(key, count);
    this.#keys.set(socket, key);
    return count > this.#options.addressConnectionsMax ? 'address_connections_max' : undefined;
  }

  leave(socket: Socket): void {
    this.#sockets.delete(socket);
    this.giveBack(socket);
  }

  /** Cuts all, whatever they are at. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Its address counts no longer. */
  giveBack(socket: Socket): void {
    const key = this.#keys.get(socket);
    if (key === undefined) return;
    this.#keys.delete(socket);
    const count = (this.#byAddress.get(key) ?? 1) - 1;
    if (count === 0) this.#byAddress.delete(key);
    else this.#byAddress.set(key, count);
  }
}
