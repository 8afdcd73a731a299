/**
 * A run: consecutive messages of one conversation from one sender, kept as the very frames that a
 * binary client receives (docs/protocol.md, "Frame" and "Operation 18"), so that storing, linking,
 * feeding and pushing a run is one copy of its bytes.
 */
export const PayloadKind = { bytes: 0, text: 1, json: 2 } as const;
export type PayloadKind = (typeof PayloadKind)[keyof typeof PayloadKind];

/** The protocol in which a message came in. */
export const Origin = { comet: 0, messaging: 1 } as const;
export type Origin = (typeof Origin)[keyof typeof Origin];

export interface Run {
  /** `count` packages of op 18 or 20, one after another: 16 bytes header, chatId, from, to, msg. */
  readonly bytes: Buffer;
  readonly count: number;
  /** chatId of the first message; the others follow densely. 0 until the owner numbered it. */
  first: number;
  /** How `msg` is to be read: raw bytes, UTF-8 text, or JSON text. The same for all of a run. */
  readonly kind: PayloadKind;
  readonly origin: Origin;
  /** When the run was accepted, in ms since the epoch; never falls within a conversation. */
  time: number;
}
