import type { UserId } from '../../wire/user-id.ts';
import { runLast } from '../../wire/run.ts';
import { conversationOf, isGroup } from '../conversation.ts';
import { checkFrames, type Damages } from './inspect-checks.ts';
import { EntryType, readRunEntry, unpackGroup, unpackUser } from './journal-format.ts';
import { conversationAt } from './layout.ts';
import { visitSegment } from './segments.ts';
import type { HeldSegment, Snapshot } from './snapshot.ts';

/** The messages of one conversation in one segment: first..last, without a gap. */
export interface JournalPart {
  readonly first: number;
  last: number;
  bytes: number;
}

/** What stands in the journals, without the messages themselves. */
export class JournalSurvey {
  /** By the conversation's key; those of one conversation follow each other. */
  readonly parts = new Map<string, JournalPart[]>();
  readonly users = new Set<UserId>();
  /** Group -> whether it exists, and its changed members: true for one that joined. */
  readonly groups = new Map<number, { exists: boolean; members: Map<number, boolean> }>();
  bytes = 0;
  /** Of commits that were cut off, or are being written now. */
  tornBytes = 0;
  readonly #damages: Damages;

  constructor(snapshot: Snapshot, damages: Damages) {
    this.#damages = damages;
    for (const segment of snapshot.segments) {
      damages.watch(segment.path, () => this.#visit(segment, snapshot.read(segment)));
    }
  }

  #visit(segment: HeldSegment, buf: Buffer): void {
    this.bytes += buf.length;
    const here = new Map<string, JournalPart>();
    this.tornBytes += visitSegment(segment.path, buf, (type, start, end) => {
      if (type === EntryType.run) this.#run(buf, start, end, here, segment);
      else if (type === EntryType.user) this.users.add(unpackUser(buf.subarray(start, end)).user);
      else if (type === EntryType.group) this.#group(buf.subarray(start, end));
    });
  }

  #run(buf: Buffer, start: number, end: number, here: Map<string, JournalPart>, { path }: HeldSegment): void {
    const { key, run } = readRunEntry(buf, start, end);
    const name = conversationAt(key, 0).key;
    const where = `conversation ${name} in ${path}`;
    this.#damages.add(where, checkFrames(run));
    const parts = this.parts.get(name) ?? [];
    const newest = parts.at(-1);
    if (newest === undefined) this.parts.set(name, parts);
    else if (run.first !== newest.last + 1) {
      this.#damages.add(where, `message ${run.first} stands behind ${newest.last}`);
    }
    let part = here.get(name);
    if (part === undefined) {
      here.set(name, (part = { first: run.first, last: run.first - 1, bytes: 0 }));
      parts.push(part);
    }
    part.last = runLast(run);
    part.bytes += run.bytes.length;
  }

  #group(bytes: Buffer): void {
    const { group, change } = unpackGroup(bytes);
    let known = this.groups.get(group);
    if (known === undefined) this.groups.set(group, (known = { exists: true, members: new Map() }));
    known.exists = change.exists;
    for (const mid of change.left) known.members.set(mid, false);
    for (const mid of change.joined) known.members.set(mid, true);
  }

  /** The newest message of a conversation, if there is one here. */
  last(name: string): number {
    return this.parts.get(name)?.at(-1)?.last ?? 0;
  }

  /** Conversations of which nothing is in the tables: those that `take` was not called for. */
  *rest(): Generator<{ name: string; isPair: boolean; parts: readonly JournalPart[] }> {
    for (const [name, parts] of this.parts) {
      if (!this.#taken.has(name)) yield { name, isPair: !isGroup(conversationOf(name)), parts };
    }
  }

  readonly #taken = new Set<string>();

  /** What the journals have of a conversation of the tables. */
  take(name: string): readonly JournalPart[] {
    const parts = this.parts.get(name);
    if (parts === undefined) return [];
    this.#taken.add(name);
    return parts;
  }
}
