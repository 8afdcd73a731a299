import type { Segment, SegmentKeeper } from '../../src/store/memory-journal.ts';
import { MemoryEngine } from '../../src/store/memory-engine.ts';
import type { AppendResult, ReadResult } from '../../src/store/store.ts';
import { isGroup, type Conversation } from '../../src/store/conversation.ts';
import { frameChatId, frameMsgStart, nextFrame, PayloadKind, type Run } from '../../src/wire/run.ts';
import { runOf } from './runs.ts';

/** Plays the main thread: what it holds is all that a dead shard thread leaves behind. */
export class Keeper implements SegmentKeeper {
  readonly kept = new Map<number, Segment>();
  /** Every number that was ever kept. */
  readonly numbers: number[] = [];

  keep(segment: Segment): void {
    this.kept.set(segment.number, segment);
    this.numbers.push(segment.number);
  }

  drop(number: number): void {
    if (!this.kept.delete(number)) throw new Error(`segment ${number} was not kept`);
  }

  get bytes(): number {
    let bytes = 0;
    for (const { memory } of this.kept.values()) bytes += memory.byteLength;
    return bytes;
  }
}

const GIBIBYTE = 1_073_741_824;

/** An engine on what the keeper holds: the first one, or the one that replaces it. */
export function engineOn(keeper: Keeper, segmentBytes = 65_536, bytesMax = GIBIBYTE): MemoryEngine {
  // In whatever order they arrive.
  return new MemoryEngine(keeper, segmentBytes, bytesMax, [...keeper.kept.values()].reverse());
}

/** A run of these texts whose first message has the number `first`. */
export function textsFrom(conversation: Conversation, first: number, texts: readonly string[]): Run {
  const [from, to] = isGroup(conversation)
    ? [1, conversation.group]
    : [Number(conversation.low) || 0, Number(conversation.high) || 0];
  const run = runOf(PayloadKind.text, texts, { op: isGroup(conversation) ? 20 : 18, from, to, first });
  return { ...run, time: first * 1000 };
}

/** Appends the texts as one run behind the conversation's last message. */
export function say(engine: MemoryEngine, conversation: Conversation, ...texts: string[]): AppendResult {
  const expectedLast = engine.last(conversation);
  const run = textsFrom(conversation, expectedLast + 1, texts);
  const [result] = engine.append([{ conversation, expectedLast, run }]);
  if (result === undefined) throw new Error('every append has a result');
  return result;
}

/** Number and text of every message of the runs. */
export function messagesOf(runs: readonly Run[]): [number, string][] {
  const found: [number, string][] = [];
  for (const { bytes } of runs) {
    for (let at = 0; at < bytes.length; at = nextFrame(bytes, at)) {
      const text = bytes.toString('utf8', frameMsgStart(bytes, at), nextFrame(bytes, at));
      found.push([frameChatId(bytes, at), text]);
    }
  }
  return found;
}

/** All that the engine has of a conversation after a number. */
export function readAll(engine: MemoryEngine, conversation: Conversation, after = 0): ReadResult {
  return engine.read(conversation, after, Infinity, Infinity);
}
