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
  /** The body of op 8, 19, 21, or of an answer to an operation that is unknown. */
  reply(frame: Frame): Reply;
  /** The body of op 9. */
  messages(frame: Frame): CometMessage[];
}

export const isBytes = (content: Content): content is Uint8Array => content instanceof Uint8Array;

export function authBody({ mid, mkey = '', device }: Credentials): { [key: string]: JsonValue } {
  return { mid, mkey, ...(device !== undefined && { device }) };
}
