/*
 * Finds the raw text of parts of a JSON text, so that what is only forwarded stays as it was sent:
 * a number like 12345678901234567890 or 1.0 does not survive JSON.parse and JSON.stringify.
 *
 * Everything here takes text that JSON.parse has accepted, and does not check it again. Nothing
 * recurses: how deep the text nests costs no stack.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;

/** Offset of the first character at or after `at` that is not white space. */
export function skipSpace(text: string, at: number): number {
  // All of JSON's white space is at or below the space, and nothing else of it is.
  while (text.charCodeAt(at) <= SPACE) at += 1;
  return at;
}

/** Offset after the string that begins at `at`. */
function skipString(text: string, at: number): number {
  let quote = text.indexOf('"', at + 1);
  while (text.charCodeAt(quote - 1) === BACKSLASH && isEscaped(text, quote)) {
    quote = text.indexOf('"', quote + 1);
  }
  return quote + 1;
}

/** Whether an odd number of backslashes stands before `at`. */
function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

/** Offset after the value that begins at `at`. */
export function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return skipString(text, at);
  if (first === OPEN_OBJECT || first === OPEN_ARRAY) return skipNested(text, at);
  return skipScalar(text, at);
}

/** A number, true, false or null ends where anything but its own characters follows. */
function skipScalar(text: string, at: number): number {
  while (at < text.length) {
    const c = text.charCodeAt(at);
    if (c <= SPACE || c === COMMA || c === CLOSE_ARRAY || c === CLOSE_OBJECT) break;
    at += 1;
  }
  return at;
}

function skipNested(text: string, at: number): number {
  let depth = 0;
  do {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = skipString(text, at);
        continue;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth += 1;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth -= 1;
        break;
    }
    at += 1;
  } while (depth > 0);
  return at;
}

/** Walks the members of the object that begins at `at`; `key`, `start`, `end` are of the last. */
export class MemberCursor {
  key = '';
  /** The raw text of the key, quotes included, begins here. */
  keyStart = 0;
  /** The raw text of the value is [start, end). */
  start = 0;
  end = 0;
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at + 1;
  }

  /** Goes to the next member; false after the last. A key may come twice: the later one holds. */
  next(): boolean {
    const text = this.#text;
    const at = skipToItem(text, this.#at);
    if (text.charCodeAt(at) === CLOSE_OBJECT) return false;
    const keyEnd = skipString(text, at);
    this.keyStart = at;
    this.key = stringValue(text, at, keyEnd);
    this.start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    this.end = skipValue(text, this.start);
    this.#at = this.end;
    return true;
  }
}

/** Walks the elements of the array that begins at `at`; `start` and `end` are of the last. */
export class ElementCursor {
  start = 0;
  end = 0;
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at + 1;
  }

  /** Goes to the next element; false after the last. */
  next(): boolean {
    const text = this.#text;
    const at = skipToItem(text, this.#at);
    if (text.charCodeAt(at) === CLOSE_ARRAY) return false;
    this.start = at;
    this.end = skipValue(text, at);
    this.#at = this.end;
    return true;
  }
}

/** Offset of the next key or element, or of the bracket that closes its object or array. */
function skipToItem(text: string, at: number): number {
  at = skipSpace(text, at);
  return text.charCodeAt(at) === COMMA ? skipSpace(text, at + 1) : at;
}

/** What a string in [start, end) of the text, quotes included, stands for. */
function stringValue(text: string, start: number, end: number): string {
  const escape = text.indexOf('\\', start);
  if (escape === -1 || escape >= end) return text.slice(start + 1, end - 1);
  return JSON.parse(text.slice(start, end)) as string;
}

export interface Slice {
  readonly start: number;
  readonly end: number;
}

/** The raw value of a member of the object that begins at `at`: the last, if its key comes twice. */
export function memberSlice(text: string, at: number, key: string): Slice | undefined {
  const cursor = new MemberCursor(text, at);
  let found: Slice | undefined;
  while (cursor.next()) {
    if (cursor.key === key) found = { start: cursor.start, end: cursor.end };
  }
  return found;
}
