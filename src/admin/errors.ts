import type { FastifyError } from 'fastify';
import { EnckeError, errorReasons } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';

/** The codes of the admin port: HTTP status and usual reason (docs/protocol.md, "Admin HTTP"). */
export const adminErrors = {
  bad_request: { status: 400, reason: 'the request is malformed' },
  unauthorized: { status: 401, reason: 'a bearer token is needed: authorization: Bearer TOKEN' },
  not_found: { status: 404, reason: 'there is no such path or method' },
  no_such_group: { status: 404, reason: errorReasons.no_such_group },
  not_banned: { status: 404, reason: 'this user is not banned' },
  too_large: { status: 413, reason: 'the body is too large' },
  group_too_large: { status: 422, reason: errorReasons.group_too_large },
  too_many_bans: { status: 422, reason: `there are ${limits.bansMax} bans already` },
  internal_error: { status: 500, reason: errorReasons.internal_error },
  unavailable: { status: 503, reason: 'what owns this group is not available: try again' },
  storage_unavailable: { status: 503, reason: 'the change could not be stored: try again later' },
} as const satisfies Record<string, { status: number; reason: string }>;

export type AdminErrorCode = keyof typeof adminErrors;

/** A failure that the caller is told: `{"error":CODE,"reason":"…"}`. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: AdminErrorCode;
  constructor(code: AdminErrorCode, reason: string = adminErrors[code].reason) {
    super(reason);
    this.code = code;
  }

  get status(): number {
    return adminErrors[this.code].status;
  }

  get body(): { error: AdminErrorCode; reason: string } {
    return { error: this.code, reason: this.message };
  }
}

const transient: ReadonlySet<ErrorCode> = new Set(['unavailable', 'overloaded']);

/** What the caller is told about anything that was thrown. Only internal_error is worth a log line. */
export function toAdminError(error: FastifyError | Error): AdminError {
  if (error instanceof AdminError) return error;
  if (error instanceof EnckeError) {
    if (error.code === 'storage_unavailable') return new AdminError(error.code);
    if (transient.has(error.code)) return new AdminError('unavailable', error.message);
    return error.code in adminErrors
      ? new AdminError(error.code as AdminErrorCode, error.message)
      : new AdminError('internal_error');
  }
  const { code, statusCode } = error as FastifyError;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new AdminError('too_large');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new AdminError('bad_request', 'the body must be application/json');
  }
  const isCallers = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  return isCallers ? new AdminError('bad_request', error.message) : new AdminError('internal_error');
}
