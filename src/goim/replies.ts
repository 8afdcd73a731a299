import { goimReply, GoimOp } from '../wire/goim.ts';
import { Op } from '../wire/op.ts';
import type { GoimClient } from './client.ts';

/** A request as its session's queue gives it when it is done. */
interface Done {
  readonly ticket: number;
  readonly op: number;
  readonly version: number;
  readonly seq: number;
  readonly result: number;
}

/** Whether a goim client gets this reply in goim's form; the others are Encke's own. */
export const isGoimReply = (op: number, result: number): boolean =>
  result > 0 && (op < Op.send || op > Op.historyReply);

/** The package that answers a goim client: docs/goim.md "Operations". */
export function replyOf(goim: GoimClient, { ticket, op, version, seq, result }: Done): Buffer {
  if (op === Op.heartbeatReply) {
    const online = Buffer.allocUnsafe(4);
    online.writeInt32BE(result - 1);
    return goimReply(op, version, seq, online);
  }
  const echoes =
    op === GoimOp.changeRoomReply || op === GoimOp.subscribeReply || op === GoimOp.unsubscribeReply;
  return goimReply(op, version, seq, echoes ? goim.takeBody(ticket) : undefined);
}
