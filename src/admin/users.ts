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
