import type { CloseReason } from '../errors.ts';
import { limits } from '../limits.ts';
import { frameWithText } from '../wire/frame.ts';
import { Op } from '../wire/op.ts';

type Close = Pick<CloseReason, 'code' | 'reason'>;

/** docs/protocol.md "Operation 6": why the server ends a TCP connection. */
export const cometCloseFrame = ({ code, reason }: Close, retryMs?: number): Buffer =>
  frameWithText(Op.end, 1, 0, JSON.stringify({ code, reason, ...(retryMs !== undefined && { retryMs }) }));

/**
 * The reason of a WebSocket close frame: docs/protocol.md "Coming back". One that leaves no room for
 * the hint goes without it.
 */
export function reasonText({ reason }: Close, retryMs?: number): string {
  if (retryMs === undefined) return reason;
  const hinted = `${reason}; retryMs=${retryMs}`;
  return Buffer.byteLength(hinted) <= limits.closeReasonBytesMax ? hinted : reason;
}
