import { closes } from '../errors.ts';
import type { CloseReason } from '../errors.ts';
import { HEADER_BYTES } from './frame.ts';

/** Why what a client sent can not be read any further; `detail` is for the log. */
export interface FrameFailure {
  readonly close: CloseReason;
  readonly detail: string;
}

/** Whether a package of these lengths is possible (docs/protocol.md, "Frame"). */
export function lengthsAreValid(packageLength: number, headerLength: number, max: number): boolean {
  return packageLength <= max && headerLength >= HEADER_BYTES && headerLength <= packageLength;
}

/** What is wrong with lengths that are not valid. Too long is told before impossible. */
export function lengthFailure(packageLength: number, headerLength: number, max: number): FrameFailure {
  if (packageLength > max) {
    return { close: closes.tooBig, detail: `package of ${packageLength} bytes, at most ${max}` };
  }
  if (headerLength < HEADER_BYTES) {
    return framingFailure(`header of ${headerLength} bytes, at least ${HEADER_BYTES}`);
  }
  return framingFailure(`package of ${packageLength} bytes, its header of ${headerLength}`);
}

export function framingFailure(detail: string): FrameFailure {
  return { close: closes.framing, detail };
}
