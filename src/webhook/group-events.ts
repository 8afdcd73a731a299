import type { GroupChange } from '../store/store.ts';

/**
 * What is told of a group that changed: so many members an event, all of them of one change. The
 * members of the JSON objects but for `id`; none when nothing has changed.
 */
export function groupEvents(
  group: number,
  { exists, joined, left }: GroupChange,
  created: boolean,
  time: number,
  membersMax: number,
): string[] {
  const events: string[] = [];
  const count = Math.max(joined.length, left.length);
  const isNews = created || !exists;
  for (let at = 0; at < count || (at === 0 && isNews); at += membersMax) {
    const inEvent = (members: readonly number[]): string => members.slice(at, at + membersMax).join(',');
    events.push(
      `"type":"group","group":${group},"exists":${exists},"joined":[${inEvent(joined)}],` +
        `"left":[${inEvent(left)}],"time":${time}`,
    );
  }
  return events;
}
