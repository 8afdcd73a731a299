import { HEADER_BYTES, HEADER_LENGTH_AT, OP_AT, SEQ_AT, VERSION_AT } from './frame.ts';
import { readInt16, readInt32 } from './frame.ts';
import type { FrameSink } from './frame-decoder.ts';
import { framingFailure, lengthFailure, lengthsAreValid } from './frame-failure.ts';
import type { FrameFailure } from './frame-failure.ts';

/** How far a message was read. */
export interface MessageEnd {
  /** The end of the message; less when the sink said stop (go on from there) or at a failure. */
  readonly offset: number;
  readonly failure: FrameFailure | undefined;
}

/**
 * Cuts one WebSocket binary message, [start, end) of `buf`, into its packages: one or more, all of
 * them whole (docs/protocol.md, "Frame"). Each one before the bad one is passed. An empty message
 * is a framing error, so go on after a stop only where bytes are left.
 */
export function decodeMessage(
  buf: Buffer,
  start: number,
  end: number,
  packageBytesMax: number,
  sink: FrameSink,
): MessageEnd {
  let at = start;
  do {
    if (end - at < HEADER_BYTES) {
      return { offset: at, failure: framingFailure(`${end - at} bytes where a package belongs`) };
    }
    const packageLength = readInt32(buf, at);
    const headerLength = readInt16(buf, at + HEADER_LENGTH_AT);
    if (!lengthsAreValid(packageLength, headerLength, packageBytesMax)) {
      return { offset: at, failure: lengthFailure(packageLength, headerLength, packageBytesMax) };
    }
    const next = at + packageLength;
    if (next > end) {
      const failure = framingFailure(`package of ${packageLength} bytes runs past its message`);
      return { offset: at, failure };
    }
    const op = readInt32(buf, at + OP_AT);
    const version = readInt16(buf, at + VERSION_AT);
    const seq = readInt32(buf, at + SEQ_AT);
    const goOn = sink.onFrame(op, version, seq, buf, at + headerLength, next);
    at = next;
    if (!goOn) break;
  } while (at < end);
  return { offset: at, failure: undefined };
}
