import { assert } from '../assert.ts';
import { HEADER_BYTES, PUSH_VERSION, putHeader } from './frame.ts';
import { RUN_FRAME_HEAD_BYTES } from './run.ts';
import type { Origin, PayloadKind, Run } from './run.ts';
import { viewOf } from './view-of.ts';

/** Up to here a loop is quicker than `copy`, which makes a view of its source first (measured). */
const LOOP_BYTES_MAX = 128;

/**
 * Puts requests into received form, one run after another (see run.ts). Bytes come from chunks
 * that are filled once, front to back, and never used again: a run is a view of its chunk, and the
 * chunk is collected when its last run is.
 */
export class RunBuilder {
  readonly #arenaBytes: number;
  #chunk: Buffer | undefined = undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));
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
    const view = this.#view;
    const at = this.#end;
    putHeader(view, at, packageLength, PUSH_VERSION, op, 0);
    // chatId, which numberRun fills in: the chunk comes with whatever was in memory.
    view.setInt32(at + HEADER_BYTES, 0);
    view.setInt32(at + HEADER_BYTES + 4, 0);
    view.setInt32(at + HEADER_BYTES + 8, from);
    view.setInt32(at + HEADER_BYTES + 12, to);
    const msgAt = at + RUN_FRAME_HEAD_BYTES;
    if (end - start > LOOP_BYTES_MAX) src.copy(chunk, msgAt, start, end);
    else copyWords(src, start, end, view, msgAt);
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
    this.#view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#start = 0;
    this.#end = runBytes;
    return chunk;
  }
}

function copyWords(src: Buffer, start: number, end: number, target: DataView, at: number): void {
  const source = viewOf(src);
  let from = start;
  let to = at;
  for (const last = end - 4; from <= last; from += 4, to += 4) target.setInt32(to, source.getInt32(from));
  for (; from < end; from++, to++) target.setUint8(to, source.getUint8(from));
}
