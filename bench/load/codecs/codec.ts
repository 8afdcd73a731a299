import type { PayloadHead } from '../generator/payload.ts';

/** What a codec needs of the connection whose bytes it reads, and tells it. */
export interface Link {
  /** 1, 2, ...: the user. */
  readonly id: number;
  /** Messages are sent to it. */
  readonly receives: boolean;
  /** The codec's own: how far the handshake is. */
  phase: number;
  /** Sends these bytes soon. */
  say(bytes: Buffer): void;
  /** The connection is authenticated, and subscribed if it receives. */
  ready(): void;
  /** A message was delivered: its payload begins at `at`. */
  message(buf: Buffer, at: number): void;
  /** The server answered a message: it took it, or refused it. */
  reply(taken: boolean): void;
}

/** A message as it is sent, but for the head of its payload. */
export interface Frame {
  readonly bytes: Buffer;
  readonly payloadAt: number;
}

/** As much of a wire protocol as the load needs, and as cheap to read as it can be made. */
export interface Codec {
  readonly head: PayloadHead;
  /** The server answers each message with `reply`. */
  readonly replies: boolean;
  /** What a new connection says first. */
  hello(id: number, receives: boolean): Buffer;
  /** A message of `id` to user `to`, or to the group; its payload has `size` bytes. */
  frame(id: number, to: number, size: number): Frame;
  /**
   * Reads what is whole from `start` to `end`, and returns where it stopped: what is left comes again
   * with more behind it. Throws when the server says that something is wrong.
   */
  scan(link: Link, buf: Buffer, start: number, end: number): number;
}

/** In fan-out everyone writes to one group, else to a user. */
export type Addressing = 'group' | 'user';
export const GROUP = 1;

const FILLER = 'x';

/** A frame made of a text before the payload, the payload, and a text behind it. */
export function frameOf(before: Buffer | string, size: number, after: Buffer | string = ''): Frame {
  const start = Buffer.from(before as string);
  return {
    bytes: Buffer.concat([start, Buffer.alloc(size, FILLER), Buffer.from(after as string)]),
    payloadAt: start.length,
  };
}
