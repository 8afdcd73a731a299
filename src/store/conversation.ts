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
