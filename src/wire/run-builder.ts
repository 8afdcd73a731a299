import { assert } from '../assert.ts';
import { HEADER_BYTES, PUSH_VERSION, writeHeader, writeInt32 } from './frame.ts';
import { RUN_FRAME_HEAD_BYTES } from './run.ts';
import type { Origin, PayloadKind, Run } from './run.ts';

/** Up to here a loop is quicker than `copy`, which makes a view of its source first (measured). */
const LOOP_BYTES_MAX = 32;

/**
 * Puts requests into received form, one run after another (see run.ts). Bytes come from chunks
 * that are filled once, front to back, and never used again: a run is a view of its chunk, and the
 * chunk is collected when its last run is.
 */
export class RunBuilder {
  readonly #arenaBytes: number;
  #chunk: Buffer | undefined = undefined;
  /** Where the run under construction starts and ends in the chunk. */
  #start = 0;
  #end = 0;
  #count = 0;

  constructor(arenaBytes = 262_144) {
    this.#arenaBytes = arenaBytes;
  }

  /** Messages of the run under construction. */
  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#end - this.#start;
  }

  /** Appends one package of op 18 or 20 without a number; `msg` is [start, end) of `src`. */
  add(op: number, from: number, to: number, src: Buffer, start: number, end: number): void {
    const packageLength = RUN_FRAME_HEAD_BYTES + end - start;
    const chunk = this.#roomFor(packageLength);
    let at = writeHeader(chunk, this.#end, packageLength, PUSH_VERSION, op, 0);
    // chatId, which numberRun fills in: the chunk comes with whatever was in memory.
    writeInt32(chunk, at, 0);
    writeInt32(chunk, at + 4, 0);
    writeInt32(chunk, at + 8, from);
    writeInt32(chunk, at + 12, to);
    at += RUN_FRAME_HEAD_BYTES - HEADER_BYTES;
    if (end - start <= LOOP_BYTES_MAX) {
      for (let i = start; i < end; i++) chunk[at++] = src[i]!;
    } else {
      src.copy(chunk, at, start, end);
    }
    this.#end += packageLength;
    this.#count += 1;
  }

  /** The run of everything added since the last one. */
  finish(kind: PayloadKind, origin: Origin, time: number): Run {
    assert(this.#chunk !== undefined && this.#count > 0, 'a run has a message');
    const bytes = this.#chunk.subarray(this.#start, this.#end);
    const run: Run = { bytes, count: this.#count, first: 0, kind, origin, time };
    this.#start = this.#end;
    this.#count = 0;
    return run;
  }

  #roomFor(packageLength: number): Buffer {
    if (this.#chunk !== undefined && this.#end + packageLength <= this.#chunk.length) {
      return this.#chunk;
    }
    // The run moves to a new chunk. One that is larger than a chunk doubles, so that a long run
    // costs a few copies, not one a message.
    const runBytes = this.byteLength;
    const need = runBytes + packageLength;
    const chunk = Buffer.allocUnsafeSlow(Math.max(this.#arenaBytes, runBytes > 0 ? need * 2 : need));
    this.#chunk?.copy(chunk, 0, this.#start, this.#end);
    this.#chunk = chunk;
    this.#start = 0;
    this.#end = runBytes;
    return chunk;
  }
}
