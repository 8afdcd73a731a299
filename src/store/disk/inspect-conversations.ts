import { runLast } from '../../wire/run.ts';
import { isGroup, type Conversation } from '../conversation.ts';
import { checkFrames, type Damages } from './inspect-checks.ts';
import type { JournalPart, JournalSurvey } from './inspect-journals.ts';
import * as layout from './layout.ts';
import type { Entry, Snapshot } from './snapshot.ts';
import * as values from './values.ts';

/** A conversation over tables and journals. */
export interface Surveyed {
  readonly conversation: string;
  readonly isPair: boolean;
  /** The oldest message that is kept; behind `last` when there is none. */
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
  readonly chunks: number;
}

/**
 * Checks and yields each conversation. Records and chunks stand in the same order, so that one pass
 * over both is enough, and nothing of them has to be remembered.
 */
export function* surveyConversations(
  snapshot: Snapshot,
  journals: JournalSurvey,
  damages: Damages,
): Generator<Surveyed> {
  const chunks = snapshot.entries(layout.chunksRange)[Symbol.iterator]();
  let chunk = chunks.next();
  const orphan = ({ key }: Entry): void => {
    const { key: name } = layout.conversationAt(key, 1);
    damages.add(`conversation ${name}`, `messages up to ${layout.chunkLast(key)} belong to no record`);
  };
  for (const { key, value } of snapshot.entries(layout.conversationsRange)) {
    const bytes = key.subarray(1);
    const check = new ConversationCheck(layout.conversationAt(key, 1), value, damages);
    for (; chunk.done !== true; chunk = chunks.next()) {
      const order = Buffer.compare(layout.chunkConversation(chunk.value.key), bytes);
      if (order > 0) break;
      if (order < 0) orphan(chunk.value);
      else check.chunk(chunk.value);
    }
    checkLists(snapshot, layout.conversationAt(key, 1), bytes, damages);
    yield check.end(journals.take(check.name));
  }
  for (; chunk.done !== true; chunk = chunks.next()) orphan(chunk.value);
  for (const { name, isPair, parts } of journals.rest()) {
    const first = parts[0]?.first ?? 1;
    const last = parts.at(-1)?.last ?? 0;
    if (first !== 1) damages.add(`conversation ${name}`, `message 1 is missing in front of ${first}`);
    yield { conversation: name, isPair, first, last, bytes: bytesOf(parts), chunks: 0 };
  }
}

const bytesOf = (parts: readonly JournalPart[]): number => parts.reduce((sum, { bytes }) => sum + bytes, 0);

const messages = (from: number, to: number): string =>
  from === to ? `message ${from} is` : `messages ${from} to ${to} are`;

/** A pair is listed with both users. */
function checkLists(snapshot: Snapshot, conversation: Conversation, bytes: Buffer, damages: Damages): void {
  if (isGroup(conversation)) return;
  for (const user of [conversation.low, conversation.high]) {
    if (snapshot.get(layout.pairKey(user, bytes)) !== undefined) continue;
    damages.add(`conversation ${conversation.key}`, `it is missing among the pairs of ${user}`);
  }
}

/** One conversation of the tables: what its record says, and what is there. */
class ConversationCheck {
  readonly name: string;
  readonly #isPair: boolean;
  readonly #damages: Damages;
  readonly #record: values.ConversationRecord | undefined = undefined;
  /** The newest message so far; chunks begin at the floor, or in front of it. */
  #last: number | undefined;
  #first = Infinity;
  #chunks = 0;
  #bytes = 0;

  constructor(conversation: Conversation, value: Buffer, damages: Damages) {
    this.name = conversation.key;
    this.#isPair = !isGroup(conversation);
    this.#damages = damages;
    if (value.length !== values.CONVERSATION_BYTES) this.#is('its record is damaged');
    else this.#record = values.decodeConversation(value);
    const { last, floor } = this.#record ?? { last: 0, floor: 0 };
    if (floor < 0 || floor > last) this.#is(`its floor is ${floor}, its last message ${last}`);
  }

  get #where(): string {
    return `conversation ${this.name}`;
  }

  #is(what: string | undefined): void {
    this.#damages.add(this.#where, what);
  }

  chunk({ key, value }: Entry): void {
    const last = layout.chunkLast(key);
    this.#chunks += 1;
    this.#bytes += value.length;
    const first = this.#checkChunk(value, last);
    if (first !== undefined) this.#follow(first, last);
    this.#last = last;
  }

  /** The first number of a chunk; undefined when it cannot be known. */
  #checkChunk(value: Buffer, last: number): number | undefined {
    let first: number | undefined;
    this.#damages.watch(`${this.#where}, chunk up to ${last}`, () => {
      const runs = values.decodeChunk(value);
      first = runs[0]?.first;
      for (const run of runs) this.#is(checkFrames(run));
      const newest = runs.at(-1);
      const end = newest === undefined ? undefined : runLast(newest);
      if (end !== last) this.#is(`the chunk up to ${last} ends with ${end ?? 'nothing'}`);
    });
    return first;
  }

  #follow(first: number, last: number): void {
    const floor = this.#record?.floor ?? 0;
    if (this.#last === undefined) {
      if (last <= floor) this.#is(`the chunk up to ${last} is below the floor, which is ${floor}`);
      if (first > floor + 1) this.#missing(floor + 1, first - 1);
      this.#first = Math.max(first, floor + 1);
    } else if (first > this.#last + 1) this.#missing(this.#last + 1, first - 1);
    else if (first <= this.#last) this.#is(`${messages(first, this.#last)} there twice`);
  }

  #missing(from: number, to: number): void {
    this.#is(`${messages(from, to)} missing`);
  }

  end(parts: readonly JournalPart[]): Surveyed {
    const { last, floor, bytes, chunks } = this.#record ?? { last: this.#last ?? 0, floor: 0 };
    const end = this.#last ?? floor;
    if (end < last) this.#missing(end + 1, last);
    if (end > last) this.#is(`it ends with ${end}, its record says ${last}`);
    this.#differs('chunks', this.#chunks, chunks);
    this.#differs('bytes', this.#bytes, bytes);
    const newer = parts.filter((part) => part.last > last);
    const [oldest] = newer;
    if (oldest !== undefined && oldest.first > last + 1) this.#missing(last + 1, oldest.first - 1);
    if (oldest !== undefined && oldest.first <= last) {
      this.#is(`messages ${oldest.first} to ${last} are in the tables, and in a journal with newer ones`);
    }
    return {
      conversation: this.name,
      isPair: this.#isPair,
      first: Math.min(this.#first, last + 1),
      last: Math.max(last, newer.at(-1)?.last ?? 0),
      bytes: this.#bytes + bytesOf(newer),
      chunks: this.#chunks,
    };
  }

  #differs(what: string, found: number, recorded: number | undefined): void {
    if (recorded === undefined || found === recorded) return;
    this.#is(`it has ${found} ${what}, its record says ${recorded}`);
  }
}
