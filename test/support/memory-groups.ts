import type { ChangedGroup, GroupsApi, GroupView, ReplacedGroup } from '../../src/admin/groups-api.ts';
import { EnckeError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';

interface Group {
  readonly members: Set<number>;
  readonly lastChatId: number;
}

/** Groups in a Map, for the admin port to be tested against. */
export class MemoryGroups implements GroupsApi {
  /** Every call fails with this. */
  failure: Error | undefined;
  readonly #groups = new Map<number, Group>();

  get count(): number {
    return this.#groups.size;
  }

  said(gid: number, lastChatId: number): void {
    this.#groups.set(gid, { members: this.#groups.get(gid)?.members ?? new Set(), lastChatId });
  }

  async replace(gid: number, members: number[]): Promise<ReplacedGroup> {
    const group = this.#find(gid);
    const lastChatId = group?.lastChatId ?? 0;
    this.#groups.set(gid, { members: new Set(members), lastChatId });
    return { created: group === undefined, members: members.length, lastChatId };
  }

  async get(gid: number): Promise<GroupView | undefined> {
    const group = this.#find(gid);
    return group && { members: [...group.members], lastChatId: group.lastChatId };
  }

  async remove(gid: number): Promise<boolean> {
    this.#find(gid);
    return this.#groups.delete(gid);
  }

  async change(gid: number, add: number[], remove: number[]): Promise<ChangedGroup | undefined> {
    const members = this.#find(gid)?.members;
    if (members === undefined) return undefined;
    const added = add.filter((mid) => !members.has(mid));
    const removed = remove.filter((mid) => members.has(mid));
    const size = members.size + added.length - removed.length;
    if (size > limits.groupMembersMax) throw new EnckeError('group_too_large');
    for (const mid of added) members.add(mid);
    for (const mid of removed) members.delete(mid);
    return { members: members.size, added: added.length, removed: removed.length };
  }

  #find(gid: number): Group | undefined {
    if (this.failure !== undefined) throw this.failure;
    return this.#groups.get(gid);
  }
}
