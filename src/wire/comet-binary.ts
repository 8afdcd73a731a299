import { HEADER_BYTES, PUSH_VERSION, SEND_HEAD_BYTES, writeHeader } from './frame.ts';
import { Op } from './op.ts';
import type { Run } from './run.ts';
import { viewOf } from './view-of.ts';

/** Whether the body [start, end) of op 18 or 20 holds `from` and `to`; else it is a bad_body. */
export function isSendBody(start: number, end: number): boolean {
  return end - start >= SEND_HEAD_BYTES;
}

/** `from` of a request of op 18 or 20 whose body begins at `start`. */
export function sendFrom(buf: Buffer, start: number): number {
  return viewOf(buf).getInt32(start);
}

export function sendTo(buf: Buffer, start: number): number {
  return viewOf(buf).getInt32(start + 4);
}

/** Offset of `msg` in a request of op 18 or 20 whose body begins at `start`. */
export function sendMsgStart(start: number): number {
  return start + SEND_HEAD_BYTES;
}

/** Bytes of the op 9 package that holds these runs. */
export function batchByteLength(runs: readonly Run[]): number {
  return HEADER_BYTES + runsByteLength(runs);
}

/** Bytes of the packages of these runs without an op 9 around them. */
export function runsByteLength(runs: readonly Run[]): number {
  let length = 0;
  for (const run of runs) length += run.bytes.length;
  return length;
}

/**
 * Writes one op 9 with all messages of the runs, which are stored as it wants them
 * (docs/protocol.md, "Operation 9"). Returns the offset after it.
 */
export function writeBatch(buf: Buffer, at: number, runs: readonly Run[]): number {
  return writeRuns(buf, writeHeader(buf, at, batchByteLength(runs), PUSH_VERSION, Op.batch, 0), runs);
}

/** Writes the packages of these runs one after another. Returns the offset after them. */
export function writeRuns(buf: Buffer, at: number, runs: readonly Run[]): number {
  let end = at;
  for (const run of runs) {
    run.bytes.copy(buf, end);
    end += run.bytes.length;
  }
  return end;
}
