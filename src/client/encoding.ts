import type { Frame } from './frames.ts';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** What is sent: text, bytes, or any JSON value. */
export type Content = JsonValue | Uint8Array;

export interface CometMessage {
  /** True for a group: then `to` is its gid. */
  readonly group: boolean;
  readonly chatId: number;
  readonly from: number;
  readonly to: number;
  /** A Buffer from the binary encoding, and for bytes that are no text; else the JSON value. */
  readonly msg: Content;
  /** The same as text: JSON values that are no string as their JSON. */
  readonly text: string;
}

export interface Credentials {
  readonly mid: number;
  readonly mkey?: string;
  readonly device?: string;
  /** What was delivered goes by acknowledge() alone: nothing is lost, something may come twice. */
  readonly ack?: boolean;
  /** To be told what is about to happen to the connection: the event `notice`. */
  readonly notices?: boolean;
}

/** What is about to happen; members that are not known here are left in it. */
export interface Notice {
  /** The credentials run out in so many seconds: connect again with new ones. */
  readonly expiring?: { readonly in: number };
  readonly [name: string]: unknown;
}

/** A conversation of this user: with a mid, with a messaging client by its name, or a group. */
export type ConversationName = { readonly with: number | string } | { readonly group: number };

/** Which messages: after < chatId < before, at most `limit`. */
export interface HistoryOptions {
  readonly after?: number;
  readonly before?: number;
  readonly limit?: number;
  /** Default: oldest. */
  readonly order?: 'oldest' | 'newest';
}

export interface HistoryPage {
  /** In the order that was asked for. */
  readonly messages: readonly CometMessage[];
  /** The newest chatId of the conversation. */
  readonly last: number;
  /** There is more behind these messages. */
  readonly more: boolean;
}

export interface Reply {
  readonly ret: number;
  readonly chatId?: number;
  readonly error?: string;
}

/** How bodies are written and read: docs/protocol.md, "Operations". */
export interface Encoding {
  auth(credentials: Credentials): unknown;
  empty(): unknown;
  send(from: number, to: number, content: Content): unknown;
  ack(of: ConversationName, chatId: number): unknown;
  history(of: ConversationName, options: HistoryOptions): unknown;
  /** The body of op 8, 19, 21, 23, or of an answer to an operation that is unknown. */
  reply(frame: Frame): Reply;
  /** The body of op 25; the code if it was refused. */
  page(frame: Frame): HistoryPage | string;
  /** The body of op 9. */
  messages(frame: Frame): CometMessage[];
  /** The body of op 26. */
  notice(frame: Frame): Notice;
}

export const isBytes = (content: Content): content is Uint8Array => content instanceof Uint8Array;

export function authBody({ mid, mkey = '', device, ack, notices }: Credentials): {
  [key: string]: JsonValue;
} {
  return {
    mid,
    mkey,
    ...(device !== undefined && { device }),
    ...(ack !== undefined && { ack }),
    ...(notices !== undefined && { notices }),
  };
}
