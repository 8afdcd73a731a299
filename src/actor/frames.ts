import { addExtension, Packr, Unpackr } from 'msgpackr';
import { actorLimits } from './limits.ts';
import { ActorRef } from './ref.ts';
import type { ActorId } from './types.ts';

/**
 * What passes between two nodes. A batch is one msgpack array: its header, then frames of
 * `frameSlots` values each, all in one flat array, so that no frame costs an array of its own.
 *
 * | op | head | id | body | token | deadline |
 * | --- | --- | --- | --- | --- | --- |
 * | tell | kind, message | actor | payload | 0 | 0 |
 * | tellIfActive | kind, message | actor | payload | 0 | 0 |
 * | ask | kind, message | actor | payload | asker's | on the common clock |
 * | answer | | 0 | value | asker's | 0 |
 * | failed | | error's code or null | error's message | asker's | 0 |
 * | refused | | 0 | RefusedReason | asker's | 0 |
 * | watch | kind | actor | null | watcher's | 0 |
 * | unwatch | | 0 | null | watcher's | 0 |
 * | ended | | 0 | EndReason | watcher's | 0 |
 *
 * The deadline of an ask that an actor waits for is an array: the deadline, then the chain of those
 * who wait (`flatten` in cycles.ts). A ref within a body is an extension: its kind and its id.
 *
 * Records are used (an object's keys are written once a batch), and begin anew with each batch: so
 * a batch can be read whatever became of the one before it.
 */
export const Op = {
  tell: 0,
  tellIfActive: 1,
  ask: 2,
  answer: 3,
  failed: 4,
  refused: 5,
  watch: 6,
  unwatch: 7,
  ended: 8,
} as const;

/** Of an ask: on the common clock, alone or in front of the chain of those who wait. */
export type Deadline = number | readonly [number, ...unknown[]];

export const frameSlots = 5;
/** Header: frames received so far from the peer (an acknowledgement), flags, names or null. */
export const headerSlots = 3;
/** Flag: the sender's window is half used, acknowledge this batch soon. */
export const wantsAck = 1;

const opsMax = 16;

/** Packs an op, the sender's index of a kind and the index of a message into one number. */
export const packFrameHead = (op: number, kind: number, message: number): number =>
  op + opsMax * (message + actorLimits.messageNamesMax * kind);
export const frameOp = (head: number): number => head % opsMax;
export const frameMessage = (head: number): number => Math.floor(head / opsMax) % actorLimits.messageNamesMax;
export const frameKind = (head: number): number => Math.floor(head / (opsMax * actorLimits.messageNamesMax));

/** The sender's kinds and their messages, in the order that its indexes mean. Sent once a connection. */
export type Names = readonly (readonly [kind: string, messages: readonly string[]])[];

/** What one frame is taken to weigh in a queue besides its strings and bytes. */
const frameBytes = 64;

/**
 * A cheap estimate of a frame's size: the strings and byte arrays that are the body, or its direct
 * fields, in full; whatever is deeper is not counted.
 */
export function estimateBytes(id: ActorId | null, body: unknown): number {
  let bytes = frameBytes + (typeof id === 'string' ? id.length : 0);
  if (typeof body === 'object' && body !== null && !(body instanceof Uint8Array)) {
    for (const key in body) bytes += sizeOf((body as Record<string, unknown>)[key]);
  } else {
    bytes += sizeOf(body);
  }
  return bytes;
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  return value instanceof Uint8Array ? value.byteLength : 8;
}

type RefMaker = (kind: string, id: ActorId) => unknown;

/** msgpack extension type of a ref ('R'). */
const refType = 0x52;
/** Makes the refs of the batch that is being decoded: msgpackr's extensions know no system. */
let makeRef: RefMaker | undefined;

addExtension({
  Class: ActorRef,
  type: refType,
  write: (ref: ActorRef) => [ref.kind, ref.id],
  read: ([kind, id]: [string, ActorId]) => makeRef?.(kind, id) ?? { kind, id },
});

const packr = new Packr({ useRecords: true });
const unpackr = new Unpackr({ useRecords: true });

/** Batches are packed here: else msgpackr allocates for each one that is longer than the one before. */
let scratch: Buffer = Buffer.allocUnsafeSlow(65_536);
const scratchBytesMax = 4_194_304;

/** Encodes a batch into an ArrayBuffer of its own, which can be transferred. */
export function encodeBatch(batch: readonly unknown[]): ArrayBuffer {
  packr.useBuffer(scratch);
  const view = packr.pack(batch); // A view of `scratch`, or of what it had to be replaced by.
  const { buffer } = view;
  if (buffer !== scratch.buffer && buffer.byteLength <= scratchBytesMax) scratch = Buffer.from(buffer);
  const bytes = Buffer.allocUnsafeSlow(view.byteLength);
  bytes.set(view);
  return bytes.buffer;
}

/**
 * Decodes a batch, its refs made by `refTo`. Byte arrays in it are Buffers that view `bytes`, and
 * keep all of it in memory.
 */
export function decodeBatch(bytes: ArrayBuffer, refTo?: RefMaker): unknown[] {
  makeRef = refTo;
  try {
    return unpackr.unpack(Buffer.from(bytes)) as unknown[];
  } finally {
    makeRef = undefined;
  }
}
