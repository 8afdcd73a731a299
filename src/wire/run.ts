import { assert } from '../assert.ts';
import { HEADER_BYTES, MESSAGE_HEAD_BYTES, OP_AT } from './frame.ts';
import { readChatId, readInt32, writeChatId } from './frame.ts';

/**
 * A run: consecutive messages of one conversation from one sender, kept as the very frames that a
 * binary client receives (docs/protocol.md, "Frame" and "Operation 18"), so that storing, linking,
 * feeding and pushing a run is one copy of its bytes.
 */
export const PayloadKind = { bytes: 0, text: 1, json: 2 } as const;
export type PayloadKind = (typeof PayloadKind)[keyof typeof PayloadKind];

/** Header, chatId, from, to: what stands before `msg` in each package of a run. */
export const RUN_FRAME_HEAD_BYTES = HEADER_BYTES + MESSAGE_HEAD_BYTES;
const FROM_AT = HEADER_BYTES + 8;
const TO_AT = HEADER_BYTES + 12;

/** The protocol in which a message came in. */
export const Origin = { comet: 0, messaging: 1 } as const;
export type Origin = (typeof Origin)[keyof typeof Origin];

export interface Run {
  /** `count` packages of op 18 or 20, one after another: 16 bytes header, chatId, from, to, msg. */
  readonly bytes: Buffer;
  readonly count: number;
  /** chatId of the first message; the others follow densely. 0 until the owner numbered it. */
  first: number;
  /** How `msg` is to be read: raw bytes, UTF-8 text, or JSON text. The same for all of a run. */
  readonly kind: PayloadKind;
  readonly origin: Origin;
  /** When the run was accepted, in ms since the epoch; never falls within a conversation. */
  time: number;
}

/** Offset of the package after the one at `at`. */
export function nextFrame(buf: Buffer, at: number): number {
  return at + readInt32(buf, at);
}

/** The operation of the package at `at`: 18 between two users, 20 to a group. */
export function frameOp(buf: Buffer, at: number): number {
  return readInt32(buf, at + OP_AT);
}

export function frameChatId(buf: Buffer, at: number): number {
  return readChatId(buf, at + HEADER_BYTES);
}

export function frameFrom(buf: Buffer, at: number): number {
  return readInt32(buf, at + FROM_AT);
}

export function frameTo(buf: Buffer, at: number): number {
  return readInt32(buf, at + TO_AT);
}

/** Offset of `msg` in the package at `at`; it ends at `nextFrame(buf, at)`. */
export function frameMsgStart(_buf: Buffer, at: number): number {
  return at + RUN_FRAME_HEAD_BYTES;
}

/** chatId of the last message of a numbered run. */
export function runLast(run: Run): number {
  return run.first + run.count - 1;
}

/** Numbers the messages of a run densely from `first`, in place. */
export function numberRun(run: Run, first: number): void {
  assert(first >= 1 && first <= Number.MAX_SAFE_INTEGER - run.count + 1, 'a chatId is 1..2^53-1');
  const { bytes, count } = run;
  let at = 0;
  for (let i = 0; i < count; i++) {
    writeChatId(bytes, at + HEADER_BYTES, first + i);
    at = nextFrame(bytes, at);
  }
  assert(at === bytes.length, 'the bytes of a run are its packages');
  run.first = first;
}

/** The messages with a chatId above `after`, as a view; the run itself when those are all. */
export function runAfter(run: Run, after: number): Run {
  if (after < run.first) return run;
  assert(after < runLast(run), 'some message of the run comes after');
  return splitRun(run, after - run.first + 1)[1];
}

/** Cuts a run after its first `count` messages, 1..run.count-1. Both parts are views. */
export function splitRun(run: Run, count: number): readonly [Run, Run] {
  assert(count >= 1 && count < run.count, 'a run is cut inside');
  let at = 0;
  for (let i = 0; i < count; i++) at = nextFrame(run.bytes, at);
  const numbered = run.first !== 0;
  const { kind, origin, time } = run;
  return [
    { bytes: run.bytes.subarray(0, at), count, first: run.first, kind, origin, time },
    {
      bytes: run.bytes.subarray(at),
      count: run.count - count,
      first: numbered ? run.first + count : 0,
      kind,
      origin,
      time,
    },
  ];
}
