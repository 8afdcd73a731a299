import { type Deadline, estimateBytes, frameSlots, headerSlots } from './frames.ts';

/** The bounds of a link. Defaults in limits.ts. */
export interface LinkLimits {
  readonly linkFramesMax: number;
  readonly linkWindowFrames: number;
  readonly linkBytesMax: number;
}

const emptyHeader = Array.from({ length: headerSlots }, () => null);

/**
 * The frames that wait for one node, and the account of those on their way to it. Frames leave only
 * as far as the window of unacknowledged ones allows; so a peer that does not keep up leaves them
 * here, where the bound is, and not in its port, where there is none.
 */
export class Outbox {
  /** Frames waiting. */
  waiting = 0;
  readonly #limits: LinkLimits;
  /** Room for a batch's header, then the waiting frames, as they will be packed. */
  #slots: unknown[] = [...emptyHeader];
  /** The estimated bytes of each waiting frame. */
  #sizes: number[] = [];
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

  push(head: number, id: string | number | null, body: unknown, token: number, deadline: Deadline): void {
    const size = estimateBytes(id, body);
    this.#slots.push(head, id, body, token, deadline);
    this.#sizes.push(size);
    this.#bytes += size;
    this.waiting++;
  }

  /** Takes the frames that may leave, in order, behind room for a header; and counts them as sent. */
  take(): unknown[] {
    const frames = this.sendable;
    const taken = this.#slots;
    if (frames <= 0) return [...emptyHeader];
    const sizes = this.#sizes;
    if (frames === this.waiting) {
      this.#slots = [...emptyHeader];
      this.#sizes = [];
    } else {
      const rest = taken.splice(headerSlots + frames * frameSlots);
      this.#slots = [...emptyHeader, ...rest];
      this.#sizes = sizes.splice(frames);
    }
    let bytes = 0;
    for (const size of sizes) bytes += size;
    this.waiting -= frames;
    this.#sent += frames;
    this.#bytesOnTheWay += bytes;
    this.#batches.push({ upTo: this.#sent, bytes });
    return taken;
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
    const waiting = this.#slots.slice(headerSlots);
    this.waiting = 0;
    this.#slots = [...emptyHeader];
    this.#sizes = [];
    this.#batches = [];
    this.#bytes = 0;
    this.#bytesOnTheWay = 0;
    this.#sent = 0;
    this.#acknowledged = 0;
    return waiting;
  }
}
