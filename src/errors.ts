/**
 * The registry of codes. Each has a row in docs/protocol.md ("Codes"); test/wire/codes.test.ts
 * holds the two together. A request that fails gets one of these names; a connection that the
 * server ends gets one of the close codes.
 */
export const errorReasons = {
  bad_body: 'the body is too short or has a field of the wrong type',
  bad_sender: 'the sender must be the user that this connection authenticated as',
  bad_recipient: 'the recipient must be a valid user or group id',
  missing_field: 'a required field is missing or of the wrong type',
  bad_section: 'a section has the wrong type',
  not_json: 'the message is not a JSON object',
  not_supported: 'this is not supported for this client',
  not_authenticated: 'the credentials were refused',
  forbidden: 'the credentials do not allow this',
  banned: 'this user is banned',
  already_authenticated: 'this connection is authenticated already',
  unknown_operation: 'no such operation',
  unsupported_version: 'the protocol version must be 0 or 1',
  not_member: 'the sender is not a member of the group',
  no_such_group: 'there is no group with this id',
  no_such_conversation: 'there is no message in this conversation',
  group_too_large: 'the group would have too many members',
  mailbox_full: 'too many gaps between read messages: mark older ones as read',
  overloaded: 'the recipient has too much waiting: try again later',
  unavailable: 'the part of the server that owns this conversation restarted: try again',
  storage_unavailable: 'the message could not be stored: try again later',
  internal_error: 'the server failed to handle this request',
} as const;

export type ErrorCode = keyof typeof errorReasons;

const errorNames = Object.keys(errorReasons) as ErrorCode[];

/** A code's number, 1 and up, for places that keep numbers instead of strings. */
export const errorNumber = (code: ErrorCode): number => errorNames.indexOf(code) + 1;
export const errorName = (number: number): ErrorCode => errorNames[number - 1] ?? 'internal_error';

export interface CloseReason {
  readonly code: number;
  readonly reason: string;
  /** Whether a client should connect again by itself. */
  readonly reconnect: boolean;
}

/** Why the server ends a connection: WebSocket close code and reason, or TCP op 6. */
export const closes = {
  goingAway: { code: 1001, reason: 'the server is shutting down', reconnect: true },
  framing: { code: 1002, reason: 'framing error', reconnect: false },
  unsupported: { code: 1003, reason: 'this kind of message is not supported here', reconnect: false },
  notJson: { code: 1007, reason: 'not JSON', reconnect: false },
  tooBig: { code: 1009, reason: 'package or message too big', reconnect: false },
  restart: { code: 1012, reason: 'this part of the server restarts', reconnect: true },
  tryLater: { code: 1013, reason: 'too many connections: try again later', reconnect: true },
  badRequest: { code: 4400, reason: 'bad request', reconnect: false },
  notAuthenticated: { code: 4401, reason: 'not authenticated', reconnect: false },
  forbidden: { code: 4403, reason: 'forbidden', reconnect: false },
  idle: { code: 4408, reason: 'idle too long', reconnect: true },
  replaced: { code: 4409, reason: 'replaced by a later connection', reconnect: false },
  kicked: { code: 4410, reason: 'ended by the operator', reconnect: false },
  tooFast: { code: 4429, reason: 'too fast', reconnect: true },
  internal: { code: 4500, reason: 'internal error', reconnect: true },
} as const satisfies Record<string, CloseReason>;

/** A failure that a client or operator is told by code. */
export class EnckeError extends Error {
  override readonly name = 'EnckeError';
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string = errorReasons[code]) {
    super(message);
    this.code = code;
  }
}
