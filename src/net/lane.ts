import type { MessagePort } from 'node:worker_threads';
import type { Permissions } from '../auth/permissions.ts';
import type { GoimHello } from '../wire/goim.ts';
import { SLAB_HEAD_BYTES, SlabReader, SlabWriter } from './slab.ts';

/** Records from the gateway to a shard. Payload and argument are given behind each. */
export const ToShard = {
  /** A connection was authenticated. Payload: JSON of `Opening`. */
  open: 1,
  /** Bytes of a TCP stream, as they came. */
  bytes: 2,
  /** One WebSocket text message. */
  text: 3,
  /** One WebSocket binary message. */
  binary: 4,
  /** The client will send no more (TCP FIN). */
  ended: 5,
  /** The connection is gone. Argument: how many of its writes
   *  the kernel took (low 32 bits). */
  closed: 6,
  /** The client does not read fast enough. Argument as for closed. */
  congested: 7,
  /** All output so far was taken by the kernel. */
  drained: 8,
  /** The server stops: finish what was read, then close every session and answer `drained`. */
  drain: 9,
  /** Close the sessions of a user. Payload: JSON of `KickRecord`. */
  kick: 10,
} as const;

/** Records from a shard to the gateway. */
export const ToGateway = {
  /**
   * All that one connection gets in this tick, as it goes on its socket: WebSocket messages have
   * their heads. Counted as one write.
   */
  write: 1,
  /** The same for many. Argument: how many; payload: that many int32 ids, then the bytes. */
  multicast: 3,
  /** End the connection. Argument: close code (0: none to tell); payload: the reason. */
  close: 5,
  /** So many bytes of input were handled. Argument: bytes. */
  credit: 6,
  /** Every session is closed and everything it asked for is answered. */
  drained: 7,
  /** As multicast, but only for those whose socket is empty, and not counted as a write. */
  multicastLive: 8,
} as const;

/** Whose sessions are closed, and what they are told. */
export interface KickRecord {
  readonly user: number | string;
  readonly code: number;
  readonly reason: string;
}

/** What the gateway knows of a connection when it hands it to a shard. */
export interface Opening {
  readonly user: number | string;
  readonly device: string | null;
  readonly encoding: 'binary' | 'json' | 'messaging';
  /** WebSocket: output is whole messages, and closing has a code of its own. */
  readonly webSocket: boolean;
  /** Comet: what was delivered goes by op 22 alone. Messaging: what was stored is told (`accepted`). */
  readonly ack: boolean;
  /** It understands notices (docs/protocol.md "Notices"). */
  readonly notices: boolean;
  /** Of the op 7 that is answered. */
  readonly version: number;
  readonly seq: number;
  /** Absent: `defaultPermissions`. */
  readonly permissions?: Permissions;
  /** When the credentials run out, in milliseconds since 1970. Absent: never. */
  readonly expiresAt?: number;
  /** The client's address as the gateway knows it. */
  readonly address: string;
  /** When its socket was accepted, in milliseconds since 1970. */
  readonly connectedAt: number;
  /** It speaks goim's dialect (docs/goim.md). */
  readonly goim?: GoimHello;
}

/** An acknowledgement that nobody waits for rides on the next slab, or goes after this time. */
const ACK_DELAY_MS = 20;

/**
 * One end of the way between the gateway and a shard. Records are collected in a slab; `flush`
 * posts it, at most once a tick. What the other end has not acknowledged is bounded by
 * `windowBytes`: past it `flush` holds the slab back and `isFull` says so.
 *
 * `onSlab` says whether the slab is free afterwards, no view of it being held: then it is written
 * into again for the way back, and buffers go to and fro instead of being collected.
 */
export class Lane {
  readonly out = new SlabWriter();
  /** A slab is about to say what was received: the last moment to add what has to come with that. */
  beforePost: (() => void) | undefined;
  /** The other end took slabs in: `acknowledged` rose, and there may be room again. */
  onAcknowledged: (() => void) | undefined;
  readonly #port: MessagePort;
  readonly #windowBytes: number;
  /** Sizes of the slabs on their way, oldest first. */
  readonly #sizes: number[] = [];
  #unacknowledgedBytes = 0;
  #sent = 0;
  #acknowledged = 0;
  #received = 0;
  #receivedAcknowledged = 0;
  #bytesSinceAck = 0;
  #ackTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(port: MessagePort, windowBytes: number, onSlab: (reader: SlabReader) => boolean) {
    this.#port = port;
    this.#windowBytes = windowBytes;
    port.on('message', (slab: ArrayBuffer) => {
      this.#receive(slab, onSlab);
    });
  }

  /** The number that the slab now being written will have. */
  get writing(): number {
    return this.#sent + 1;
  }

  /** The newest slab that the other end has taken in. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Bytes posted or collected that the other end has not taken in. */
  get pendingBytes(): number {
    return this.#unacknowledgedBytes + this.out.used;
  }

  get isFull(): boolean {
    return this.pendingBytes >= this.#windowBytes;
  }

  flush(): void {
    if (this.#closed || this.out.isEmpty) return;
    if (this.#unacknowledgedBytes >= this.#windowBytes) return;
    this.#post();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#ackTimer);
    this.#port.close();
  }

  #post(): void {
    this.beforePost?.();
    const used = this.out.used;
    this.#sent += 1;
    this.#sizes.push(used);
    this.#unacknowledgedBytes += used;
    const slab = this.out.take(this.#sent, this.#received);
    this.#receivedAcknowledged = this.#received;
    this.#bytesSinceAck = 0;
    this.#port.postMessage(slab, [slab]);
  }

  #receive(slab: ArrayBuffer, onSlab: (reader: SlabReader) => boolean): void {
    if (this.#closed) return;
    const reader = new SlabReader(slab);
    this.#takeAcknowledgement(reader.acknowledged);
    if (onSlab(reader)) this.out.give(slab);
    if (reader.used <= SLAB_HEAD_BYTES) return; // only an acknowledgement: it is not answered by one
    this.#received = reader.number;
    this.#bytesSinceAck += reader.used;
    if (reader.wantsAck || this.#bytesSinceAck >= this.#windowBytes >> 2) setImmediate(this.#acknowledge);
    else this.#ackTimer ??= setTimeout(this.#acknowledgeLate, ACK_DELAY_MS).unref();
  }

  readonly #acknowledgeLate = (): void => {
    this.#ackTimer = undefined;
    this.#acknowledge();
  };

  readonly #acknowledge = (): void => {
    if (this.#closed || this.#receivedAcknowledged === this.#received) return;
    this.beforePost?.();
    if (!this.out.isEmpty && this.#unacknowledgedBytes < this.#windowBytes) return this.#post();
    // Nothing to ride on, or what there is has to wait: an empty slab carries the number.
    const slab = new ArrayBuffer(SLAB_HEAD_BYTES);
    const words = new Int32Array(slab);
    words[0] = SLAB_HEAD_BYTES;
    words[2] = this.#received;
    this.#receivedAcknowledged = this.#received;
    this.#bytesSinceAck = 0;
    this.#port.postMessage(slab, [slab]);
  };

  #takeAcknowledgement(slab: number): void {
    // Slabs bear the low 32 bits of their number: the distance tells which one is meant.
    const newer = (slab - this.#acknowledged) | 0;
    if (newer <= 0) return;
    for (let i = 0; i < newer; i++) this.#unacknowledgedBytes -= this.#sizes.shift() ?? 0;
    this.#acknowledged += newer;
    this.onAcknowledged?.();
  }
}
