import { type Deadline, estimateBytes, frameSlots, headerSlots } from './frames.ts';
import { actorLimits } from './limits.ts';
import type { ActorId } from './types.ts';

/** The bounds of a link. Defaults in limits.ts. */
export interface LinkLimits {
  readonly linkFramesMax: number;
  readonly linkWindowFrames: number;
  readonly linkBytesMax: number;
}

/** Frames that leave together: room for a header, then the frames as they will be packed. */
class Chunk {
  readonly slots: unknown[] = [null, null, null];
  frames = 0;
  /** As estimated. */
  bytes = 0;
}

/**
 * The frames that wait for one node, and the account of those on their way to it. Frames leave only
 * as far as the window of unacknowledged ones allows; so a peer that does not keep up leaves them
 * here, where the bound is, and not in its port, where there is none.
 */
export class Outbox {
  /** Frames waiting. */
  waiting = 0;
  readonly #limits: LinkLimits;
  #chunks: Chunk[] = [];
  /** The last of them, which is filled. */
  #last: Chunk | undefined = undefined;
  /** Of the waiting frames and those on their way together. */
  #bytes = 0;
  /** Batches on their way: the count of frames sent up to their end, and their bytes. */
  #batches: { readonly upTo: number; readonly bytes: number }[] = [];
  #sent = 0;
  #acknowledged = 0;
  #bytesOnTheWay = 0;

  constructor(limits: LinkLimits) {
    this.#limits = limits;
  }

  get full(): boolean {
    return this.waiting >= this.#limits.linkFramesMax || this.#bytes >= this.#limits.linkBytesMax;
  }

  /** Of the waiting frames and those on their way. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frames sent and waiting since the connection began. */
  get total(): number {
    return this.#sent + this.waiting;
  }

  /** Frames that may leave now. */
  get sendable(): number {
    return Math.min(this.waiting, this.#limits.linkWindowFrames - (this.#sent - this.#acknowledged));
  }

  /** More than half of a bound is on its way: the peer should acknowledge soon. */
  get wantsAck(): boolean {
    return (
      (this.#sent - this.#acknowledged) * 2 > this.#limits.linkWindowFrames ||
      this.#bytesOnTheWay * 2 > this.#limits.linkBytesMax
    );
  }

  push(head: number, id: ActorId | null, body: unknown, token: number, deadline: Deadline): void {
    let chunk = this.#last;
    if (chunk === undefined || chunk.frames >= actorLimits.batchFramesMax) {
      chunk = this.#last = new Chunk();
      this.#chunks.push(chunk);
    }
    const size = estimateBytes(id, body);
    chunk.slots.push(head, id, body, token, deadline);
    chunk.frames++;
    chunk.bytes += size;
    this.#bytes += size;
    this.waiting++;
  }

  /** Takes frames that may leave, in order, at most `batchFramesMax`; and counts them as sent. */
  take(): unknown[] {
    const { sendable } = this;
    const first = this.#chunks[0];
    if (first === undefined || sendable <= 0) return new Chunk().slots;
    const taken = first.frames > sendable ? this.#split(first, sendable) : this.#shift(first);
    this.waiting -= taken.frames;
    this.#sent += taken.frames;
    this.#bytesOnTheWay += taken.bytes;
    this.#batches.push({ upTo: this.#sent, bytes: taken.bytes });
    return taken.slots;
  }

  /** The peer has received this many frames since it was connected. True if that was news. */
  acknowledge(received: number): boolean {
    let news = false;
    for (
      let first = this.#batches[0];
      first !== undefined && first.upTo <= received;
      first = this.#batches[0]
    ) {
      this.#batches.shift();
      this.#bytes -= first.bytes;
      this.#bytesOnTheWay -= first.bytes;
      this.#acknowledged = first.upTo;
      news = true;
    }
    return news;
  }

  /** Forgets everything, for a connection that was lost. Returns the waiting frames' slots. */
  reset(): unknown[] {
    const waiting = this.#chunks.flatMap(({ slots }) => slots.slice(headerSlots));
    this.waiting = 0;
    this.#chunks = [];
    this.#last = undefined;
    this.#batches = [];
    this.#bytes = 0;
    this.#bytesOnTheWay = 0;
    this.#sent = 0;
    this.#acknowledged = 0;
    return waiting;
  }

  #shift(first: Chunk): Chunk {
    this.#chunks.shift();
    if (first === this.#last) this.#last = undefined;
    return first;
  }

  /** The window has no room for the whole chunk: takes its first frames out. */
  #split(first: Chunk, frames: number): Chunk {
    const taken = new Chunk();
    const slots = first.slots.splice(headerSlots, frames * frameSlots);
    taken.slots.push(...slots);
    taken.frames = frames;
    for (let at = 0; at < slots.length; at += frameSlots) {
      taken.bytes += estimateBytes(slots[at + 1] as ActorId | null, slots[at + 2]);
    }
    first.frames -= frames;
    first.bytes -= taken.bytes;
    return taken;
  }
}
