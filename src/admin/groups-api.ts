/**
 * What the admin port does to groups. Members are valid mids without repetition. Failures are
 * EnckeErrors: `unavailable`, `overloaded`, `storage_unavailable`, `group_too_large`.
 */
export interface GroupsApi {
  /** Creates the group, or replaces its members. */
  replace(gid: number, members: number[]): Promise<ReplacedGroup>;
  /** Undefined when there is no such group, here and below. */
  get(gid: number): Promise<GroupView | undefined>;
  /** Whether there was such a group. */
  remove(gid: number): Promise<boolean>;
  /** `group_too_large` when there would be more than limits.groupMembersMax. */
  change(gid: number, add: number[], remove: number[]): Promise<ChangedGroup | undefined>;
}

export interface ReplacedGroup {
  readonly created: boolean;
  /** How many there are now. */
  readonly members: number;
  readonly lastChatId: number;
}

export interface GroupView {
  readonly members: number[];
  readonly lastChatId: number;
}

export interface ChangedGroup {
  readonly members: number;
  readonly added: number;
  readonly removed: number;
}
