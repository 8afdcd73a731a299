import { limits } from '../limits.ts';

/**
 * A slab: the records of one tick for one thread, in one ArrayBuffer that is transferred.
 *
 * All fields are little-endian int32 at offsets divisible by 4.
 *
 *   slab    0 used bytes | 4 number of this slab | 8 number of the last slab taken in | 12 flags
 *   record  0 bytes of payload | 4 type | 8 connection | 12 argument | 16 payload, padded to 4
 */
export const SLAB_HEAD_BYTES = 16;
export const RECORD_HEAD_BYTES = 16;

/** The sender waits for the acknowledgement of this slab: do not delay it. */
export const SLAB_WANTS_ACK = 1;

const SLAB_BYTES_MIN = 4_096;

const padded = (bytes: number): number => (bytes + 3) & ~3;

/**
 * Collects records; `take` hands the slab over and begins the next one. It writes into slabs that
 * were read, as far as it is given any: memory that is used again is warm, and V8 does not have to
 * collect it (docs/performance.md).
 */
export class SlabWriter {
  /** The slab's bytes: write payloads here, at the offset that `begin` returned. */
  buf: Buffer = empty;
  /** Of `buf`. */
  view: DataView = emptyView;
  #words: Int32Array = emptyWords;
  #used = 0;
  #flags = 0;
  #sizeHint = SLAB_BYTES_MIN;
  readonly #spares: ArrayBuffer[] = [];
  #spareBytes = 0;

  get used(): number {
    return this.#used;
  }

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  wantAck(): void {
    this.#flags |= SLAB_WANTS_ACK;
  }

  /** Reserves a record with `bytes` of payload; returns the payload's offset in `buf`. */
  begin(type: number, connection: number, argument: number, bytes: number): number {
    const start = this.#used === 0 ? SLAB_HEAD_BYTES : this.#used;
    const end = start + RECORD_HEAD_BYTES + padded(bytes);
    if (end > this.buf.length) this.#grow(end);
    const words = this.#words;
    const at = start >> 2;
    words[at] = bytes;
    words[at + 1] = type;
    words[at + 2] = connection;
    words[at + 3] = argument;
    this.#used = end;
    return start + RECORD_HEAD_BYTES;
  }

  /** The slab as it stands, with its head filled in. The writer is empty afterwards. */
  take(number: number, acknowledged: number): ArrayBuffer {
    if (this.#used === 0) this.#grow(SLAB_HEAD_BYTES);
    const words = this.#words;
    const used = Math.max(this.#used, SLAB_HEAD_BYTES);
    words[0] = used;
    words[1] = number;
    words[2] = acknowledged;
    words[3] = this.#flags;
    const slab = this.buf.buffer as ArrayBuffer;
    // The next slab is as large as the recent ones were: no growing under load, little when idle.
    this.#sizeHint = Math.max(SLAB_BYTES_MIN, used, (this.#sizeHint * 3) >> 2);
    this.buf = empty;
    this.view = emptyView;
    this.#words = emptyWords;
    this.#used = 0;
    this.#flags = 0;
    return slab;
  }

  /**
   * A slab that nobody reads any more, nor holds a view of. The largest ones are kept, within the
   * bounds; the others are left to the collector.
   */
  give(slab: ArrayBuffer): void {
    const spares = this.#spares;
    spares.push(slab);
    spares.sort((a, b) => b.byteLength - a.byteLength);
    this.#spareBytes += slab.byteLength;
    while (spares.length > limits.laneSparesMax || this.#spareBytes > limits.laneSpareBytesMax) {
      // One that is too large by itself goes, else the smallest.
      const gone =
        (spares[0] as ArrayBuffer).byteLength > limits.laneSpareBytesMax ? spares.shift() : spares.pop();
      this.#spareBytes -= gone?.byteLength ?? 0;
    }
  }

  #grow(bytes: number): void {
    const outgrown = this.buf;
    const next = this.#spareOf(bytes) ?? this.#allocate(bytes);
    outgrown.copy(next, 0, 0, this.#used);
    this.buf = next;
    this.view = new DataView(next.buffer, next.byteOffset, next.length);
    this.#words = new Int32Array(next.buffer, next.byteOffset, next.length >> 2);
    if (outgrown.length > 0) this.give(outgrown.buffer as ArrayBuffer);
  }

  #spareOf(bytes: number): Buffer | undefined {
    if ((this.#spares[0]?.byteLength ?? 0) < bytes) return undefined;
    const spare = this.#spares.shift() as ArrayBuffer;
    this.#spareBytes -= spare.byteLength;
    return Buffer.from(spare);
  }

  #allocate(bytes: number): Buffer {
    let size = Math.max(this.buf.length * 2, padded(this.#sizeHint));
    while (size < bytes) size *= 2;
    // Not zeroed, and not from the shared pool, whose memory cannot be transferred.
    return Buffer.allocUnsafeSlow(size);
  }
}

const empty = Buffer.alloc(0);
const emptyView = new DataView(new ArrayBuffer(0));
const emptyWords = new Int32Array(0);

/** Walks the records of a slab: `while (reader.next()) …`. */
export class SlabReader {
  readonly buf: Buffer;
  readonly used: number;
  readonly number: number;
  readonly acknowledged: number;
  readonly wantsAck: boolean;
  type = 0;
  connection = 0;
  argument = 0;
  /** The payload is [start, end) of `buf`. */
  start = 0;
  end = 0;
  readonly #words: Int32Array;
  #at = SLAB_HEAD_BYTES;

  constructor(slab: ArrayBuffer) {
    this.buf = Buffer.from(slab);
    this.#words = new Int32Array(slab, 0, slab.byteLength >> 2);
    this.used = this.#words[0] ?? 0;
    this.number = this.#words[1] ?? 0;
    this.acknowledged = this.#words[2] ?? 0;
    this.wantsAck = ((this.#words[3] ?? 0) & SLAB_WANTS_ACK) !== 0;
  }

  next(): boolean {
    if (this.#at >= this.used) return false;
    const words = this.#words;
    const at = this.#at >> 2;
    const bytes = words[at] ?? 0;
    this.type = words[at + 1] ?? 0;
    this.connection = words[at + 2] ?? 0;
    this.argument = words[at + 3] ?? 0;
    this.start = this.#at + RECORD_HEAD_BYTES;
    this.end = this.start + bytes;
    this.#at = this.start + padded(bytes);
    return true;
  }
}
