import type { CloseReason } from '../errors.ts';
import { frameWithText } from '../wire/frame.ts';
import { Op } from '../wire/op.ts';

/** docs/protocol.md "Operation 6": why the server ends a TCP connection. */
export const cometCloseFrame = (close: Pick<CloseReason, 'code' | 'reason'>): Buffer =>
  frameWithText(Op.end, 1, 0, JSON.stringify({ code: close.code, reason: close.reason }));
