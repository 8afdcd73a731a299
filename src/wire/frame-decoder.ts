import { HEADER_BYTES, OP_AT, SEQ_AT, VERSION_AT } from './frame.ts';
import { HEADER_LENGTH_AT, readInt16, readInt32 } from './frame.ts';
import { lengthFailure, lengthsAreValid } from './frame-failure.ts';
import type { FrameFailure } from './frame-failure.ts';
import { viewOf } from './view-of.ts';

export type { FrameFailure } from './frame-failure.ts';
export { decodeMessage } from './message-decoder.ts';

export interface FrameSink {
  /**
   * One whole package. Its body is [start, end) of `buf`, which the sink must not change. The body
   * stays as it is for as long as `buf` does: copy what outlives the call.
   * Returns false to stop the decoder after this package.
   */
  onFrame(op: number, version: number, seq: number, buf: Buffer, start: number, end: number): boolean;
}

const State = {
  /** Between packages: whole ones are passed as offsets into the chunk. */
  between: 0,
  /** The chunk ended inside a header. */
  header: 1,
  /** The chunk ended inside a package whose header is known. */
  body: 2,
  /** A framing error: nothing is read any more. */
  failed: 3,
} as const;
type State = (typeof State)[keyof typeof State];

/**
 * Cuts a byte stream into packages (docs/protocol.md, "Frame"). Nothing is copied but a package
 * that is split across chunks. An idle decoder holds no buffers.
 */
export class FrameDecoder {
  readonly #packageBytesMax: number;
  #failure: FrameFailure | undefined = undefined;
  #state: State = State.between;
  #stopped = false;
  /** The bytes of a split header; 16 bytes lie on V8's heap, not in a pool that they would pin. */
  #header: Uint8Array | undefined = undefined;
  /** A split package, exactly as long as its header says. */
  #package: Buffer | undefined = undefined;
  /** Bytes taken of the split header or package. */
  #held = 0;

  constructor(packageBytesMax: number) {
    this.#packageBytesMax = packageBytesMax;
  }

  /** Set once the stream can not be read any further; `decode` does nothing from then on. */
  get failure(): FrameFailure | undefined {
    return this.#failure;
  }

  /** Bytes of a partial package that are held. */
  get pending(): number {
    return this.#held;
  }

  /**
   * Reads [start, end) of `buf` and returns where it stopped: `end` when everything was taken, less
   * when the sink said stop (call again from there) or at a framing error (see `failure`).
   */
  decode(buf: Buffer, start: number, end: number, sink: FrameSink): number {
    let at = start;
    this.#stopped = false;
    while (at < end && !this.#stopped) {
      switch (this.#state) {
        case State.between:
          at = this.#passWhole(buf, at, end, sink);
          break;
        case State.header:
          at = this.#fillHeader(buf, at, end, sink);
          break;
        case State.body:
          at = this.#fillPackage(buf, at, end, sink);
          break;
        case State.failed:
          return at;
      }
    }
    return at;
  }

  #passWhole(buf: Buffer, start: number, end: number, sink: FrameSink): number {
    const max = this.#packageBytesMax;
    const view = viewOf(buf);
    let at = start;
    while (end - at >= HEADER_BYTES) {
      const packageLength = view.getInt32(at);
      const headerLength = view.getInt16(at + HEADER_LENGTH_AT);
      if (!lengthsAreValid(packageLength, headerLength, max)) {
        this.#fail(packageLength, headerLength);
        return at;
      }
      const next = at + packageLength;
      if (next > end) {
        this.#beginPackage(packageLength);
        return at;
      }
      const op = view.getInt32(at + OP_AT);
      const version = view.getInt16(at + VERSION_AT);
      const seq = view.getInt32(at + SEQ_AT);
      if (!sink.onFrame(op, version, seq, buf, at + headerLength, next)) {
        this.#stopped = true;
        return next;
      }
      at = next;
    }
    if (at < end) this.#state = State.header;
    return at;
  }

  #fillHeader(buf: Buffer, at: number, end: number, sink: FrameSink): number {
    this.#header ??= new Uint8Array(HEADER_BYTES);
    const header = this.#header;
    const take = Math.min(HEADER_BYTES - this.#held, end - at);
    for (let i = 0; i < take; i++) header[this.#held + i] = buf[at + i]!;
    this.#held += take;
    if (this.#held < HEADER_BYTES) return at + take;

    const packageLength = readInt32(header, 0);
    const headerLength = readInt16(header, HEADER_LENGTH_AT);
    if (!lengthsAreValid(packageLength, headerLength, this.#packageBytesMax)) {
      this.#fail(packageLength, headerLength);
      return at + take;
    }
    this.#beginPackage(packageLength).set(header);
    this.#held = HEADER_BYTES;
    if (packageLength === HEADER_BYTES) this.#passPackage(sink);
    return at + take;
  }

  #fillPackage(buf: Buffer, at: number, end: number, sink: FrameSink): number {
    const whole = this.#package!;
    const take = Math.min(whole.length - this.#held, end - at);
    buf.copy(whole, this.#held, at, at + take);
    this.#held += take;
    if (this.#held === whole.length) this.#passPackage(sink);
    return at + take;
  }

  #beginPackage(packageLength: number): Buffer {
    this.#state = State.body;
    this.#header = undefined;
    this.#held = 0;
    this.#package = Buffer.allocUnsafe(packageLength);
    return this.#package;
  }

  #passPackage(sink: FrameSink): void {
    const whole = this.#package!;
    this.#package = undefined;
    this.#held = 0;
    this.#state = State.between;
    const op = readInt32(whole, OP_AT);
    const version = readInt16(whole, VERSION_AT);
    const seq = readInt32(whole, SEQ_AT);
    const body = readInt16(whole, HEADER_LENGTH_AT);
    this.#stopped = !sink.onFrame(op, version, seq, whole, body, whole.length);
  }

  #fail(packageLength: number, headerLength: number): void {
    this.#state = State.failed;
    this.#header = undefined;
    this.#held = 0;
    this.#failure = lengthFailure(packageLength, headerLength, this.#packageBytesMax);
  }
}
