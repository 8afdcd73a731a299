import type { ConversationName } from '../../../src/client/index.ts';
import type { History } from '../history/history.ts';
import type { Scope } from '../history/scope.ts';
import type { Random } from '../random.ts';

/** How a user speaks with the server. */
export type UserKind =
  /** One comet connection without a device name. */
  | 'plain'
  /** A comet connection for each of two named devices. */
  | 'devices'
  /** The same, and both acknowledge. */
  | 'acks'
  /** One comet connection without a device name that acknowledges. */
  | 'plain-acks'
  /** A comet connection, and one of messaging. */
  | 'both'
  /** A client of messaging that is no mid. */
  | 'string';

export interface SoakUser {
  readonly index: number;
  readonly id: number | string;
  readonly kind: UserKind;
  /** It breaks and stalls its connections; a gentle one only closes them. */
  readonly rough: boolean;
  /** All of its connections. */
  readonly scope: Scope;
}

export interface SoakConversation {
  readonly index: number;
  /** 0: a pair. */
  readonly gid: number;
  readonly users: SoakUser[];
  /** Those of a group that leave and join again. */
  readonly churning: readonly SoakUser[];
  /** How often it is chosen. */
  readonly weight: number;
}

/** A conversation as a comet client of the user names it. */
export function nameOf({ gid, users }: SoakConversation, user: SoakUser): ConversationName {
  if (gid !== 0) return { group: gid };
  return { with: users.find((other) => other !== user)?.id ?? user.id };
}

/** Who is always a member, and can speak comet. */
export function cometUsers({ users, churning }: SoakConversation): SoakUser[] {
  return users.filter((user) => typeof user.id === 'number' && !churning.includes(user));
}

/** Users and conversations of one run. */
export interface Plan {
  readonly users: readonly SoakUser[];
  readonly conversations: readonly SoakConversation[];
  /** Mids that read whole conversations at the end, on a device that was never there in between. */
  readonly archivists: readonly SoakUser[];
}

const kindCounts: Readonly<Record<UserKind, number>> = {
  plain: 8,
  devices: 4,
  acks: 4,
  'plain-acks': 4,
  both: 4,
  string: 6,
};
const pairsOfUser = 3;
/** The logs are read whole as well: some are enough. */
const archivistsMax = 6;
const firstMid = 1_000;
const firstGid = 50;

interface Draft {
  readonly index: number;
  readonly id: number | string;
  readonly kind: UserKind;
  readonly rough: boolean;
}

export function makePlan(history: History, random: Random): Plan {
  const drafts = makeUsers(history);
  const shapes = [...makePairs(drafts, random), ...makeGroups(drafts, random)];
  for (const { name, gid, members, churning } of shapes) {
    const stable = members.filter((member) => !churning.includes(member));
    const indexes = (some: readonly Draft[]): number[] => some.map(({ index }) => index);
    // Who churns is a member from the start, too.
    history.addConversation(name, gid !== 0, indexes([...stable, ...churning]));
  }
  const users = drafts.map((draft): SoakUser => {
    // Where nothing but one connection moves the user's cursor, its acknowledgements count for it.
    const kind = draft.kind === 'plain-acks' ? 'ack' : 'user';
    return { ...draft, scope: history.addScope(kind, draft.index, `user ${draft.id}`) };
  });
  const withScope = (some: readonly Draft[]): SoakUser[] => some.map(({ index }) => users[index] as SoakUser);
  const conversations = shapes.map(({ gid, members, churning, weight }, index) => ({
    index,
    gid,
    weight,
    users: withScope(members),
    churning: withScope(churning),
  }));
  return { users, conversations, archivists: coverAll(conversations) };
}

function makeUsers(history: History): Draft[] {
  const drafts: Draft[] = [];
  for (const [kind, count] of Object.entries(kindCounts) as [UserKind, number][]) {
    for (let i = 0; i < count; i++) {
      const id = kind === 'string' ? `client-${i}` : firstMid + drafts.length;
      drafts.push({ index: history.addUser(String(id)), id, kind, rough: i % 2 === 1 });
    }
  }
  return drafts;
}

interface Shape {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly Draft[];
  readonly churning: readonly Draft[];
  readonly weight: number;
}

/** Everybody talks with some others, whatever their kinds. */
function makePairs(drafts: readonly Draft[], random: Random): Shape[] {
  const shapes = new Map<string, Shape>();
  for (const a of drafts) {
    for (let i = 0; i < pairsOfUser; i++) {
      const b = random.pick(drafts);
      if (a === b) continue;
      const members = [a, b].sort((x, y) => x.index - y.index);
      const name = `pair ${members[0]?.id} ${members[1]?.id}`;
      shapes.set(name, { name, gid: 0, members, churning: [], weight: 3 });
    }
  }
  return [...shapes.values()];
}

function makeGroups(drafts: readonly Draft[], random: Random): Shape[] {
  const mids = drafts.filter(({ id }) => typeof id === 'number');
  const sizes = [3, 5, 8, mids.length];
  return sizes.map((size, i): Shape => {
    const members = shuffled(mids, random).slice(0, size);
    // The first two of a group stay, so that there is always somebody to send and to receive.
    const churning = i === 0 ? [] : members.slice(2, 5);
    return { name: `group ${firstGid + i}`, gid: firstGid + i, members, churning, weight: i === 3 ? 0.3 : 3 };
  });
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const rest = [...values];
  return values.map(() => rest.splice(random.int(0, rest.length - 1), 1)[0] as T);
}

/** Mids that are always members of a conversation of which nobody else reads it whole, and may have another device. */
function coverAll(conversations: readonly SoakConversation[]): SoakUser[] {
  const archivists = new Set<SoakUser>();
  for (const conversation of conversations) {
    const able = cometUsers(conversation).filter(({ kind }) => kind !== 'plain-acks');
    if (able.length > 0 && !able.some((user) => archivists.has(user))) archivists.add(able[0] as SoakUser);
  }
  return [...archivists].slice(0, archivistsMax);
}
