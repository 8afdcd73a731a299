import { limits } from '../limits.ts';
import { parseClientId, type UserId } from '../wire/user-id.ts';
import { AdminError } from './errors.ts';

export interface UserPath {
  Params: { user: string };
}

/** A user as paths and bodies name it (docs/protocol.md, "Identities"). */
export function readUser(given: string | number): UserId {
  const user = typeof given === 'number' ? given : parseClientId(given);
  if (user === undefined) throw new AdminError('bad_request', `${JSON.stringify(given)} is no user`);
  return user;
}

/** A close frame has no room for more. */
export function checkReason(reason: string): void {
  const { closeReasonBytesMax } = limits;
  if (Buffer.byteLength(reason) <= closeReasonBytesMax) return;
  throw new AdminError('bad_request', `a reason has at most ${closeReasonBytesMax} bytes`);
}
