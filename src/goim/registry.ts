import type { Session } from '../user/session.ts';
import type { UserId } from '../wire/user-id.ts';

/** Sessions by something that mostly one of them has: a set is made for the second. */
class Index<K> {
  readonly #sessions = new Map<K, Session | Set<Session>>();

  get keys(): Iterable<K> {
    return this.#sessions.keys();
  }

  of(key: K): Iterable<Session> {
    const found = this.#sessions.get(key);
    if (found === undefined) return [];
    return found instanceof Set ? found : [found];
  }

  count(key: K): number {
    const found = this.#sessions.get(key);
    if (found === undefined) return 0;
    return found instanceof Set ? found.size : 1;
  }

  add(key: K, session: Session): void {
    const found = this.#sessions.get(key);
    if (found === undefined) this.#sessions.set(key, session);
    else if (found instanceof Set) found.add(session);
    else this.#sessions.set(key, new Set([found, session]));
  }

  delete(key: K, session: Session): void {
    const found = this.#sessions.get(key);
    if (found instanceof Set) {
      found.delete(session);
      if (found.size === 0) this.#sessions.delete(key);
    } else if (found === session) this.#sessions.delete(key);
  }
}

/**
 * The goim clients of a shard: all, and by key, user and room. There is nothing in it that is not
 * of a session, so it is bounded by the shard's connections.
 */
export class Registry {
  readonly sessions = new Map<number, Session>();
  readonly #keys = new Index<string>();
  readonly #users = new Index<UserId>();
  readonly #rooms = new Index<string>();
  /** The count of a room has changed. */
  onRoom: ((room: string) => void) | undefined;

  byKey(key: string): Iterable<Session> {
    return this.#keys.of(key);
  }

  byUser(user: UserId): Iterable<Session> {
    return this.#users.of(user);
  }

  inRoom(room: string): Iterable<Session> {
    return this.#rooms.of(room);
  }

  /** How many are in the room on this shard. */
  roomCount(room: string): number {
    return this.#rooms.count(room);
  }

  get rooms(): Iterable<string> {
    return this.#rooms.keys;
  }

  add(session: Session): void {
    const { goim } = session;
    if (goim === undefined || this.sessions.has(session.connection)) return;
    this.sessions.set(session.connection, session);
    this.#users.add(session.user, session);
    if (goim.key !== '') this.#keys.add(goim.key, session);
    this.#enter(session, goim.room);
  }

  remove(session: Session): void {
    const { goim } = session;
    if (goim === undefined || !this.sessions.delete(session.connection)) return;
    this.#users.delete(session.user, session);
    if (goim.key !== '') this.#keys.delete(goim.key, session);
    this.#leave(session, goim.room);
  }

  /** Op 12: into another room, or with '' out of any. */
  changeRoom(session: Session, room: string): void {
    const { goim } = session;
    if (goim === undefined || goim.room === room) return;
    const known = this.sessions.has(session.connection);
    if (known) this.#leave(session, goim.room);
    goim.room = room;
    if (known) this.#enter(session, room);
  }

  #enter(session: Session, room: string): void {
    if (room === '') return;
    this.#rooms.add(room, session);
    this.onRoom?.(room);
  }

  #leave(session: Session, room: string): void {
    if (room === '') return;
    this.#rooms.delete(room, session);
    this.onRoom?.(room);
  }
}
