import type { Conversation } from '../conversation.ts';
import { eventLogOf, isGroup, groupOf, pairOf } from '../conversation.ts';
import type { UserId } from '../../wire/user-id.ts';

/**
 * Keys of the tables (docs/storage.md, "Tables"). A key is a tag byte and then parts that end by
 * themselves, so that all keys which begin with the same parts stand together. Numbers are
 * big-endian: keys stand in the order of their numbers.
 */
export const FORMAT = 1;

const Tag = {
  conversation: 0x43, // C conversation
  chunk: 0x4c, // L conversation, last u64
  user: 0x55, // U user
  cursor: 0x4b, // K user, conversation
  pairOf: 0x49, // I user, conversation: the pairs of a user
  group: 0x47, // G gid
  member: 0x4d, // M gid, mid
  groupOf: 0x4a, // J mid, gid: the groups of a user
  system: 0x53, // S name
} as const;

const PartTag = { number: 1, text: 2, group: 3 } as const;

const NUMBER_BYTES = 5;

/** A user: 01 and the mid, or 02, the byte length u16 and the UTF-8 of a client id. */
export function userBytes(user: UserId): Buffer {
  if (typeof user === 'number') return numberPart(PartTag.number, user);
  const text = Buffer.from(user);
  const bytes = Buffer.allocUnsafe(3 + text.length);
  bytes[0] = PartTag.text;
  bytes.writeUInt16BE(text.length, 1);
  text.copy(bytes, 3);
  return bytes;
}

/** A conversation: 03 and the gid, or the lower and the higher user. */
export function conversationBytes(conversation: Conversation): Buffer {
  if (isGroup(conversation)) return numberPart(PartTag.group, conversation.group);
  return Buffer.concat([userBytes(conversation.low), userBytes(conversation.high)]);
}

/** The conversation whose bytes begin at `at`. */
export function conversationAt(bytes: Buffer, at: number): Conversation {
  if (bytes[at] === PartTag.group) return groupOf(bytes.readUInt32BE(at + 1));
  const low = userAt(bytes, at);
  return pairOf(low, userAt(bytes, at + partBytes(bytes, at)));
}

function userAt(bytes: Buffer, at: number): UserId {
  if (bytes[at] === PartTag.number) return bytes.readUInt32BE(at + 1);
  return bytes.toString('utf8', at + 3, at + partBytes(bytes, at));
}

const partBytes = (bytes: Buffer, at: number): number =>
  bytes[at] === PartTag.text ? 3 + bytes.readUInt16BE(at + 1) : NUMBER_BYTES;

function numberPart(tag: number, n: number): Buffer {
  const bytes = Buffer.allocUnsafe(NUMBER_BYTES);
  bytes[0] = tag;
  bytes.writeUInt32BE(n, 1);
  return bytes;
}

function key(tag: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([TAGS[tag] as Buffer, ...parts]);
}

const TAGS = Array.from({ length: 128 }, (_none, tag) => Buffer.of(tag));

export const conversationKey = (conversation: Buffer): Buffer => key(Tag.conversation, conversation);
export const userKey = (user: UserId): Buffer => key(Tag.user, userBytes(user));
export const cursorPrefix = (user: UserId): Buffer => key(Tag.cursor, userBytes(user));
export const cursorKey = (user: UserId, conversation: Buffer): Buffer =>
  key(Tag.cursor, userBytes(user), conversation);
export const pairPrefix = (user: UserId): Buffer => key(Tag.pairOf, userBytes(user));
export const pairKey = (user: UserId, conversation: Buffer): Buffer =>
  key(Tag.pairOf, userBytes(user), conversation);
export const groupKey = (group: number): Buffer => key(Tag.group, u32(group));
export const memberPrefix = (group: number): Buffer => key(Tag.member, u32(group));
export const memberKey = (group: number, mid: number): Buffer => key(Tag.member, u32(group), u32(mid));
export const groupsPrefix = (mid: number): Buffer => key(Tag.groupOf, u32(mid));
export const groupsKey = (mid: number, group: number): Buffer => key(Tag.groupOf, u32(mid), u32(group));
export const systemKey = (name: string): Buffer => key(Tag.system, Buffer.from(name));

/** The chunk of a conversation that ends with message `last`. */
export function chunkKey(conversation: Buffer, last: number): Buffer {
  const bytes = Buffer.allocUnsafe(1 + conversation.length + 8);
  bytes[0] = Tag.chunk;
  conversation.copy(bytes, 1);
  bytes.writeUInt32BE(Math.floor(last / 0x1_0000_0000), bytes.length - 8);
  bytes.writeUInt32BE(last >>> 0, bytes.length - 4);
  return bytes;
}

/** The number in the key of a chunk. */
export const chunkLast = (chunk: Buffer): number =>
  chunk.readUInt32BE(chunk.length - 8) * 0x1_0000_0000 + chunk.readUInt32BE(chunk.length - 4);

/** The bytes of the conversation in the key of a chunk. */
export const chunkConversation = (chunk: Buffer): Buffer => chunk.subarray(1, chunk.length - 8);

/** The bytes of the user and those of the conversation in the key of a cursor. */
export function cursorParts(cursor: Buffer): { user: UserId; conversation: Buffer } {
  return { user: userAt(cursor, 1), conversation: cursor.subarray(1 + partBytes(cursor, 1)) };
}

/** The end of all keys that begin with `prefix`, exclusive. */
export function prefixEnd(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  let i = end.length - 1;
  while (end[i] === 0xff) i -= 1;
  end[i] = (end[i] ?? 0) + 1;
  return end.subarray(0, i + 1);
}

/** All keys of a kind: [start, end). */
export const conversationsRange = {
  start: Buffer.of(Tag.conversation),
  end: Buffer.of(Tag.conversation + 1),
};
/** Of conversations: the event logs alone, which stand last. */
export const eventLogsRange = {
  start: conversationKey(conversationBytes(eventLogOf(0))),
  end: conversationsRange.end,
};
export const cursorsRange = { start: Buffer.of(Tag.cursor), end: Buffer.of(Tag.cursor + 1) };
export const membersRange = { start: Buffer.of(Tag.member), end: Buffer.of(Tag.member + 1) };
export const usersRange = { start: Buffer.of(Tag.user), end: Buffer.of(Tag.user + 1) };
export const groupsRange = { start: Buffer.of(Tag.group), end: Buffer.of(Tag.group + 1) };
export const chunksRange = { start: Buffer.of(Tag.chunk), end: Buffer.of(Tag.chunk + 1) };

function u32(n: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(n, 0);
  return bytes;
}
