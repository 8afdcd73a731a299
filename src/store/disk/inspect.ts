import { conversationOf, eventLogUsers, isEventLog, isEventLogUser, isGroup } from '../conversation.ts';
import type { Cursor } from '../store.ts';
import { Damages } from './inspect-checks.ts';
import { surveyConversations, type Surveyed } from './inspect-conversations.ts';
import { JournalSurvey } from './inspect-journals.ts';
import * as layout from './layout.ts';
import { Snapshot } from './snapshot.ts';
import * as values from './values.ts';

/** What a data directory holds, and what is wrong with it. */
export interface Inspection {
  readonly directory: string;
  readonly format: number;
  readonly conversations: number;
  /** Of the conversations. */
  readonly pairs: number;
  readonly groups: number;
  readonly members: number;
  /** Those of whom something is kept: cursors, devices, a mailbox. */
  readonly users: number;
  readonly messages: number;
  readonly chunks: number;
  readonly journalSegments: number;
  readonly tablesBytes: number;
  /** Of the messages, in tables and journals. */
  readonly messagesBytes: number;
  readonly journalBytes: number;
  /** Of commits that were cut off by a crash, or are being written: nobody was told that they are stored. */
  readonly tornBytes: number;
  /** Runs of messages and other events in event logs, which webhooks may still have to be told of. */
  readonly events: number;
  readonly largest: readonly LargeConversation[];
  readonly damageCount: number;
  /** At most limits.inspectDamagesMax of them. */
  readonly damages: readonly string[];
}

export type LargeConversation = Pick<Surveyed, 'conversation' | 'bytes' | 'first' | 'last'>;

/**
 * Looks at a directory that is served, was stopped, or was left by a crash, without changing it.
 * Memory is needed for one journal segment and the names in it; the tables are streamed. Of a
 * directory that is served the counts are those of about this moment.
 * Throws DataDirError when it is none, CorruptData when its tables cannot be opened.
 */
export async function inspect(path: string, top: number): Promise<Inspection> {
  const snapshot = Snapshot.open(path);
  try {
    return survey(snapshot, top);
  } finally {
    await snapshot.close();
  }
}

function survey(snapshot: Snapshot, top: number): Inspection {
  const damages = new Damages();
  const journals = new JournalSurvey(snapshot, damages);
  const largest = new Largest(top);
  const sums = { conversations: 0, pairs: 0, messages: 0, chunks: 0, messagesBytes: 0, events: 0 };
  damages.watch('tables', () => {
    for (const found of surveyConversations(snapshot, journals, damages)) {
      const kept = Math.max(0, found.last - found.first + 1);
      if (isEventLog(conversationOf(found.conversation))) {
        sums.events += kept;
        continue;
      }
      sums.conversations += 1;
      if (found.isPair) sums.pairs += 1;
      sums.messages += kept;
      sums.chunks += found.chunks;
      sums.messagesBytes += found.bytes;
      largest.add(found);
    }
  });
  let others = { users: 0, groups: 0, members: 0 };
  damages.watch('tables', () => {
    others = { users: countUsers(snapshot, journals), ...countGroups(snapshot, journals, damages) };
    checkCursors(snapshot, journals, damages);
  });
  return {
    directory: snapshot.dir,
    format: layout.FORMAT,
    ...sums,
    ...others,
    journalSegments: snapshot.segments.length,
    tablesBytes: snapshot.tablesBytes,
    journalBytes: journals.bytes,
    tornBytes: journals.tornBytes,
    largest: largest.list,
    damageCount: damages.count,
    damages: damages.lines,
  };
}

/** The largest conversations so far, the largest first. */
class Largest {
  readonly list: LargeConversation[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  add({ conversation, bytes, first, last }: Surveyed): void {
    const { list } = this;
    if (list.length === this.#max && bytes <= (list.at(-1)?.bytes ?? Infinity)) return;
    let at = list.length;
    while (at > 0 && (list[at - 1]?.bytes ?? 0) < bytes) at -= 1;
    list.splice(at, 0, { conversation, bytes, first, last });
    list.length = Math.min(list.length, this.#max);
  }
}

function countUsers(snapshot: Snapshot, { users }: JournalSurvey): number {
  let count = 0;
  for (const _user of snapshot.entries(layout.usersRange)) count += 1;
  for (const user of Object.values(eventLogUsers)) {
    if (snapshot.get(layout.userKey(user)) !== undefined) count -= 1;
  }
  for (const user of users) {
    if (!isEventLogUser(user) && snapshot.get(layout.userKey(user)) === undefined) count += 1;
  }
  return count;
}

function countGroups(
  snapshot: Snapshot,
  { groups: changes }: JournalSurvey,
  damages: Damages,
): { groups: number; members: number } {
  let groups = 0;
  let members = 0;
  for (const { key, value } of snapshot.entries(layout.groupsRange)) {
    if (!changes.has(key.readUInt32BE(1)) && value[0] === 1) groups += 1;
  }
  for (const { key } of snapshot.entries(layout.membersRange)) {
    const group = key.readUInt32BE(1);
    const mid = key.readUInt32BE(5);
    if (changes.get(group)?.members.has(mid) !== true) members += 1;
    if (snapshot.get(layout.groupsKey(mid, group)) !== undefined) continue;
    damages.add(`group ${group}`, `it is missing among the groups of its member ${mid}`);
  }
  for (const { exists, members: changed } of changes.values()) {
    if (exists) groups += 1;
    for (const isMember of changed.values()) if (isMember) members += 1;
  }
  return { groups, members };
}

/** Nobody can have got, or read, what is not there yet: such a user would miss what comes next. */
function checkCursors(snapshot: Snapshot, journals: JournalSurvey, damages: Damages): void {
  for (const { key, value } of snapshot.entries(layout.cursorsRange)) {
    const { user, conversation: bytes } = layout.cursorParts(key);
    const conversation = layout.conversationAt(bytes, 0);
    const where = `cursor of ${user} in conversation ${conversation.key}`;
    damages.watch(where, () => {
      const stored = snapshot.get(layout.conversationKey(bytes));
      const last = Math.max(
        stored === undefined ? 0 : values.decodeConversation(stored).last,
        journals.last(conversation.key),
      );
      const newest = newestOf(values.decodeCursor(conversation.key, value));
      if (newest > last) damages.add(where, `it is at ${newest}, the last message is ${last}`);
      if (isGroup(conversation) || conversation.low === user || conversation.high === user) return;
      damages.add(where, 'the user is not in it');
    });
  }
}

const newestOf = ({ delivered, devices, readTo, read }: Cursor): number =>
  Math.max(delivered, readTo, read.at(-1) ?? 0, ...Object.values(devices));
