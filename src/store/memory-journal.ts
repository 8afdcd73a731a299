/**
 * The memory store's journal: entries in shared memory, in the order they were written. The main
 * thread keeps the segments, so that a shard thread that dies loses nothing: the one that replaces
 * it replays them.
 *
 *   segment  0 int32 used bytes, published after the entries are whole | 8 entries
 *   entry    0 int32 bytes of payload | 4 int32 type | 8 payload, padded to 8
 */
export const SEGMENT_HEAD_BYTES = 8;
export const ENTRY_HEAD_BYTES = 8;

export interface Segment {
  /** Counts up from 1 within a shard; never used again. */
  readonly number: number;
  readonly memory: SharedArrayBuffer;
}

/** Tells whoever outlives the thread. */
export interface SegmentKeeper {
  keep(segment: Segment): void;
  drop(number: number): void;
}

export interface EntryVisitor {
  (type: number, segment: OpenSegment, start: number, end: number): void;
}

export class OpenSegment {
  readonly number: number;
  readonly memory: SharedArrayBuffer;
  readonly buf: Buffer;
  readonly #words: Int32Array;
  used: number;

  constructor(segment: Segment) {
    this.number = segment.number;
    this.memory = segment.memory;
    this.buf = Buffer.from(segment.memory);
    this.#words = new Int32Array(segment.memory);
    this.used = Atomics.load(this.#words, 0) || SEGMENT_HEAD_BYTES;
  }

  get room(): number {
    return this.buf.length - this.used;
  }

  /** Reserves an entry and returns where its payload starts; `publish` makes it part of the log. */
  reserve(type: number, bytes: number): number {
    const at = this.used;
    this.#words[at >> 2] = bytes;
    this.#words[(at >> 2) + 1] = type;
    this.used = at + entryBytes(bytes);
    return at + ENTRY_HEAD_BYTES;
  }

  publish(): void {
    Atomics.store(this.#words, 0, this.used);
  }

  visit(visitor: EntryVisitor): void {
    let at = SEGMENT_HEAD_BYTES;
    while (at < this.used) {
      const bytes = this.#words[at >> 2] ?? 0;
      const start = at + ENTRY_HEAD_BYTES;
      visitor(this.#words[(at >> 2) + 1] ?? 0, this, start, start + bytes);
      at += entryBytes(bytes);
    }
  }
}

export const entryBytes = (payloadBytes: number): number => ENTRY_HEAD_BYTES + ((payloadBytes + 7) & ~7);

/** The segments of one shard: the last one is written to, the oldest are given up when full. */
export class MemoryJournal {
  readonly segments = new Map<number, OpenSegment>();
  readonly #keeper: SegmentKeeper;
  readonly #segmentBytes: number;
  #current: OpenSegment | undefined;
  #bytes = 0;
  #spare: SharedArrayBuffer | undefined;
  #published: OpenSegment | undefined;

  constructor(keeper: SegmentKeeper, segmentBytes: number, kept: readonly Segment[]) {
    this.#keeper = keeper;
    this.#segmentBytes = segmentBytes & ~7; // entries are words: a segment holds whole ones
    for (const segment of [...kept].sort((a, b) => a.number - b.number)) {
      this.#adopt(new OpenSegment(segment));
    }
  }

  /** All segments together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The segment with room for an entry of so many bytes: reserve it there at once. */
  segmentFor(payloadBytes: number): OpenSegment {
    const bytes = entryBytes(payloadBytes);
    let current = this.#current;
    if (current === undefined || current.room < bytes) {
      current?.publish();
      const memory = this.#memoryFor(bytes + SEGMENT_HEAD_BYTES);
      const segment = { number: (current?.number ?? 0) + 1, memory };
      this.#keeper.keep(segment);
      current = this.#adopt(new OpenSegment(segment));
    }
    this.#published = current;
    return current;
  }

  /** Everything reserved so far survives this thread. */
  publish(): void {
    this.#published?.publish();
    this.#published = undefined;
  }

  /** The oldest segment, unless it is the one being written. */
  oldest(): OpenSegment | undefined {
    const [oldest] = this.segments.values();
    return oldest === this.#current ? undefined : oldest;
  }

  drop(segment: OpenSegment): void {
    this.segments.delete(segment.number);
    this.#bytes -= segment.buf.length;
    this.#keeper.drop(segment.number);
    if (segment.buf.length === this.#segmentBytes) this.#spare = segment.memory;
  }

  /**
   * The segment that was given up last is written anew: in a full store shared memory would else
   * pile up until both threads' collectors have seen to it.
   */
  #memoryFor(bytes: number): SharedArrayBuffer {
    const spare = this.#spare;
    if (spare === undefined || bytes > spare.byteLength) {
      return new SharedArrayBuffer(Math.max(this.#segmentBytes, bytes));
    }
    this.#spare = undefined;
    Atomics.store(new Int32Array(spare), 0, 0);
    return spare;
  }

  #adopt(segment: OpenSegment): OpenSegment {
    this.segments.set(segment.number, segment);
    this.#bytes += segment.buf.length;
    this.#current = segment;
    return segment;
  }
}
