import { compareUsers, type UserId } from '../wire/user-id.ts';

/**
 * What messages are numbered in: a pair of users, whichever of them sends, or a group. The user
 * with the lower id (mids before string clients, then by value) owns a pair; a group owns itself.
 */
export type Conversation = PairConversation | GroupConversation;

export interface PairConversation {
  /** Unique among all conversations, and what a store files it under. */
  readonly key: string;
  readonly low: UserId;
  readonly high: UserId;
}

export interface GroupConversation {
  readonly key: string;
  readonly group: number;
}

export function pairOf(a: UserId, b: UserId): PairConversation {
  const ordered = compareUsers(a, b) <= 0;
  const low = ordered ? a : b;
  const high = ordered ? b : a;
  // String clients may hold any character: JSON keeps their pairs apart.
  const mids = typeof low === 'number' && typeof high === 'number';
  return { key: mids ? `p:${low}:${high}` : JSON.stringify([low, high]), low, high };
}

export const groupOf = (group: number): GroupConversation => ({ key: `g:${group}`, group });

/** Above all gids: groups of the server's own, which nobody can name. */
const EVENT_LOG_FIRST = 0xffff_ff00;

/** The event log of a shard (src/webhook/event-log.ts) is filed as a group. Shards are 0..63. */
export const eventLogOf = (shard: number): GroupConversation => groupOf(EVENT_LOG_FIRST + shard);

export const isEventLog = (conversation: Conversation): boolean =>
  isGroup(conversation) && conversation.group >= EVENT_LOG_FIRST;

/**
 * How far an event log was posted is filed as the cursor of a user that nobody is. The shard that
 * writes the log has one, the shard that posts what earlier runs have left the other: the higher counts.
 */
export const eventLogUsers = { writer: 0, heir: '' } as const;
export const isEventLogUser = (user: UserId): boolean =>
  user === eventLogUsers.writer || user === eventLogUsers.heir;

export const isGroup = (conversation: Conversation): conversation is GroupConversation =>
  'group' in conversation;

/** The user or group whose shard owns the conversation. */
export const ownerOf = (conversation: Conversation): UserId =>
  isGroup(conversation) ? conversation.group : conversation.low;

/** The other way round: from a key as it was stored. */
export function conversationOf(key: string): Conversation {
  if (key.startsWith('g:')) return { key, group: Number(key.slice(2)) };
  if (key.startsWith('p:')) {
    const colon = key.indexOf(':', 2);
    return { key, low: Number(key.slice(2, colon)), high: Number(key.slice(colon + 1)) };
  }
  const [low, high] = JSON.parse(key) as [UserId, UserId];
  return { key, low, high };
}
