import { errorReasons } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { isTooDeep } from './json-depth.ts';
import { idString } from './json-id.ts';
import { ElementCursor, memberSlice, skipSpace } from './json-slice.ts';

export { encodeNotifications, messageIdOf } from './notifications.ts';

/** One message of a `send` section. Its ids are in their string form. */
export interface SendItem {
  readonly id: string;
  /** The JSON of the id, to give it back with its type. */
  readonly idText: string;
  readonly sid: string;
  readonly rid: string;
  /** The whole object, untouched. */
  readonly raw: string;
}

/** One message of a `read` section. */
export interface ReadItem {
  readonly id: string;
  readonly idText: string;
  readonly sid?: string | undefined;
}

type SectionName = 'send' | 'read';

/** One entry of `errors`. */
export interface ErrorEntry {
  readonly code: ErrorCode;
  readonly section?: SectionName | undefined;
  /** JSON of the id of the message, if that had one. */
  readonly idText?: string | undefined;
  /** Unless it is given, the reason of the code. */
  readonly reason?: string | undefined;
}

export interface Sections {
  readonly send: SendItem[];
  readonly read: ReadItem[];
  /** What was refused; everything else of the same text is good. */
  readonly errors: ErrorEntry[];
}

/** Reads one messaging text (docs/protocol.md, "Messaging"). Unknown sections are ignored. */
export function parseSections(text: string): Sections {
  const sections: Sections = { send: [], read: [], errors: [] };
  if (isTooDeep(text)) {
    sections.errors.push({ code: 'not_json', reason: 'the message nests too deep' });
    return sections;
  }
  const value = parseObject(text);
  if (value === undefined) {
    sections.errors.push({ code: 'not_json' });
    return sections;
  }
  readSection(sections, 'send', value['send'], text);
  readSection(sections, 'read', value['read'], text);
  return sections;
}

/** `{"errors":[…]}`. */
export function encodeErrors(entries: readonly ErrorEntry[]): string {
  return `{"errors":[${entries.map(errorText).join(',')}]}`;
}

/** `{"accepted":[…]}`; an entry is what `acceptedText` made. */
export const encodeAccepted = (entries: readonly string[]): string => `{"accepted":[${entries.join(',')}]}`;

/** A message that is stored: its id as it was sent, and its number. */
export const acceptedText = (idText: string, chatId: number): string => `{"id":${idText},"chatId":${chatId}}`;

/** What a guest is told first: its name, and with what it can come back under it. */
export const encodeWelcome = (welcome: { readonly client_id: string; readonly token: string }): string =>
  JSON.stringify({ welcome });

/** Credentials run out in so many seconds: a section of messaging, or the body of op 26. */
export const expiringText = (seconds: number): string => `{"expiring":{"in":${seconds}}}`;

function errorText({ code, section, idText, reason = errorReasons[code] }: ErrorEntry): string {
  const place = section === undefined ? '' : `"section":"${section}",`;
  const id = idText === undefined ? '' : `"id":${idText},`;
  return `{${place}${id}"error":"${code}","reason":${JSON.stringify(reason)}}`;
}

function readSection(sections: Sections, name: SectionName, value: unknown, text: string): void {
  if (value === undefined) return;
  if (!Array.isArray(value)) {
    sections.errors.push({
      section: name,
      code: 'bad_section',
      reason: `${name} must be an array`,
    });
    return;
  }
  const elements = new ElementCursor(text, memberSlice(text, skipSpace(text, 0), name)!.start);
  for (const item of value) {
    elements.next();
    if (!isObject(item)) {
      refuse(sections, name, undefined, 'a message must be an object');
    } else if (name === 'send') {
      readSend(sections, item, text, elements);
    } else {
      readRead(sections, item, text, elements.start);
    }
  }
}

type JsonObject = Record<string, unknown>;

function readSend(sections: Sections, item: JsonObject, text: string, raw: ElementCursor): void {
  const id = idString(item['id'], text, raw.start, 'id');
  const sid = idString(item['sid'], text, raw.start, 'sid');
  const rid = idString(item['rid'], text, raw.start, 'rid');
  if (id === undefined) return refuse(sections, 'send', undefined, idRule('id'));
  const idText = idTextOf(item['id'], id);
  if (sid === undefined) return refuse(sections, 'send', idText, idRule('sid'));
  if (rid === undefined) return refuse(sections, 'send', idText, idRule('rid'));
  sections.send.push({ id, idText, sid, rid, raw: text.slice(raw.start, raw.end) });
}

function readRead(sections: Sections, item: JsonObject, text: string, at: number): void {
  const id = idString(item['id'], text, at, 'id');
  if (id === undefined) return refuse(sections, 'read', undefined, idRule('id'));
  if (item['sid'] === undefined) {
    sections.read.push({ id, idText: idTextOf(item['id'], id) });
    return;
  }
  const sid = idString(item['sid'], text, at, 'sid');
  if (sid === undefined) return refuse(sections, 'read', idTextOf(item['id'], id), idRule('sid'));
  sections.read.push({ id, idText: idTextOf(item['id'], id), sid });
}

function refuse(sections: Sections, section: SectionName, idText: string | undefined, reason: string): void {
  sections.errors.push({ section, idText, code: 'missing_field', reason });
}

const idRule = (field: string): string => `${field} must be a non-empty string or a finite number`;

/** The string form of a number is its JSON as well. */
const idTextOf = (value: unknown, id: string): string =>
  typeof value === 'string' ? JSON.stringify(value) : id;

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
