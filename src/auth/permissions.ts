/** What a user may do, as its credentials say (docs/protocol.md "Authentication"). */
export interface Permissions {
  /** The groups that it may send to. Absent: each that it is a member of. */
  readonly groups?: readonly number[];
  /** It may send to users and groups. Receiving needs no permission. */
  readonly publish: boolean;
  /** It may send to everyone at once. */
  readonly broadcast: boolean;
  /** The name of the rates that it is held to. Absent: those of everyone. */
  readonly rateClass?: string;
}

/** Of credentials that say nothing about it. */
export const defaultPermissions: Permissions = Object.freeze({ publish: true, broadcast: false });
