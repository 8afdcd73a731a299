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

/** Collects records; `take` hands the slab over and begins the next one. */
export class SlabWriter {
  /** The slab's bytes: write payloads here, at the offset that `begin` returned. */
  buf: Buffer = empty;
  #words: Int32Array = emptyWords;
  #used = 0;
  #flags = 0;
  #sizeHint = SLAB_BYTES_MIN;

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
    this.#words = emptyWords;
    this.#used = 0;
    this.#flags = 0;
    return slab;
  }

  #grow(bytes: number): void {
    let size = Math.max(this.buf.length * 2, padded(this.#sizeHint));
    while (size < bytes) size *= 2;
    // Not zeroed, and not from the shared pool, whose memory cannot be transferred.
    const next = Buffer.allocUnsafeSlow(size);
    this.buf.copy(next, 0, 0, this.#used);
    this.buf = next;
    this.#words = new Int32Array(next.buffer, 0, size >> 2);
  }
}

const empty = Buffer.alloc(0);
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
