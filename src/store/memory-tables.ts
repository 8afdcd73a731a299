import type { UserId } from '../wire/user-id.ts';
import type { Cursor, UserRecord } from './store.ts';

export interface GroupEntry {
  exists: boolean;
  readonly members: Map<number, number>;
  /** The oldest segment that says something about this group. */
  readonly firstIn: number;
}

/** Groups with their members, and the groups of each member. */
export class GroupTable {
  readonly #groups = new Map<number, GroupEntry>();
  readonly #byMember = new Map<number, Set<number>>();

  get(group: number): GroupEntry | undefined {
    return this.#groups.get(group);
  }

  *of(mid: number): Generator<{ group: number; joinedAt: number }> {
    for (const group of this.#byMember.get(mid) ?? []) {
      yield { group, joinedAt: this.#groups.get(group)?.members.get(mid) ?? 0 };
    }
  }

  forget(group: number): void {
    for (const mid of this.#groups.get(group)?.members.keys() ?? []) this.#leave(group, mid);
    this.#groups.delete(group);
  }

  apply(
    change: { group: number; exists: boolean; joined: readonly number[]; left: readonly number[] },
    segment: number,
  ): void {
    let entry = this.#groups.get(change.group);
    if (entry === undefined) {
      entry = { exists: true, members: new Map(), firstIn: segment };
      this.#groups.set(change.group, entry);
    }
    entry.exists = change.exists;
    for (const mid of change.left) {
      entry.members.delete(mid);
      this.#leave(change.group, mid);
    }
    for (let i = 0; i < change.joined.length; i += 2) {
      const mid = change.joined[i] ?? 0;
      entry.members.set(mid, change.joined[i + 1] ?? 0);
      const groups = this.#byMember.get(mid);
      if (groups === undefined) this.#byMember.set(mid, new Set([change.group]));
      else groups.add(change.group);
    }
  }

  #leave(group: number, mid: number): void {
    const groups = this.#byMember.get(mid);
    groups?.delete(group);
    if (groups?.size === 0) this.#byMember.delete(mid);
  }
}

export interface UserEntry extends UserRecord {
  readonly user: UserId;
}

interface StoredUser {
  mailbox: boolean;
  devices: readonly string[];
  readonly cursors: Map<string, Cursor>;
  /** The oldest segment that says something about this user. */
  readonly firstIn: number;
}

/** Users' cursors, by conversation. */
export class UserTable {
  readonly #users = new Map<UserId, StoredUser>();

  record(user: UserId): UserRecord | undefined {
    const entry = this.#users.get(user);
    return entry && { mailbox: entry.mailbox, devices: entry.devices, cursors: [...entry.cursors.values()] };
  }

  firstIn(user: UserId): number | undefined {
    return this.#users.get(user)?.firstIn;
  }

  forget(user: UserId): void {
    this.#users.delete(user);
  }

  apply({ user, mailbox, devices, cursors }: UserEntry, segment: number): void {
    let entry = this.#users.get(user);
    if (entry === undefined) {
      entry = { mailbox, devices, cursors: new Map(), firstIn: segment };
      this.#users.set(user, entry);
    }
    entry.mailbox = mailbox;
    entry.devices = devices;
    for (const cursor of cursors) entry.cursors.set(cursor.key, cursor);
  }
}
