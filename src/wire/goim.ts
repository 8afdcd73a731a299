import { EnckeError } from '../errors.ts';
import { limits } from '../limits.ts';
import { HEADER_BYTES, PUSH_VERSION, writeHeader } from './frame.ts';

/*
 * The forms of goim's dialect (docs/goim.md): what its clients say in op 7 and in operations 12 to
 * 17, and the packages that its push API makes.
 */

/** The operations that only goim's dialect has. */
export const GoimOp = {
  /** Body: the room to be in from now on, as "type://room"; empty: none. */
  changeRoom: 12,
  changeRoomReply: 13,
  /** Body: operations to accept as well, in decimal with commas between. */
  subscribe: 14,
  subscribeReply: 15,
  /** Body: operations not to accept any more. */
  unsubscribe: 16,
  unsubscribeReply: 17,
} as const;

/** What a goim client says of itself in op 7. */
export interface GoimHello {
  /** By which push/keys reaches it; empty: it has none. */
  readonly key: string;
  /** The room that it is in; empty: none. */
  readonly room: string;
  /** Operations of pushes that it wants. */
  readonly accepts: readonly number[];
}

const members = ['accepts', 'key', 'room_id', 'platform'];

/** Whether an op 7 was written for goim: it has a member that only goim's clients have. */
export const isGoimBody = (body: object): boolean => members.some((member) => Object.hasOwn(body, member));

/** Absent and null are goim's zero values, as its JSON decoder has it. */
export function parseHello(body: Record<string, unknown>): GoimHello | EnckeError {
  const key = body['key'] ?? '';
  const room = body['room_id'] ?? '';
  const accepts = body['accepts'] ?? [];
  if (!isName(key)) return new EnckeError('bad_body', `key must be a string of at most ${max} characters`);
  if (!isName(room))
    return new EnckeError('bad_body', `room_id must be a string of at most ${max} characters`);
  if (!Array.isArray(accepts) || accepts.length > limits.goimAcceptsMax || !accepts.every(isInt32)) {
    return new EnckeError('bad_body', `accepts must be at most ${limits.goimAcceptsMax} integers`);
  }
  return { key, room, accepts: [...new Set(accepts)] };
}

const max = limits.goimNameCharsMax;

/** Whether this can be a key or a room, or says that there is none. */
export const isName = (name: unknown): name is string => typeof name === 'string' && name.length <= max;

export const isInt32 = (n: unknown): n is number => typeof n === 'number' && (n | 0) === n;

/** The body of op 14 or 16; undefined if goim would not take it: then it changes nothing. */
export function parseOperations(text: string): number[] | undefined {
  if (text === '') return [];
  const operations: number[] = [];
  for (const part of text.split(',')) {
    const operation = /^[+-]?[0-9]+$/.test(part) ? Number(part) : Number.NaN;
    if (!isInt32(operation)) return undefined;
    operations.push(operation);
  }
  return operations;
}

/** A room as clients name it. */
export const roomOf = (type: string, room: string): string => `${type}://${room}`;

/** The type and the name of a room; undefined for one that is not of the form "type://room". */
export function splitRoom(room: string): { readonly type: string; readonly name: string } | undefined {
  const at = room.indexOf('://');
  return at < 1 ? undefined : { type: room.slice(0, at), name: room.slice(at + 3) };
}

/** The package that a push is to its receivers: sequence 0, and its own operation. */
export function pushPackage(operation: number, message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + message.length);
  bytes.set(message, writeHeader(bytes, 0, bytes.length, PUSH_VERSION, operation, 0));
  return bytes;
}

/** A reply with a body of bytes; absent: an empty one. */
export function goimReply(op: number, version: number, seq: number, body?: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + (body?.length ?? 0));
  const at = writeHeader(bytes, 0, bytes.length, version, op, seq);
  if (body !== undefined) bytes.set(body, at);
  return bytes;
}
