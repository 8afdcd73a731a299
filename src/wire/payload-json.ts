import { isUtf8 } from 'node:buffer';

// What JSON does not allow in a string as it is. Half characters do not come out of UTF-8.
// oxlint-disable-next-line no-control-regex
const MUST_BE_ESCAPED = /["\\\u0000-\u001f]/;

/** A string that was decoded from UTF-8, as JSON. Most need no escape, and then this is quicker. */
export function jsonString(text: string): string {
  return MUST_BE_ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** [start, end) of `buf` as text if it is valid UTF-8. */
export function utf8Text(buf: Buffer, start: number, end: number): string | undefined {
  const text = buf.toString('utf8', start, end);
  // Invalid bytes become U+FFFD: only where there is one is the exact check, and its view, needed.
  if (text.includes('\ufffd') && !isUtf8(buf.subarray(start, end))) return undefined;
  return text;
}
