import { limits } from '../../limits.ts';
import { frameChatId, nextFrame, RUN_FRAME_HEAD_BYTES, type Run } from '../../wire/run.ts';

/** What is wrong and where, a line each; so many are kept, the rest is counted. */
export class Damages {
  readonly lines: string[] = [];
  count = 0;

  /** Undefined: nothing is wrong. */
  add(where: string, what: string | undefined): void {
    if (what === undefined) return;
    this.count += 1;
    if (this.lines.length < limits.inspectDamagesMax) this.lines.push(`${where}: ${what}`);
  }

  /** Whatever cannot be read there is damaged. */
  watch(where: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      const { message } = error as Error;
      // Errors about a file name it already.
      this.add(where, message.startsWith(`${where}: `) ? message.slice(where.length + 2) : message);
    }
  }
}

/** Each message of a run must be there once, under its own number. */
export function checkFrames({ bytes, first, count }: Run): string | undefined {
  let at = 0;
  for (let number = first; number < first + count; number++) {
    if (at + RUN_FRAME_HEAD_BYTES > bytes.length) return `message ${number} is missing in its run`;
    if (frameChatId(bytes, at) !== number) return `message ${number} has number ${frameChatId(bytes, at)}`;
    const next = nextFrame(bytes, at);
    if (next < at + RUN_FRAME_HEAD_BYTES || next > bytes.length)
      return `message ${number} has no right length`;
    at = next;
  }
  return at === bytes.length ? undefined : `there are bytes behind message ${first + count - 1} in its run`;
}
