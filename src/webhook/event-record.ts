import { eventLogOf } from '../store/conversation.ts';
import { frameFrom, frameMsgStart, frameTo } from '../wire/run.ts';

/**
 * A record of an event log, as `msg` of a frame. Numbers are little-endian.
 *
 *   0 type u8
 *   messages  1 first f64 | 9 count u32 | 13 the conversation's key, UTF-8
 *   event     1 the members of its JSON object, UTF-8, but for `id`
 *
 * `from` and `to` of the frame are the epoch: when the server that wrote it started, in ms since
 * 1970, divided by 2^31 and the rest.
 */
export const RecordType = { messages: 1, event: 2 } as const;

/** Messages of one run: where they are in the log. */
export interface MessagesRecord {
  readonly key: string;
  readonly first: number;
  readonly count: number;
}

const EPOCH_LOW = 2 ** 31;
const MESSAGES_HEAD_BYTES = 13;

/** As many as there can be workers, now or in an earlier run. */
export const EVENT_LOGS = 64;
export const eventLogs = Array.from({ length: EVENT_LOGS }, (_none, shard) => eventLogOf(shard));

export const epochHigh = (epoch: number): number => Math.floor(epoch / EPOCH_LOW);
export const epochLow = (epoch: number): number => epoch % EPOCH_LOW;

/** Of the frame at `at`. */
export const epochOf = (buf: Buffer, at: number): number => frameFrom(buf, at) * EPOCH_LOW + frameTo(buf, at);

/** Returns where it ends. */
export function writeMessagesRecord(buf: Buffer, key: string, first: number, count: number): number {
  buf[0] = RecordType.messages;
  buf.writeDoubleLE(first, 1);
  buf.writeUInt32LE(count, 9);
  return MESSAGES_HEAD_BYTES + buf.write(key, MESSAGES_HEAD_BYTES);
}

export function eventRecord(members: string): Buffer {
  const record = Buffer.allocUnsafe(1 + Buffer.byteLength(members));
  record[0] = RecordType.event;
  record.write(members, 1);
  return record;
}

/** The record in the frame [at, next): the place of messages, or the members of an event. */
export function readRecord(buf: Buffer, at: number, next: number): MessagesRecord | string {
  const start = frameMsgStart(buf, at);
  if (buf[start] !== RecordType.messages) return buf.toString('utf8', start + 1, next);
  return {
    first: buf.readDoubleLE(start + 1),
    count: buf.readUInt32LE(start + 9),
    key: buf.toString('utf8', start + MESSAGES_HEAD_BYTES, next),
  };
}
