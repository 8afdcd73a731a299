/** Operations, written down a second time on purpose: see frames.ts. */
export const op = {
  heartbeat: 2,
  heartbeatReply: 3,
  end: 6,
  auth: 7,
  authReply: 8,
  batch: 9,
  send: 18,
  sendReply: 19,
  groupSend: 20,
  groupSendReply: 21,
  ack: 22,
  ackReply: 23,
  history: 24,
  historyReply: 25,
  notice: 26,
} as const;

/** The operation that answers a request; an operation that the server does not know answers as itself. */
export function replyOf(operation: number): number {
  switch (operation) {
    case op.heartbeat:
    case op.auth:
    case op.send:
    case op.groupSend:
    case op.ack:
    case op.history:
      return operation + 1;
    default:
      return operation;
  }
}
