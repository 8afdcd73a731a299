/** The operations of a frame (docs/protocol.md, "Operations"). */
export const Op = {
  heartbeat: 2,
  heartbeatReply: 3,
  /** The server's last word on TCP: why it ends the connection. */
  end: 6,
  auth: 7,
  authReply: 8,
  /** The only way in which messages arrive, even a single one. */
  batch: 9,
  send: 18,
  sendReply: 19,
  groupSend: 20,
  groupSendReply: 21,
  /** The client has everything of a conversation up to a number. */
  ack: 22,
  ackReply: 23,
  /** Messages of a conversation that were sent before. */
  history: 24,
  historyReply: 25,
  /** What is about to happen to the connection, for clients that asked to be told. */
  notice: 26,
} as const;
