import type { Session } from '../user/session.ts';
import type { UserId } from '../wire/user-id.ts';

/**
 * The sessions of each user of a shard, the newest first: a list through the sessions themselves, so
 * that an idle user costs one entry. It changes when a connection opens or ends, never for a message.
 */
export class UserIndex {
  readonly #newest = new Map<UserId, Session>();

  /** Users with a session. */
  get users(): number {
    return this.#newest.size;
  }

  add(session: Session): void {
    session.olderOfUser = this.#newest.get(session.user);
    this.#newest.set(session.user, session);
  }

  remove(session: Session): void {
    const { user, olderOfUser } = session;
    const newest = this.#newest.get(user);
    if (newest === session) {
      if (olderOfUser === undefined) this.#newest.delete(user);
      else this.#newest.set(user, olderOfUser);
    } else {
      let newer = newest;
      while (newer !== undefined && newer.olderOfUser !== session) newer = newer.olderOfUser;
      if (newer !== undefined) newer.olderOfUser = olderOfUser;
    }
    session.olderOfUser = undefined;
  }

  *of(user: UserId): Generator<Session> {
    for (let session = this.#newest.get(user); session !== undefined;) {
      const { olderOfUser } = session;
      yield session;
      session = olderOfUser;
    }
  }
}
