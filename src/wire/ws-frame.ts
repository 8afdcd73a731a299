/*
 * RFC 6455 "Base Framing Protocol", as far as a server needs it: whole messages, not masked. Shards
 * write these heads in front of what they send, so that the gateway only hands bytes to sockets, a
 * multicast is framed once, and all messages of a tick leave in one write.
 *
 *   0  FIN and the opcode | 1  length, or 126 or 127 | 2  uint16 or uint64: the length, if it is longer
 */
export const WsOpcode = { text: 1, binary: 2 } as const;

const FIN = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const TWO_16 = 65_536;
const TWO_32 = 4_294_967_296;

/** Bytes of the head of a message of so many bytes. */
export function wsHeadBytes(payloadBytes: number): number {
  if (payloadBytes < LENGTH_16) return 2;
  return payloadBytes < TWO_16 ? 4 : 10;
}

/** Writes the head of a message and returns the offset after it, where its payload goes. */
export function writeWsHead(view: DataView, at: number, opcode: number, payloadBytes: number): number {
  view.setUint8(at, FIN | opcode);
  if (payloadBytes < LENGTH_16) {
    view.setUint8(at + 1, payloadBytes);
    return at + 2;
  }
  if (payloadBytes < TWO_16) {
    view.setUint8(at + 1, LENGTH_16);
    view.setUint16(at + 2, payloadBytes);
    return at + 4;
  }
  view.setUint8(at + 1, LENGTH_64);
  view.setUint32(at + 2, Math.floor(payloadBytes / TWO_32));
  view.setUint32(at + 6, payloadBytes % TWO_32);
  return at + 10;
}

/** Calls `onMessage` for each message of `bytes`, which are whole ones with heads as written here. */
export function eachWsMessage(bytes: Buffer, onMessage: (payload: Buffer, isText: boolean) => void): void {
  let at = 0;
  while (at < bytes.length) {
    const isText = ((bytes[at] ?? 0) & 0x0f) === WsOpcode.text;
    const short = bytes[at + 1] ?? 0;
    let start = at + 2;
    let length = short;
    if (short === LENGTH_16) {
      length = bytes.readUInt16BE(start);
      start += 2;
    } else if (short === LENGTH_64) {
      length = bytes.readUInt32BE(start) * TWO_32 + bytes.readUInt32BE(start + 4);
      start += 8;
    }
    at = start + length;
    onMessage(bytes.subarray(start, at), isText);
  }
}
